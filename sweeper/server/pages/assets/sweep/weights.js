// The parameters of a sweep in the order in which they mattered for its metric: other bands begin with the first.

import { dataOf, get } from "../api.js";

let asked = null;

/** A promise of the names, the most important first; empty where nothing can be told. */
export function weights(model) {
  asked ??= get(dataOf("sweeps", model.sweep.name, "importance")).then(
    (answer) => answer.rows.filter((row) => row.forest !== null).map((row) => row.name),
    () => [],
  );
  return asked;
}

/** Sort parameters by that; the others stay behind in their order. */
export function byWeight(parameters, order) {
  const places = new Map(order.map((name, i) => [name, i]));
  return [...parameters].sort((a, b) => (places.get(a.name) ?? Infinity) - (places.get(b.name) ?? Infinity) || 0);
}
