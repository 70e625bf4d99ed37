// The front: runs that no other run beats in two things at once. Of a sweep with one metric, what its best runs cost.

import { axis, draw, tooltip } from "../echarts.js";
import { fill, h } from "../dom.js";
import { duration, number, value } from "../format.js";
import { pageOf } from "../api.js";
import { colour } from "../theme.js";
import { select, whenSeen } from "./controls.js";
import { places, runTip, tie } from "./run_tip.js";
import { robust } from "./scales.js";

const MOST = 4000;
const ROWS = 50;

export function mount(element, model) {
  const chart = h("div", { class: "chart tall" });
  const note = h("p", { class: "soft" });
  const list = h("div", { class: "front-table" });
  const sides = sidesOf(model);
  const words = sides.map((side, i) => [String(i), side.name]);
  const across = select("Across", "front.x", words, () => show());
  const up = select("up", "front.y", words.length > 1 ? [words[1], words[0], ...words.slice(2)] : words, () => show());
  fill(element, h("div", { class: "bar" }, across.element, up.element), chart, note, list);
  const drawn = draw(chart, "Two values of each run, and the runs that no other run beats");
  let data = [[], []];
  tie(drawn, model, () => data.map((items, i) => [i, places(items)]));

  function show() {
    const [x, y] = [sides[Number(across.value)], sides[Number(up.value)]];
    const valued = x && y ? model.selected.filter((run) => run.leads !== false && Number.isFinite(x.of(run)) && Number.isFinite(y.of(run))) : [];
    if (!valued.length) {
      chart.hidden = true;
      fill(list);
      fill(note, h("span", { class: "empty" }, x && y ? `No selected run has both ${x.name} and ${y.name} yet.` : "This sweep has no metric."));
      return;
    }
    chart.hidden = false;
    // of a sweep with several metrics the front is that of all of them, whichever two are drawn
    const judged = model.sweep.several && x.objective && y.objective ? sides.filter((side) => side.objective) : [x, y];
    const best = frontOf(valued, judged);
    drawn.show(() => {
      const option = picture(valued.filter((_, i) => i % Math.ceil(valued.length / MOST) === 0), best, { x, y, model, stepped: judged.length === 2 });
      data = [option.series[0].data, option.series[1].data];
      return option;
    });
    fill(note, `${best.length} of ${valued.length} runs are beaten by no other: better in one, and no worse in ${judged.length > 2 ? "any" : "the other"}.${valued.length > MOST ? ` Of the others every ${Math.ceil(valued.length / MOST)}th is drawn.` : ""}`);
    fill(list, table(best, judged, model));
  }

  model.on("selection", whenSeen(element, show));
  show();
}

/** What runs can be held against each other by: the metrics, how long they took, and how much they logged. */
function sidesOf(model) {
  const metrics = model.sweep.objectives.map((one, i) => ({ name: one.name, goal: one.goal, objective: true, of: model.sweep.several ? (run) => run.values[i] : (run) => run.value, text: number }));
  const took = { name: "duration", goal: "minimize", of: (run) => (run.fate === "running" ? null : run.duration_s), text: duration };
  if (!metrics.length) return [];
  return metrics.length > 1 ? [...metrics, took] : [took, ...metrics];
}

/** The runs that no other one beats: one after the other beats all those that it leaves behind. */
export function frontOf(runs, sides) {
  const rows = runs.map((run) => ({ run, losses: sides.map((side) => (side.goal === "maximize" ? -1 : 1) * side.of(run)) }));
  rows.sort((a, b) => a.losses.map((one, i) => one - b.losses[i]).find((difference) => difference !== 0) ?? 0);
  const kept = [];
  for (const row of rows) {
    const beaten = kept.some((other) => other.losses.every((one, i) => one <= row.losses[i]) && other.losses.some((one, i) => one < row.losses[i]));
    if (!beaten) kept.push(row);
  }
  return kept.map((row) => row.run);
}

function picture(runs, best, { x, y, model, stepped }) {
  const inFront = new Set(best.map((run) => run.id));
  const item = (run) => ({ id: run.id, run, value: [x.of(run), y.of(run)] });
  const range = (side) => robust(runs.map(side.of), best.map(side.of));
  const [across, up] = [range(x), range(y)];
  const label = (side) => ({ ...axis("value", "").axisLabel, showMinLabel: false, showMaxLabel: false, formatter: (one) => side.text(one) });
  const named = (side, { log }) => `${side.name} ${side.goal === "maximize" ? "↑" : "↓"}${log ? " (log)" : ""}`;
  const line = stepped ? [...best].sort((a, b) => x.of(a) - x.of(b)) : [];
  return {
    grid: { left: 70, right: 20, top: 16, bottom: 44 },
    xAxis: axis(across.log ? "log" : "value", named(x, across), { min: Math.max(across.low, x.name === "duration" ? 0 : -Infinity), max: across.high, axisLabel: label(x) }),
    yAxis: axis(up.log ? "log" : "value", named(y, up), { nameGap: 54, min: up.low, max: up.high, axisLabel: label(y) }),
    tooltip: tooltip((one) => (one.data.run ? runTip(one.data.run, model) : "")),
    series: [
      { type: "scatter", clip: true, symbolSize: runs.length > 500 ? 4 : 6, itemStyle: { color: colour("soft"), opacity: 0.45 }, emphasis: { scale: 2, itemStyle: { color: colour("ink"), opacity: 1 } }, data: runs.filter((run) => !inFront.has(run.id)).map(item) },
      { type: "scatter", clip: true, z: 4, symbolSize: 9, itemStyle: { color: colour("hue"), borderColor: colour("card"), borderWidth: 1 }, emphasis: { scale: 1.6, itemStyle: { borderColor: colour("ink"), borderWidth: 2 } }, data: best.map(item) },
      { type: "line", silent: true, clip: true, step: x.goal === y.goal ? "end" : "start", symbol: "none", lineStyle: { color: colour("hue"), width: 1.5 }, data: line.map((run) => [x.of(run), y.of(run)]) },
    ],
  };
}

function table(best, sides, model) {
  const names = model.sweep.parameters.filter((one) => one.varies).map((one) => one.name);
  return [
    h(
      "table",
      {},
      h("caption", { class: "off-screen" }, "Runs that no other run beats"),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "run"), sides.map((side) => h("th", { scope: "col", class: "number" }, side.name)), names.map((name) => h("th", { scope: "col" }, name)))),
      h(
        "tbody",
        {},
        best.slice(0, ROWS).map((run) => h("tr", { onmouseenter: () => model.hover(run.id), onmouseleave: () => model.hover(null) }, h("th", { scope: "row" }, h("a", { href: pageOf("runs", run.id) }, run.name || run.id)), sides.map((side) => h("td", { class: "number" }, side.text(side.of(run)))), names.map((name) => h("td", {}, value(run.params[name]))))),
      ),
    ),
    best.length > ROWS ? h("p", { class: "soft" }, `and ${best.length - ROWS} more`) : null,
  ];
}
