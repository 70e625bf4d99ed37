// The metric over two parameters at once: bands of equal value, and the runs they are guessed from.

import { draw, tooltip } from "../echarts.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { colour, scale } from "../theme.js";
import { select, whenSeen } from "./controls.js";
import { bands, contourGrid } from "./contour_grid.js";
import { parameterAxis } from "./parameter_axis.js";
import { differing } from "./parameters.js";
import { ranked, spread } from "./ranks.js";
import { places, runTip, tie } from "./run_tip.js";
import { byWeight, weights } from "./weights.js";

const MOST_RUNS = 1500;
const FEWEST = 5;

export function mount(element, model) {
  const chart = h("div", { class: "chart contour" });
  const note = h("p", { class: "soft" });
  const legend = h("span", { class: "legend" });
  const across = select("Across", "contour.x", [["", ""]], () => show());
  const up = select("up", "contour.y", [["", ""]], () => show());
  fill(element, h("div", { class: "bar" }, across.element, up.element, legend), chart, note);
  const drawn = draw(chart, "The metric over two parameters");
  let data = [];
  let order = [];
  tie(drawn, model, () => [[1, places(data)]]);

  function show() {
    const metric = model.metric;
    const valueOf = model.sweep.several ? (run) => run.values[0] : (run) => run.value;
    const all = metric ? ranked(model.selected, metric.goal, valueOf) : [];
    const parameters = byWeight(differing(model, all), order);
    const names = parameters.map((one) => [one.name, one.name]);
    if (parameters.length < 2 || all.length < FEWEST) {
      chart.hidden = true;
      fill(legend);
      fill(note, h("span", { class: "empty" }, nothing(metric, all, parameters)));
      return;
    }
    chart.hidden = false;
    across.offer(names);
    up.offer([names[1], names[0], ...names.slice(2)]);
    const [x, y] = [across.value, up.value].map((name) => parameters.find((one) => one.name === name));
    const cut = spread(all, MOST_RUNS);
    drawn.show(() => {
      const option = picture(x, y, { runs: cut.shown, metric, valueOf, model });
      data = option.series[1].data;
      fill(legend, key(option.limits, metric));
      delete option.limits;
      return option;
    });
    const same = x === y ? "Choose two different parameters to see how they work together. " : "";
    fill(note, `${same}Bands are guessed from the ${all.length} runs nearby, whatever their other parameters were; where there is none, nothing is drawn. ${cut.note}`);
  }

  function nothing(metric, all, parameters) {
    if (!metric) return "This sweep has no metric to draw over its parameters.";
    if (all.length < FEWEST) return `It takes ${FEWEST} selected runs with a value of ${metric.name}: there ${all.length === 1 ? "is" : "are"} ${all.length}.`;
    return parameters.length ? `The selected runs differ in ${parameters[0].name} alone: see its slice.` : "The selected runs do not differ in any parameter.";
  }

  model.on("selection", whenSeen(element, show));
  weights(model).then((names) => {
    order = names;
    show();
  });
}

function key({ best, worst }, metric) {
  const swatches = scale().map((one) => {
    const swatch = h("span", { class: "swatch" });
    swatch.style.background = one;
    return swatch;
  });
  return [h("span", {}, metric.name), h("span", {}, number(worst, 3)), h("span", { class: "swatches", "aria-hidden": "true" }, swatches), h("span", {}, `${number(best, 3)} (best)`)];
}

function picture(x, y, { runs, metric, valueOf, model }) {
  const [across, up] = [parameterAxis(x, runs), parameterAxis(y, runs)];
  const placed = runs.filter((run) => across.unit(run) !== null && up.unit(run) !== null);
  const points = placed.map((run) => ({ x: across.unit(run), y: up.unit(run), z: valueOf(run) }));
  const grid = contourGrid(points, across, up);
  const steps = scale();
  const limits = bands(grid.values, metric.goal, steps.length);
  const edge = (axis, i, count) => (axis.listed ? i - 0.5 : axis.at(i / count));
  const cells = grid.values.flatMap((value, i) => {
    const band = limits.band(value);
    if (band === null) return [];
    const [column, row] = [i % grid.columns, Math.floor(i / grid.columns)];
    return [[edge(across, column, grid.columns), edge(up, row, grid.rows), edge(across, column + 1, grid.columns), edge(up, row + 1, grid.rows), band]];
  });
  const many = placed.length > 300;
  return {
    limits,
    grid: { left: 64, right: 16, top: 12, bottom: 44 },
    xAxis: across.option(),
    yAxis: up.option({ nameGap: 46 }),
    tooltip: tooltip((item) => (item.data.run ? runTip(item.data.run, model) : "")),
    series: [
      {
        type: "custom",
        silent: true,
        clip: true,
        tooltip: { show: false },
        data: cells,
        renderItem(_, api) {
          const [left, bottom] = api.coord([api.value(0), api.value(1)]);
          const [right, top] = api.coord([api.value(2), api.value(3)]);
          const [x0, x1, y0, y1] = [left, right, top, bottom].map(Math.round); // neighbours share an edge: no seam shows
          return { type: "rect", shape: { x: x0, y: y0, width: x1 - x0, height: y1 - y0 }, style: { fill: steps[api.value(4)], opacity: 0.85 } };
        },
        encode: { x: [0, 2], y: [1, 3] },
      },
      {
        type: "scatter",
        z: 3,
        emphasis: { scale: 2 },
        data: [...placed].reverse().map((run, i) => ({ id: run.id, run, value: [across.place(run), up.place(run)], symbolSize: i === placed.length - 1 ? 13 : many ? 5 : 7, itemStyle: { color: i === placed.length - 1 ? colour("hue") : colour("ink"), opacity: i === placed.length - 1 ? 1 : many ? 0.45 : 0.7, borderColor: colour("card"), borderWidth: 1 } })),
      },
    ],
  };
}
