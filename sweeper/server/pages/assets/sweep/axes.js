// The axes of the parallel coordinates: which there are, which are drawn and in what order, each with its scale.

import { choose, chosen } from "../url_state.js";
import { axisTitle, axisValues, FIXED_TITLES, metricOf } from "./axis_names.js";
import { variedOrTold } from "./parameters.js";
import { parameterScale, robust, spanning } from "./scales.js";

const MOST_USUAL = 9;

/** The axes that are drawn where the viewer chose none: the parameters that vary, and the metric or metrics. */
export function usualAxes(model) {
  const { sweep } = model;
  const parameters = variedOrTold(model).slice(0, MOST_USUAL);
  const metrics = sweep.several ? sweep.objectives.map((one) => `m.last.${one.name}`) : model.metric ? ["value"] : [];
  return [...parameters.map((name) => `p.${name}`), ...metrics];
}

/** The axes that the viewer chose, but for what this sweep has not; else the usual ones. */
export function chosenAxes(model) {
  const text = chosen("axes");
  const names = text ? parsed(text).filter((axis) => exists(axis, model)) : [];
  return names.length ? names : usualAxes(model);
}

function parsed(text) {
  try {
    const found = JSON.parse(text);
    return Array.isArray(found) ? found.map(String) : [];
  } catch {
    return [];
  }
}

export function chooseAxes(axes, model) {
  const usual = JSON.stringify(usualAxes(model));
  choose("axes", JSON.stringify(axes) === usual ? null : JSON.stringify(axes));
}

function exists(axis, model) {
  if (axis.startsWith("p.")) return everyParameter(model).includes(axis.slice(2));
  if (axis.startsWith("m.")) return model.metrics.includes(metricOf(axis).key) || model.sweep.objectives.some((one) => one.name === metricOf(axis).key);
  return axis === "value" ? model.metric !== null : Object.hasOwn(FIXED_TITLES, axis);
}

function everyParameter(model) {
  return [...new Set([...model.sweep.parameters.map((one) => one.name), ...variedOrTold(model)])];
}

/** All that may be an axis, in groups: `[{title, axes: [{axis, title}]}]`. */
export function axisChoices(model) {
  const named = (axis) => ({ axis, title: axisTitle(axis, model) });
  const metrics = [...new Set([...model.sweep.objectives.map((one) => one.name), ...model.metrics])];
  return [
    { title: "Parameters", axes: everyParameter(model).map((name) => named(`p.${name}`)) },
    { title: "Run", axes: [...(model.metric ? ["value"] : []), ...Object.keys(FIXED_TITLES)].map(named) },
    { title: "Logged numbers", axes: metrics.flatMap((key) => ["last", "min", "max"].map((which) => named(`m.${which}.${key}`))) },
  ];
}

/** An axis with its scale over some runs: `{axis, title, scale, values: (run) => value}`; `scale` null while it is read. */
export function axisOf(axis, model, runs) {
  const title = axisTitle(axis, model);
  const values = axisValues(axis, model);
  if (!values) return { axis, title, scale: null, values: () => null };
  const all = runs.map(values);
  if (axis.startsWith("p.")) {
    const known = model.sweep.parameters.find((one) => one.name === axis.slice(2));
    return { axis, title, scale: parameterScale(known, all), values };
  }
  const whole = ["iterations", "number"].includes(axis);
  return { axis, title, scale: whole ? spanning(all, { whole }) : robust(all, bestOf(axis, model), { margin: 0.02 }), values };
}

/** The best value is never left beyond the end of its axis. */
function bestOf(axis, model) {
  return axis === "value" && model.best ? [model.best.value] : [];
}
