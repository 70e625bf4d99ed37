// What ran where and when: a row for each slot, a bar for each attempt at a run, a thin line where a run waited.

import { dataOf, get } from "../api.js";
import { axis, draw, tooltip } from "../echarts.js";
import { fill, h } from "../dom.js";
import { duration, moment } from "../format.js";
import { colour } from "../theme.js";
import { whenSeen } from "./controls.js";
import { runTip, tie, places } from "./run_tip.js";
import { attemptsOf, busy, laid, waits } from "./slots.js";
import { binned, latest } from "./timeline_window.js";

const ROW = 24;
const MOST_ROWS = 40;
const LIVE_MS = 4000;
const STRIP = 34;
const BELOW = 10;
const RIGHT = 16;
const FATES = [
  ["finished", "finished"],
  ["running", "running"],
  ["stopped", "stopped"],
  ["failed", "failed"],
  ["waiting", "cut off, tried again"],
];

export function mount(element, model) {
  const chart = h("div", { class: "timeline" });
  const note = h("p", { class: "soft" });
  const legend = h("p", { class: "legend" }, FATES.map(([fate, text]) => [h("span", { class: `dot ${fate}`, "aria-hidden": "true" }), h("span", {}, text)]), h("span", { class: "thin", "aria-hidden": "true" }), h("span", {}, "waits"), h("span", { class: "dot retry", "aria-hidden": "true" }), h("span", {}, "retry"));
  fill(element, legend, chart, note);
  const drawn = draw(chart, "Which run was at work in which slot, and when");
  const known = new Map();
  let data = [];
  let told = null;
  let readAt = 0;
  let window_ = null; // what the viewer looks at, in seconds since 1970; null: the latest, as they come
  let end = 0;
  drawn.chart?.on("datazoom", () => {
    const [{ startValue, endValue }] = drawn.chart.getOption().dataZoom;
    window_ = { from: startValue / 1000, to: endValue / 1000 >= end - 0.5 ? Infinity : endValue / 1000 };
  });
  tie(drawn, model, () => [[1, places(data)]]);

  async function read() {
    if (Date.now() - readAt > LIVE_MS) {
      readAt = Date.now();
      const answer = await get(dataOf("sweeps", model.sweep.name, "attempts"), { since: told === null ? null : told - 5 });
      told = answer.now;
      for (const one of attemptsOf(answer)) known.set(`${one.run}/${one.number}`, one);
    }
    show();
  }

  function show() {
    const chosen = new Set(model.selected.map((run) => run.id));
    const shown = [...known.values()].filter((one) => chosen.has(one.run));
    const { rows, laid: bars } = laid(shown, told);
    if (!bars.length) {
      chart.hidden = true;
      fill(note, h("span", { class: "empty" }, known.size ? "No selected run has begun." : "No run has begun yet."));
      return;
    }
    chart.hidden = false;
    const seen = Math.min(rows.length, MOST_ROWS);
    chart.style.height = `${seen * ROW + 48 + STRIP}px`;
    drawn.chart?.resize();
    end = bars.reduce((found, one) => Math.max(found, one.end), 0);
    const left = roomFor(rows);
    const part = latest(bars, rows.length, chart.clientWidth - left - RIGHT);
    const idle = waits(bars, (id) => model.run(id)?.created_at ?? null);
    drawn.show(() => {
      const option = picture(rows, bars, idle, { model, left, window_: window_ ?? part, end });
      data = option.series[1].data;
      return option;
    });
    const words = part ? ` At first the latest ${part.count.toLocaleString("en")} are shown: the strip below has all of them, drag its handles to look elsewhere.` : "";
    fill(note, sentence(rows, bars, idle) + words);
  }

  const failed = (error) => fill(note, h("span", { class: "error" }, error.message));
  model.on("selection", whenSeen(element, () => read().catch(failed)));
  read().catch(failed);
}

function sentence(rows, bars, idle) {
  const { first, last, share } = busy(bars, rows);
  const retries = bars.filter((one) => one.number > 1).length;
  const waited = idle.filter((one) => one.retry).reduce((sum, one) => sum + one.end - one.start, 0);
  const slots = `${rows.length} ${rows.length === 1 ? "slot" : "slots"}`;
  const again = retries ? `, ${retries} of them another try, which waited ${duration(waited)} in all` : "";
  return `${bars.length.toLocaleString("en")} attempts on ${slots} in ${duration(last - first)}${again}. The slots were at work ${Math.round(100 * share)} % of that time.`;
}

/** The room that the names of the rows take. */
function roomFor(rows) {
  return Math.min(150, 16 + 6.6 * Math.max(...rows.map((name) => name.length)));
}

/** What the strip below shows of all attempts: how many ended when, and as what. */
function strip(counts, colours) {
  return FATES.map(([fate]) => ({ type: "bar", stack: "all", silent: true, xAxisIndex: 1, yAxisIndex: 1, barCategoryGap: "0%", itemStyle: { color: colours[fate], opacity: 0.8 }, data: counts.get(fate) }));
}

