// Learning curves: the metric of each run over its iterations, where early termination judges, and who was stopped.

import { dataOf, get } from "../api.js";
import { axis, draw, tooltip } from "../echarts.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { colour } from "../theme.js";
import { select, whenSeen } from "./controls.js";
import { ranked, robust, shades, spread, TOP } from "./ranks.js";
import { places, runTip, tie } from "./run_tip.js";
import { bits } from "./selection_bits.js";

const MOST_RUNS = 600;
const MOST_RUNGS = 8;
const POINTS = 100;
const LIVE_MS = 4000;
const SMOOTHING = [
  ["0", "none"],
  ["0.6", "some"],
  ["0.9", "much"],
];
const SCALES = [
  ["value", "as it is"],
  ["log", "logarithmic"],
];
const CROSS = "path://M0 0L10 10M10 0L0 10";

export function mount(element, model) {
  const chart = h("div", { class: "chart curves" });
  const note = h("p", { class: "soft" });
  const smooth = select("Smoothing", "smooth", SMOOTHING, () => show());
  const kind = select("scale", "curve.y", SCALES, () => show());
  fill(element, h("h2", {}, "Learning curves"), h("div", { class: "bar" }, smooth.element, kind.element), chart, note);
  const drawn = draw(chart, "The metric of each run over its iterations");
  const known = new Map();
  let data = [[], []];
  let readAt = 0;
  tie(drawn, model, () => data.map((items, i) => [i, places(items)]));

  /** The runs that are drawn, the best first, then those without a value that may lead. */
  function drawnRuns() {
    const order = ranked(model.selected.filter((run) => run.iterations > 0), model.goal);
    const leading = [...order.filter((run) => run.leads !== false), ...order.filter((run) => run.leads === false)];
    return { order: leading, ...spread(leading, MOST_RUNS, "curves") };
  }

  async function read() {
    const { shown } = drawnRuns();
    const lacking = shown.filter((run) => known.get(run.id)?.iterations !== run.iterations);
    if (lacking.length && Date.now() - readAt > (known.size ? LIVE_MS : 0)) {
      readAt = Date.now();
      const answer = await get(dataOf("sweeps", model.sweep.name, "curves"), { runs: bits(model, lacking), points: POINTS });
      const iterations = new Map(lacking.map((run) => [run.id, run.iterations]));
      answer.ids.forEach((id, i) => known.set(id, { at: answer.at[i], values: answer.values[i], iterations: iterations.get(id) ?? answer.at[i].at(-1) }));
    }
    show();
  }

  function show() {
    const { shown, order, note: left } = drawnRuns();
    const there = shown.filter((run) => known.has(run.id));
    if (!there.length) {
      chart.hidden = !shown.length;
      fill(note, shown.length ? "Reading…" : h("span", { class: "empty" }, nothing()));
      return;
    }
    chart.hidden = false;
    drawn.show(() => {
      const option = picture(there, { order, known, model, weight: Number(smooth.value), log: kind.value === "log" });
      data = [option.series[0].data, option.series[1].data];
      return option;
    });
    const stopped = there.filter((run) => run.fate === "stopped").length;
    fill(note, [stopped ? `× ${stopped} of ${there.length} were stopped.` : "", left].filter(Boolean).join(" "));
  }

  function nothing() {
    if (model.sweep.several) return "A sweep with several metrics judges runs by their last values: each run's own page has its curves.";
    if (!model.metric) return "This sweep has no metric; each run's own page has the curves of all it logged.";
    return model.selected.length ? `No selected run has logged ${model.metric.name} yet.` : "No run is selected: take back a filter.";
  }

  function failed(error) {
    fill(note, h("span", { class: "error" }, error.message));
  }
  model.on("selection", whenSeen(element, () => read().catch(failed)));
  read().catch(failed);
}

function smoothed(values, weight) {
  let sum = 0;
  let share = 0;
  return values.map((value) => {
    sum = sum * weight + value * (1 - weight);
    share = share * weight + (1 - weight);
    return sum / share;
  });
}

function picture(runs, { order, known, model, weight, log }) {
  const colourOf = shades(order.filter((run) => run.leads !== false), colour("soft"));
  const many = runs.length > 100;
  const lines = [];
  const ends = [];
  const every = [];
  let longest = 2;
  runs.forEach((run, rank) => {
    const { at, values } = known.get(run.id);
    const drawnValues = weight ? smoothed(values, weight) : values;
    every.push(...(runs.length > 200 ? [drawnValues[0], drawnValues[drawnValues.length >> 1], drawnValues.at(-1)] : drawnValues));
    longest = Math.max(longest, at.at(-1));
    const line = colourOf(run.id);
    const faint = rank < TOP ? 1 : many ? 0.35 : 0.7;
    if (at.length > 1) lines.push({ id: run.id, run, coords: at.map((one, i) => [one, drawnValues[i]]), lineStyle: { color: line, width: rank < 3 ? 2 : 1, opacity: faint } });
    const cross = run.fate === "stopped" || run.fate === "failed";
    if (cross || at.length === 1) ends.push({ id: run.id, run, value: [at.at(-1), drawnValues.at(-1)], symbol: cross ? CROSS : "circle", symbolSize: cross ? 7 : 4, itemStyle: cross ? { color: "transparent", borderColor: run.fate === "failed" ? colour("failed") : line, borderWidth: 1.5, opacity: Math.max(faint, 0.6) } : { color: line } });
  });
  const y = robust(every, every.length ? [known.get(runs[0].id).values.at(-1)] : []);
  const positive = log && every.every((one) => one > 0);
  const rungs = model.sweep.rungs.filter((rung) => rung <= longest).slice(0, MOST_RUNGS);
  const label = { ...axis("value", "").axisLabel, formatter: (one) => number(one, 3) };
  return {
    grid: { left: 58, right: 16, top: 18, bottom: 42 },
    xAxis: axis("value", "logged values", { min: 1, max: longest, minInterval: 1, axisLabel: label, splitLine: { show: false } }),
    yAxis: axis(positive ? "log" : "value", model.metric?.name ?? "", { nameGap: 44, min: positive ? Math.min(...every) : y.low, max: y.high, axisLabel: { ...label, showMinLabel: false, showMaxLabel: false } }),
    tooltip: tooltip((item) => (item.data.run ? runTip(item.data.run, model, [["last", number(item.data.run.last)], ["logged", String(item.data.run.iterations)]]) : "")),
    series: [
      { type: "lines", coordinateSystem: "cartesian2d", polyline: true, clip: true, progressive: 0, data: lines.reverse(), emphasis: { lineStyle: { width: 3, opacity: 1, color: colour("ink") } } },
      {
        type: "scatter",
        z: 4,
        clip: true,
        data: ends,
        markLine: { silent: true, symbol: "none", animation: false, lineStyle: { color: colour("line"), type: "dashed" }, label: { color: colour("soft"), fontSize: 11, formatter: (mark) => `rung ${mark.value}` }, data: rungs.map((rung) => ({ xAxis: rung })) },
      },
    ],
  };
}
