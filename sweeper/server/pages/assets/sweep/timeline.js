// What ran where and when: a row for each slot, a bar for each attempt at a run, a thin line where a run waited.

import { dataOf, get } from "../api.js";
import { axis, draw, tooltip } from "../echarts.js";
import { fill, h } from "../dom.js";
import { duration, moment } from "../format.js";
import { colour } from "../theme.js";
import { whenSeen } from "./controls.js";
import { runTip, tie, places } from "./run_tip.js";
import { attemptsOf, busy, laid, waits } from "./slots.js";

const ROW = 24;
const MOST_ROWS = 40;
const LIVE_MS = 4000;
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
    chart.style.height = `${seen * ROW + 78}px`;
    drawn.chart?.resize();
    const idle = waits(bars, (id) => model.run(id)?.created_at ?? null);
    drawn.show(() => {
      const option = picture(rows, bars, idle, model);
      data = option.series[1].data;
      return option;
    });
    fill(note, sentence(rows, bars, idle));
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
  return `${bars.length} attempts on ${slots} in ${duration(last - first)}${again}. The slots were at work ${Math.round(100 * share)} % of that time.`;
}

function picture(rows, bars, idle, model) {
  const [, ...zoomY] = [null, ...(rows.length > MOST_ROWS ? [{ type: "inside", yAxisIndex: 0, startValue: 0, endValue: MOST_ROWS - 1, zoomLock: true, zoomOnMouseWheel: false, moveOnMouseWheel: true }] : [])];
  const colours = Object.fromEntries(FATES.map(([fate]) => [fate, colour(fate)]));
  const ink = colour("ink");
  const longest = Math.max(...rows.map((name) => name.length));
  return {
    grid: { left: Math.min(150, 16 + 6.6 * longest), right: 16, top: 6, bottom: 70 },
    xAxis: { ...axis("time", "", { splitNumber: 5, scale: true }) },
    yAxis: axis("category", "", { data: rows, inverse: true, axisLabel: { color: colour("soft"), width: 130, overflow: "truncate", interval: 0 }, splitLine: { show: false }, axisTick: { show: false } }),
    dataZoom: [{ type: "inside", xAxisIndex: 0, filterMode: "weakFilter", zoomOnMouseWheel: "ctrl" }, { type: "slider", xAxisIndex: 0, filterMode: "weakFilter", height: 18, bottom: 12, borderColor: colour("line"), fillerColor: colour("wash"), showDataShadow: false, brushSelect: false, labelFormatter: "", textStyle: { color: colour("soft") }, handleStyle: { color: colour("card"), borderColor: colour("soft") } }, ...zoomY],
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