/** The two ways to look closer: within the rows, and by the handles over the strip. */
function zooms(window_, first, end) {
  const part = window_ ? { startValue: 1000 * Math.max(first, window_.from), endValue: 1000 * Math.min(end, window_.to) } : {};
  const own = { xAxisIndex: 0, filterMode: "weakFilter", ...part };
  const ground = `color-mix(in srgb, ${colour("hue")} 14%, transparent)`;
  const handles = { borderColor: colour("line"), backgroundColor: "transparent", fillerColor: ground, handleStyle: { color: colour("card"), borderColor: colour("soft") }, moveHandleSize: 0 };
  return [
    { type: "inside", zoomOnMouseWheel: "ctrl", ...own },
    { type: "slider", height: STRIP, bottom: BELOW, showDataShadow: false, brushSelect: false, labelFormatter: "", ...handles, ...own },
  ];
}

function picture(rows, bars, idle, { model, left, window_, end }) {
  const upAndDown = { type: "inside", yAxisIndex: 0, startValue: 0, endValue: MOST_ROWS - 1, zoomLock: true, zoomOnMouseWheel: false, moveOnMouseWheel: true };
  const colours = Object.fromEntries(FATES.map(([fate]) => [fate, colour(fate)]));
  const ink = colour("ink");
  const first = bars[0].start;
  const { at, counts } = binned(bars, end, FATES.map(([fate]) => fate));
  return {
    grid: [
      { left, right: RIGHT, top: 6, bottom: BELOW + STRIP + 32 },
      { left, right: RIGHT, height: STRIP, bottom: BELOW },
    ],
    xAxis: [axis("time", "", { splitNumber: 5, min: first * 1000, max: end * 1000 }), { type: "category", gridIndex: 1, show: false, data: at }],
    yAxis: [axis("category", "", { data: rows, inverse: true, axisLabel: { color: colour("soft"), width: 130, overflow: "truncate", interval: 0 }, splitLine: { show: false }, axisTick: { show: false } }), { type: "value", gridIndex: 1, show: false, min: 0, max: "dataMax" }],
    dataZoom: [...zooms(window_, first, end), ...(rows.length > MOST_ROWS ? [upAndDown] : [])],
    tooltip: tooltip((item) => (item.data.attempt ? told(item.data.attempt, model) : "")),
    series: [
      { type: "custom", silent: true, clip: true, data: idle.map((one) => [one.start * 1000, one.end * 1000, one.row]), encode: { x: [0, 1], y: 2 }, renderItem: thinLine(colour("soft")) },
      {
        type: "custom",
        clip: true,
        encode: { x: [0, 1], y: 2 },
        data: bars.map((one) => ({ id: one.run, attempt: one, value: [one.start * 1000, one.end * 1000, one.row, one.number], fate: one.fate })),
        renderItem: (given, api) => bar(api, colours[bars[given.dataIndex].fate], api.value(3) > 1 ? ink : null),
      },
      ...strip(counts, colours),
    ],
  };
}

function bar(api, fill_, edge) {
  const [left, middle] = api.coord([api.value(0), api.value(2)]);
  const [right] = api.coord([api.value(1), api.value(2)]);
  const height = Math.min(16, api.size([0, 1])[1] * 0.66);
  const shape = { x: left, y: middle - height / 2, width: Math.max(1.5, right - left - 0.6), height, r: Math.min(2, (right - left) / 4) };
  const main = { type: "rect", shape, style: { fill: fill_, opacity: 0.9 }, emphasis: { style: { stroke: colour("ink"), lineWidth: 2, opacity: 1 } } };
  if (!edge) return main;
  return { type: "group", children: [main, { type: "rect", silent: true, shape: { x: left, y: shape.y, width: Math.min(3, shape.width), height }, style: { fill: edge } }] };
}

function thinLine(stroke) {
  return (_, api) => {
    const [left, middle] = api.coord([api.value(0), api.value(2)]);
    const [right] = api.coord([api.value(1), api.value(2)]);
    return { type: "line", shape: { x1: left, y1: middle, x2: right, y2: middle }, style: { stroke, lineWidth: 1.5 } };
  };
}

function told(attempt, model) {
  const run = model.run(attempt.run);
  const rows = [
    ["attempt", `${attempt.number}, ${attempt.open ? "goes on" : attempt.state}`],
    ["slot", attempt.lane],
    ["began", moment(attempt.start)],
    [attempt.open ? "so far" : "took", duration(attempt.end - attempt.start)],
    ...(attempt.reason ? [["why", attempt.reason.split("\n")[0].slice(0, 120)]] : []),
  ];
  return run ? runTip(run, model, rows) : h("div", { class: "run-tip" }, attempt.run);
}
