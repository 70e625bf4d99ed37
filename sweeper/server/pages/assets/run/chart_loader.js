// Brings the points of the charts that are seen: those that come into view together in one request.

import { context, dataOf, get } from "../api.js";

const TOGETHER_MS = 30;
const AT_ONCE = 12;
const IDLE_SHARE = 8;

/**
 * Make one for all charts of a page.
 * @param {function(object): object} query - What a chart asks for: `axis`, and `from` and `to` where it is zoomed.
 * @returns {{want: function(object), again: function()}} `want` asks for a chart's points, `again` for all that are seen.
 */
export function loader(query) {
  const waiting = new Set();
  const seen = new Set();
  let timer = 0;
  let later = 0;
  let restUntil = 0;

  function want(chart) {
    waiting.add(chart);
    clearTimeout(timer);
    timer = setTimeout(load, TOGETHER_MS);
  }

  async function load() {
    const all = [...waiting];
    waiting.clear();
    const groups = new Map();
    for (const chart of all) {
      const asked = query(chart);
      const words = JSON.stringify([asked.x, asked.from, asked.to]);
      groups.set(words, [...(groups.get(words) ?? []), chart]);
    }
    const began = performance.now();
    for (const group of groups.values()) {
      // the first few at once: they are what the viewer looks at
      for (let i = 0; i < group.length; i += AT_ONCE) await bring(group.slice(i, i + AT_ONCE));
    }
    restUntil = performance.now() + (performance.now() - began) * IDLE_SHARE;
  }

  async function bring(charts) {
    const width = Math.max(...charts.map((chart) => chart.width()), 200);
    const words = new URLSearchParams(charts.map((chart) => ["key", chart.key]));
    const asked = Object.entries({ ...query(charts[0]), width }).filter(([, value]) => value !== null && value !== undefined);
    for (const [name, value] of asked) words.append(name, value);
    try {
      const found = await get(`${dataOf("runs", context.run, "history")}?${words}`);
      for (const chart of charts) chart.arrived(found.keys[chart.key] ?? null, found);
    } catch (error) {
      for (const chart of charts) chart.failed(error);
    }
  }

  function again() {
    clearTimeout(later);
    const rest = restUntil - performance.now();
    if (rest > 0) later = setTimeout(again, rest); // what came last is read, too
    else for (const chart of seen) want(chart);
  }

  return {
    want,
    seen,
    /** Read anew what is seen; of a long history not more often than it takes a share of the time. */
    again,
  };
}
