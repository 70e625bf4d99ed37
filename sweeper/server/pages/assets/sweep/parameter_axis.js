// The axis of a parameter: listed values side by side, numbers by themselves or by their logarithms, as they were drawn.

import { axis } from "../echarts.js";
import { number, value } from "../format.js";

const MOST_LISTED = 24;
const LONGEST = 16;

const isNumber = (one) => typeof one === "number" && Number.isFinite(one);

/**
 * Lay out a parameter's values.
 * @param {object} parameter - Of `model.sweep.parameters`.
 * @param {object[]} runs - Those that are drawn.
 * @returns {{listed: boolean, count: number, log: boolean, place: function(object): (number|null), unit: function(object): (number|null), low: number, high: number, option: function(object): object}}
 *   `place` gives where a run stands on ECharts' axis, `unit` the same from 0 to 1, `option` the axis.
 */
export function parameterAxis(parameter, runs) {
  const values = runs.map((run) => run.params[parameter.name]).filter((one) => one !== undefined);
  const distinct = new Map(values.map((one) => [JSON.stringify(one), one]));
  const listed = parameter.listed ?? (values.every(isNumber) ? null : [...distinct.values()]);
  if (listed && listed.length <= MOST_LISTED) return ofList(parameter, listed);
  return ofNumbers(parameter, values.filter(isNumber));
}

function ofList(parameter, listed) {
  const places = new Map(listed.map((one, i) => [JSON.stringify(one), i]));
  const labels = listed.map((one) => {
    const text = value(one);
    return text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text;
  });
  const place = (run) => places.get(JSON.stringify(run.params[parameter.name])) ?? null;
  const label = (at) => (Number.isInteger(at) ? (labels[at] ?? "") : "");
  return {
    listed: true,
    log: false,
    count: listed.length,
    low: -0.5,
    high: listed.length - 0.5,
    place,
    unit: place,
    option: (more = {}) => axis("value", parameter.name, { min: -0.5, max: listed.length - 0.5, splitLine: { show: false }, ...more, axisLabel: { ...axis("value", "").axisLabel, ...more.axisLabel, customValues: labels.map((_, i) => i), formatter: label } }),
  };
}

function ofNumbers(parameter, numbers) {
  const bound = (pick, fallback) => (numbers.length ? numbers.reduce((a, b) => pick(a, b)) : fallback);
  const least = bound(Math.min, 0);
  const most = bound(Math.max, 1);
  const log = parameter.log && least > 0;
  const to = log ? Math.log : (one) => one;
  const from = log ? Math.exp : (one) => one;
  const margin = (to(most) - to(least) || 1) * 0.04;
  const [low, high] = [to(least) - margin, to(most) + margin];
  const place = (run) => (isNumber(run.params[parameter.name]) && (!log || run.params[parameter.name] > 0) ? run.params[parameter.name] : null);
  return {
    listed: false,
    log,
    count: 0,
    low: from(low),
    high: from(high),
    place,
    unit: (run) => (place(run) === null ? null : (to(place(run)) - low) / (high - low || 1)),
    at: (unit) => from(low + unit * (high - low)),
    option: (more = {}) => axis(log ? "log" : "value", log ? `${parameter.name} (log)` : parameter.name, { min: from(low), max: from(high), ...more, axisLabel: { ...axis("value", "").axisLabel, ...more.axisLabel, showMinLabel: false, showMaxLabel: false, formatter: (one) => number(one, 3) } }),
  };
}
