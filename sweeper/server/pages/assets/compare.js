// Curves of several runs over each other: a chart for each key, drawn when it comes into view.

import { dataOf, get } from "./api.js";
import { fill, find, h } from "./dom.js";
import { axis, draw, tooltip } from "./echarts.js";
import { duration, moment, number } from "./format.js";
import { onChange } from "./live.js";
import { colour } from "./theme.js";
import { choose, chosen } from "./url_state.js";

const place = document.querySelector("#charts");
const COLOURS = 8;
/** Of the lines: the second eight runs have the colours of the first. */
const STROKES = ["solid", "dashed", "dotted"];
const WIDTH = 400;
const AT_ONCE = 12;
const TOGETHER_MS = 60;

if (place) start(JSON.parse(place.dataset.keys), JSON.parse(place.dataset.runs), JSON.parse(place.dataset.names));

function start(keys, runs, names) {
  const charts = new Map(keys.map((key) => [key, makeChart(key)]));
  const [picker, log, box] = [find("#axis"), find("#log"), find("#key-filter")];
  picker.value = chosen("x", "_step");
  if (picker.selectedIndex < 0) picker.value = "_step";
  log.checked = chosen("log") === "1";
  box.value = chosen("keys", "") ?? "";

  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries) charts.get(entry.target.dataset.key).isSeen = entry.isIntersecting;
      later();
    },
    { rootMargin: "300px" },
  );
  charts.forEach((chart) => seen.observe(chart.card));
  fill(place, [...charts.values()].map((chart) => chart.card));

  let timer = 0;
  const later = () => {
    clearTimeout(timer);
    timer = setTimeout(() => load(), TOGETHER_MS);
  };

  /** Fetch what is in view and not there yet: one request a run for some keys, so that one chart waits for few. */
  async function load(again = false) {
    const wanted = [...charts.values()].filter((chart) => chart.isSeen && !chart.card.hidden && (again || chart.axis !== picker.value));
    const over = picker.value;
    for (let i = 0; i < wanted.length; i += AT_ONCE) {
      const some = wanted.slice(i, i + AT_ONCE);
      some.forEach((chart) => (chart.axis = over));
      const query = new URLSearchParams([...some.map((chart) => ["key", chart.key]), ["x", over], ["width", WIDTH]]);
      try {
        const found = await Promise.all(runs.map((run) => get(`${dataOf("runs", run, "history")}?${query}`)));
        for (const chart of some) if (chart.axis === over) chart.take(found.map((answer) => answer.keys[chart.key]));
      } catch (error) {
        some.forEach((chart) => chart.fail(error));
        if (again) throw error;
      }
    }
  }

  function makeChart(key) {
    const body = h("div", { class: "chart small" });
    const card = h("section", { class: "card", dataset: { key }, "aria-label": key }, h("h3", {}, key), body);
    let drawn = null;
    const chart = {
      key,
      card,
      axis: "",
      isSeen: false,
      curves: [],
      take(curves) {
        chart.curves = curves;
        drawn ??= draw(body, `${key} of ${runs.length} runs`);
        chart.show();
      },
      show() {
        drawn?.show(() => option(key, chart.axis, chart.curves));
      },
      fail(error) {
        chart.axis = "";
        if (!drawn) fill(body, h("p", { class: "error" }, error.message));
      },
      emphasise(name) {
        drawn?.chart?.dispatchAction(name === null ? { type: "downplay" } : { type: "highlight", seriesId: name });
      },
    };
    return chart;
  }

  function option(key, over, curves) {
    const isTime = over === "_timestamp";
    const scale = isTime ? 1000 : 1;
    const label = over === "_runtime" ? (value) => duration(value) : number;
    return {
      grid: { left: 52, right: 12, top: 8, bottom: 24 },
      xAxis: axis(isTime ? "time" : "value", "", { splitLine: { show: false }, axisLabel: { color: colour("soft"), hideOverlap: true, ...(isTime ? {} : { formatter: label }) } }),
      yAxis: axis(log.checked && isPositive(curves) ? "log" : "value", "", { axisLabel: { color: colour("soft"), formatter: (value) => number(value, 3) } }),
      tooltip: tooltip((points) => told(points, over, curves), { trigger: "axis", axisPointer: { lineStyle: { color: colour("edge") } } }),
      series: curves.map((curve, i) => ({
        id: runs[i],
        name: names[i],
        type: "line",
        data: curve ? curve.x.map((x, j) => [x * scale, curve.y[j]]) : [],
        showSymbol: (curve?.x.length ?? 0) < 3,
        symbolSize: 5,
        lineStyle: { width: 1.5, type: STROKES[Math.floor(i / COLOURS) % STROKES.length] },
        color: colour(`c${i % COLOURS}`),
        emphasis: { focus: "series", lineStyle: { width: 2.5 } },
      })),
    };
  }

  /** Say what each run had at the place under the pointer: runs log at times of their own, so each one's nearest value. */
  function told(points, over, curves) {
    if (!points.length) return h("div");
    const x = over === "_timestamp" ? points[0].axisValue / 1000 : points[0].axisValue;
    const head = over === "_timestamp" ? moment(x) : over === "_runtime" ? duration(x) : `step ${number(x)}`;
    const rows = curves
      .map((curve, i) => ({ i, y: valueAt(curve, x) }))
      .filter((row) => row.y !== null)
      .sort((one, other) => other.y - one.y)
      .slice(0, 12);
    return h(
      "div",
      { class: "told" },
      h("div", { class: "soft" }, head),
      rows.map((row) => h("div", {}, h("span", { class: `swatch line c${row.i % COLOURS} s${Math.floor(row.i / COLOURS)}` }), h("span", {}, names[row.i]), h("b", {}, number(row.y)))),
    );
  }

  function filter() {
    const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const chart of charts.values()) {
      chart.card.hidden = !words.every((word) => chart.key.toLowerCase().includes(word));
      shown += !chart.card.hidden;
    }
    find("#curve-count").textContent = shown === keys.length ? String(keys.length || "") : `${shown} of ${keys.length}`;
    later();
  }

  picker.addEventListener("change", () => {
    choose("x", picker.value === "_step" ? null : picker.value);
    later();
  });
  log.addEventListener("change", () => {
    choose("log", log.checked ? "1" : null);
    charts.forEach((chart) => chart.show());
  });
  box.addEventListener("input", () => {
    choose("keys", box.value);
    filter();
  });
  if (box.value) filter();
  for (const row of document.querySelectorAll("#runs tbody tr")) {
    row.addEventListener("mouseenter", () => charts.forEach((chart) => chart.emphasise(row.dataset.run)));
    row.addEventListener("mouseleave", () => charts.forEach((chart) => chart.emphasise(null)));
  }
  if (place.dataset.liveRuns) onChange("run", () => load(true));
}

/** The value of the point nearest to a place; null where the curve does not reach, but for a twentieth of its length. */
function valueAt(curve, x) {
  if (!curve?.x.length) return null;
  const [first, last] = [curve.x[0], curve.x.at(-1)];
  const slack = (last - first) / 20;
  if (x < first - slack || x > last + slack) return null;
  let [low, high] = [0, curve.x.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (curve.x[middle] < x) low = middle + 1;
    else high = middle;
  }
  if (low > 0 && x - curve.x[low - 1] < curve.x[low] - x) low -= 1;
  return curve.y[low];
}

function isPositive(curves) {
  return curves.every((curve) => !curve || curve.y.every((value) => value > 0));
}
