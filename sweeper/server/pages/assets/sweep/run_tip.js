// What a run is, where a pointer rests on it; and the thread from a picture to all others and to the run's page.

import { h } from "../dom.js";
import { duration, number, value } from "../format.js";

const MOST = 14;

/** An element that tells of a run; `more` are further pairs of words. */
export function runTip(run, model, more = []) {
  const metric = model.metric;
  const pairs = model.sweep.several
    ? model.sweep.objectives.map((one, i) => [one.name, number(run.values[i])])
    : metric
      ? [[metric.name, number(run.value)]]
      : [];
  const swept = model.sweep.parameters.filter((one) => one.varies && one.name in run.params);
  const params = swept.slice(0, MOST).map((one) => [one.name, value(run.params[one.name])]);
  const left = swept.length - params.length;
  const rows = [...pairs, ...more, ...params, ["duration", duration(run.duration_s)]];
  return h(
    "div",
    { class: "run-tip" },
    h("p", {}, h("b", {}, run.name || run.id), " ", h("span", { class: `state ${run.fate}` }, run.fate)),
    h("dl", {}, rows.map(([name, text]) => [h("dt", {}, name), h("dd", {}, text)])),
    left > 0 ? h("p", { class: "soft" }, `and ${left} more parameters`) : null,
    run.reason ? h("p", { class: "soft reason" }, run.reason.split("\n")[0].slice(0, 160)) : null,
  );
}

/**
 * Tie a chart to the others: what is pointed at there is pointed at here. Items of series carry their run's `id`.
 * @param {object} drawn - What `draw` gave.
 * @param {object} model - The model.
 * @param {function(): Array<[number, Map<string, number>]>} placesOf - For each series that has runs: its number, and at
 *   which place of its data each run is.
 */
export function tie(drawn, model, placesOf) {
  if (!drawn.chart) return;
  let last = [];
  drawn.chart.on("mouseover", (event) => event.data?.id && model.hover(event.data.id));
  drawn.chart.on("globalout", () => model.hover(null));
  drawn.chart.on("click", (event) => event.data?.id && model.open(event.data.id));
  model.on("hover", () => {
    for (const one of last) drawn.chart.dispatchAction({ type: "downplay", ...one });
    last = [];
    for (const [seriesIndex, places] of model.hovered ? placesOf() : []) {
      const dataIndex = places.get(model.hovered);
      if (dataIndex !== undefined) last.push({ seriesIndex, dataIndex });
    }
    for (const one of last) drawn.chart.dispatchAction({ type: "highlight", ...one });
  });
}

/** Where each run is in the data of a series. */
export function places(data) {
  return new Map(data.map((item, i) => [item.id, i]));
}
