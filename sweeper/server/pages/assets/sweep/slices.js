// Slices: the metric over one parameter, a small picture for each parameter in which the runs differ.

import { draw, axis, tooltip } from "../echarts.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { colour } from "../theme.js";
import { select, whenSeen } from "./controls.js";
import { parameterAxis } from "./parameter_axis.js";
import { differing } from "./parameters.js";
import { ranked, shades, spread, TOP } from "./ranks.js";
import { places, runTip, tie } from "./run_tip.js";
import { beyond, robust } from "./scales.js";
import { byWeight, weights } from "./weights.js";

const MOST_RUNS = 2000;
const MOST_SLICES = 24;
const NARROWEST = 270;
const ROW = 230;
const LEFT = 48;
const GAP = 18;
const TOP_SPACE = 22;

export function mount(element, model) {
  const note = h("p", { class: "soft" });
  const place = h("div", { class: "slices" });
  const objectives = model.sweep.objectives.map((one, i) => [String(i), one.name]);
  const objective = select("Metric", "slice", objectives.length ? objectives : [["0", ""]], () => show());
  objective.show(objectives.length > 1);
  fill(element, h("div", { class: "bar" }, objective.element), place, note);
  const drawn = draw(place, "The metric over each parameter");
  let data = [];
  tie(drawn, model, () => data.map((items, i) => [i, places(items)]));
  let order = [];

  function show() {
    const which = Number(objective.value) || 0;
    const one = model.sweep.objectives[which];
    const valueOf = model.sweep.several ? (run) => run.values[which] : (run) => run.value;
    const all = one ? ranked(model.selected, one.goal, valueOf) : [];
    const parameters = byWeight(differing(model, all), order).slice(0, MOST_SLICES);
    if (!one || !all.length || !parameters.length) {
      place.hidden = true;
      fill(note, h("span", { class: "empty" }, nothing(one, all)));
      return;
    }
    place.hidden = false;
    const cut = spread(all, MOST_RUNS);
    const y = robust(all.map(valueOf), [valueOf(all[0])]);
    const columns = Math.max(1, Math.floor((element.clientWidth || 800) / NARROWEST));
    place.style.height = `${Math.ceil(parameters.length / Math.min(columns, parameters.length)) * ROW}px`;
    drawn.chart?.resize();
    drawn.show(() => {
      const option = picture(parameters, cut.shown, { all, y, valueOf, goal: one.goal, name: one.name, model, columns: Math.min(columns, parameters.length), width: place.clientWidth });
      data = option.series.map((series) => series.data);
      return option;
    });
    const out = beyond(all.map(valueOf), y);
    fill(note, [cut.note, out ? `${out} values lie beyond the picture.` : ""].filter(Boolean).join(" "));
  }

  function nothing(one, all) {
    if (!one) return "This sweep has no metric to draw over its parameters.";
    if (!all.length) return model.selected.length ? `No selected run has a value of ${one.name} yet.` : "No run is selected: take back a filter.";
    return "The selected runs do not differ in any parameter.";
  }

  const soon = whenSeen(element, show);
  model.on("selection", soon);
  new ResizeObserver(soon).observe(element);
  weights(model).then((names) => {
    order = names;
    show();
  });
}

function picture(parameters, runs, { all, y, valueOf, goal, name, model, columns, width }) {
  const colourOf = shades(all, colour("soft"));
  const option = { grid: [], xAxis: [], yAxis: [], series: [], tooltip: tooltip((item) => runTip(item.data.run, model)) };
  const drawn = [...runs].reverse(); // the best last, above the others
  parameters.forEach((parameter, i) => {
    const [column, row] = [i % columns, Math.floor(i / columns)];
    const share = (width - LEFT) / columns;
    option.grid.push({ left: LEFT + column * share, top: row * ROW + TOP_SPACE, width: share - GAP, height: ROW - 68, outerBoundsMode: "none" });
    const along = parameterAxis(parameter, runs);
    option.xAxis.push({ ...along.option({ nameGap: 24 }), gridIndex: i });
    option.yAxis.push({ ...axis(y.log ? "log" : "value", "", { min: y.low, max: y.high, axisLabel: { color: colour("soft"), show: column === 0, showMinLabel: false, showMaxLabel: false, formatter: (one) => number(one, 3) } }), gridIndex: i });
    const jitter = along.listed ? 0.22 : 0;
    option.series.push({
      type: "scatter",
      xAxisIndex: i,
      yAxisIndex: i,
      clip: true,
      z: 3,
      emphasis: { scale: 2, itemStyle: { borderColor: colour("ink"), borderWidth: 2 } },
      data: drawn.flatMap((run) => {
        const at = along.place(run);
        if (at === null) return [];
        const best = all.length > TOP && drawn.length - drawn.indexOf(run) <= 1;
        return [{ id: run.id, run, value: [at + jitter * noise(run.number), valueOf(run)], symbolSize: best ? 11 : drawn.length > 500 ? 4 : 6, itemStyle: { color: colourOf(run.id), opacity: drawn.length > 500 ? 0.6 : 0.85, borderColor: best ? colour("ink") : colour("card"), borderWidth: best ? 1.5 : 0.5 } }];
      }),
    });
  });
  option.title = { text: `${name} ${goal === "maximize" ? "↑" : "↓"}${y.log ? " (log)" : ""}`, left: 0, top: 0, padding: [2, 0], textStyle: { fontSize: 12, fontWeight: "normal", color: colour("soft") } };
  return option;
}

/** The same place beside its value for a run, whenever it is drawn; from -1 to 1. */
function noise(seed) {
  const wave = Math.sin(seed * 12.9898) * 43758.5453;
  return 2 * (wave - Math.floor(wave)) - 1;
}
