// Which metric a band is about: the sweep's own, or any that runs have logged.

import { select } from "./controls.js";

const WHICH = [
  ["last", "last value"],
  ["min", "least value"],
  ["max", "greatest value"],
];
const GOALS = [
  ["minimize", "less is better"],
  ["maximize", "more is better"],
];

/**
 * Controls for a metric.
 * @param {object} model - The model.
 * @param {string} key - Begins their names in the address.
 * @param {function()} changed - Hears of a choice.
 */
export function metricChoice(model, key, changed) {
  const own = () => model.sweep.objectives.map((one) => one.name);
  const names = () => [...own(), ...model.metrics.filter((one) => !own().includes(one))].map((one) => [one, one]);
  const metric = select("Metric", `${key}.metric`, names(), changed);
  const which = select("of each run its", `${key}.which`, WHICH, changed);
  const goal = select("and", `${key}.goal`, GOALS, changed);
  const isOwn = () => own().includes(metric.value);
  const control = {
    elements: [metric.element, which.element, goal.element],
    /** As the server is asked: the sweep's own metric by its goal. */
    get asked() {
      if (isOwn()) return { metric: metric.value };
      return { metric: metric.value || null, which: which.value, goal: goal.value };
    },
    refresh() {
      metric.offer(names());
      which.show(!isOwn());
      goal.show(!isOwn());
    },
  };
  control.refresh();
  return control;
}
