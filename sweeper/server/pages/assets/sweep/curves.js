// Learning curves: the metric of each run over its iterations, where early termination judges, and who was stopped; or any
// other number that runs have logged, over its steps.

import { dataOf, get } from "../api.js";
import { axis, draw, tooltip } from "../echarts.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { colour } from "../theme.js";
import { select, whenSeen } from "./controls.js";
import { ranked, shades, spread, TOP } from "./ranks.js";
import { places, runTip, tie } from "./run_tip.js";
import { robust, spanning } from "./scales.js";
import { bits } from "./selection_bits.js";

const MOST_RUNS = 600;
/** Of another key than the sweep's metric, of which the server keeps no curve: it looks them up in what the runs logged. */
const MOST_OTHER = 100;
const MOST_RUNGS = 8;
const POINTS = 100;
const LIVE_MS = 4000;
const SMOOTHING = [
  ["0", "none"],
  ["0.6", "some"],
  ["0.9", "much"],
];
const SCALES = [
  ["fit", "as it fits"],
  ["value", "linear"],
  ["log", "logarithmic"],
];
const CROSS = "path://M0 0L10 10M10 0L0 10";

export function mount(element, model) {
  const chart = h("div", { class: "chart curves" });
  const note = h("p", { class: "soft" });
  const metric = select("Metric", "curve.metric", names(), () => again());
  const smooth = select("Smoothing", "smooth", SMOOTHING, () => show());
  const kind = select("scale", "curve.y", SCALES, () => show());
  fill(element, h("h2", {}, "Learning curves"), h("div", { class: "bar" }, metric.element, smooth.element, kind.element), chart, note);
  const drawn = draw(chart, "A metric of each run over what it logged");
  let known = new Map();
  let data = [[], []];
  let readAt = 0;
  tie(drawn, model, () => data.map((items, i) => [i, places(items)]));

  /** The metrics of the sweep, and whatever else its runs have logged. */
  function names() {
    const own = model.sweep.objectives.map((one) => one.name);
    return [...new Set([...own, ...model.metrics])].map((one) => [one, one]);
  }

  /** Whether it is the metric that the sweep judges its runs by, step for step. */
  const isOwn = () => !model.sweep.several && model.metric !== null && metric.value === model.metric.name;

  /** The runs that are drawn, the best first, then those that may not lead or have no value to be ranked by. */
  function drawnRuns() {
    const begun = model.selected.filter((run) => (isOwn() ? run.iterations > 0 : run.fate !== "waiting"));
    const order = ranked(begun, model.goal, model.sweep.several ? (run) => run.values[0] : undefined);
    const ahead = new Set(order);
    const all = [...order, ...begun.filter((run) => !ahead.has(run))];
    return { order, ...spread(all, isOwn() ? MOST_RUNS : MOST_OTHER, "curves") };
  }

  /** What tells that a run has logged more. */
  const stamp = (run) => (isOwn() ? run.iterations : `${run.iterations} ${run.fate} ${run.fate === "running" ? Math.floor(readAt / LIVE_MS) : ""}`);

  async function read() {
    metric.offer(names());
    if (Date.now() - readAt > (known.size ? LIVE_MS : 0)) await readLacking(drawnRuns().shown, metric.value);
    show();
  }

  async function readLacking(shown, key) {
    readAt = Date.now();
    const lacking = shown.filter((run) => known.get(run.id)?.stamp !== stamp(run));
    if (!lacking.length || !key) return;
    const stamps = new Map(lacking.map((run) => [run.id, stamp(run)]));
    const query = { runs: bits(model, lacking), points: POINTS, key: isOwn() ? null : key };
    const answer = await get(dataOf("sweeps", model.sweep.name, "curves"), query);
    if (key !== metric.value) return; // another one was chosen meanwhile
    for (const [id, mark] of stamps) if (!known.has(id)) known.set(id, { at: [], values: [], stamp: mark });
    answer.ids.forEach((id, i) => known.set(id, { at: answer.at[i], values: answer.values[i], stamp: stamps.get(id) }));
  }

  function again() {
    known = new Map();
    readAt = 0;
    read().catch(failed);
  }

  function show() {
    const { shown, order, note: left } = drawnRuns();
    const there = shown.filter((run) => known.get(run.id)?.at.length);
    if (!there.length) {
      chart.hidden = true;
      fill(note, shown.some((run) => !known.has(run.id)) && metric.value ? "Reading…" : h("span", { class: "empty" }, nothing()));
      return;
    }
    chart.hidden = false;
    drawn.show(() => {
      const option = picture(there, { order, known, model, name: metric.value, own: isOwn(), weight: Number(smooth.value), kind: kind.value });
      data = [option.series[0].data, option.series[1].data];
      return option;
    });
    const stopped = there.filter((run) => run.fate === "stopped").length;
    fill(note, [stopped ? `× ${stopped} of ${there.length} were stopped.` : "", left].filter(Boolean).join(" "));
  }

  function nothing() {
    if (!metric.value) return "This sweep has no metric, and its runs have logged no number.";
    return model.selected.length ? `No selected run has logged ${metric.value} yet.` : "No run is selected: take back a filter.";
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

function picture(runs, { order, known, model, name, own, weight, kind }) {
  const colourOf = shades(order, colour("soft"));
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
  const least = Math.min(...runs.map((run) => known.get(run.id).at[0]));
  const y = kind === "log" ? spanning(every, { log: true, margin: 0.04 }) : robust(every, [known.get(runs[0].id).values.at(-1)], { margin: 0.04, may: kind === "fit" });
  const rungs = own ? model.sweep.rungs.filter((rung) => rung <= longest).slice(0, MOST_RUNGS) : [];
  const label = { ...axis("value", "").axisLabel, formatter: (one) => number(one, 3) };
  return {
    grid: { left: 58, right: 16, top: 18, bottom: 42 },
    xAxis: axis("value", own ? "logged values" : "step", { min: own ? 1 : least, max: longest, minInterval: 1, axisLabel: label, splitLine: { show: false } }),
    yAxis: axis(y.log ? "log" : "value", y.log ? `${name} (log)` : name, { nameGap: 44, min: y.low, max: y.high, axisLabel: { ...label, showMinLabel: false, showMaxLabel: false } }),
    tooltip: tooltip((item) => (item.data.run ? runTip(item.data.run, model, [[own ? "last" : name, number(known.get(item.data.run.id)?.values.at(-1))], ...(own ? [["logged", String(item.data.run.iterations)]] : [])]) : "")),
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
