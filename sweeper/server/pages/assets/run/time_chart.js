// A small chart of lines over the seconds of a run, with uPlot; the cursors of all of them go together.

import { h, fill } from "../dom.js";
import { bytes, duration, number } from "../format.js";
import { colour, onTheme } from "../theme.js";

// a person counts seconds in these
const TICKS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 432000, 864000, 1728000];
const COLOURS = ["hue", "stopped", "finished", "failed", "v3", "v5", "v1", "v7"];

/**
 * Make one.
 * @param {HTMLElement} place - Where; its height is set by its class.
 * @param {HTMLElement} legend - Says which line is which, and what the cursor is at.
 * @param {object} chart - `title`, `unit`, `x` and `lines`, as the server tells them.
 */
export function timeChart(place, legend, chart) {
  const write = chart.unit === "bytes" ? bytes : (value) => (chart.unit ? `${number(value)} ${chart.unit}` : number(value));
  let plot = null;
  let last = chart;
  place.setAttribute("role", "img");

  function draw() {
    plot?.destroy();
    const size = { width: Math.max(place.clientWidth, 100), height: place.clientHeight };
    plot = new window.uPlot(options(last, size, write, tell), data(last), place);
    tell(plot);
  }

  function tell(from) {
    const at = from.cursor.idx ?? null;
    place.setAttribute("aria-label", `${last.title}: ${last.lines.map((line) => `${line.name} ${write(latest(line.y))}`).join(", ")}`);
    fill(
      legend,
      at === null ? null : h("span", {}, `at ${duration(last.x[at])}: `),
      last.lines.map((line, i) => h("span", { class: "chart-key" }, key(i), `${line.name} `, h("span", { class: "chart-value" }, write(at === null ? latest(line.y) : line.y[at])))),
    );
  }

  const sizes = new ResizeObserver(() => {
    if (!place.clientWidth) return; // its tab is shut
    if (plot) plot.setSize({ width: place.clientWidth, height: place.clientHeight });
    else draw();
  });
  sizes.observe(place);
  const themes = onTheme(() => plot && draw());
  return {
    show(next) {
      last = next;
      if (plot) {
        plot.setData(data(next));
        tell(plot);
      }
    },
    dispose() {
      sizes.disconnect();
      themes();
      plot?.destroy();
      plot = null;
    },
  };
}

function key(i) {
  const mark = h("span", { class: "chart-mark" });
  mark.style.backgroundColor = `var(--${COLOURS[i % COLOURS.length]})`;
  return mark;
}

function latest(values) {
  return values.findLast((value) => value !== null) ?? null;
}

function data(chart) {
  return [chart.x, ...chart.lines.map((line) => line.y)];
}

function options(chart, size, write, tell) {
  const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: "11px system-ui, sans-serif" };
  return {
    ...size,
    legend: { show: false },
    cursor: { sync: { key: "system" }, points: { size: 6 }, y: false },
    hooks: { setCursor: [tell] },
    scales: { x: { time: false }, y: { range: (_, low, high) => range(chart.unit, low, high) } },
    axes: [
      { ...axis, size: 26, space: 70, incrs: TICKS, values: (_, ticks) => ticks.map((tick) => (tick ? duration(tick).replace(/\.0s$/, "s").replace(/ 00[sm]$/, "") : "0")) },
      { ...axis, size: 62, space: 36, values: (_, ticks) => ticks.map((tick) => (chart.unit === "bytes" ? bytes(tick) : number(tick))) },
    ],
    series: [{}, ...chart.lines.map((line, i) => ({ label: line.name, stroke: colour(COLOURS[i % COLOURS.length]), width: 1.5, spanGaps: false, points: { show: chart.x.length < 3 } }))],
  };
}

/** From 0 on, and shares up to the whole, so that a flat line looks like one. */
function range(unit, low, high) {
  if (low === null || high === null) return [0, 1];
  if (unit === "%") return [0, Math.max(100, high)];
  return [Math.min(0, low), high > 0 ? high * 1.08 : 1];
}
