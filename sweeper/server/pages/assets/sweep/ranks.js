// Runs in the order of their values, the shade that each has by its place in it, and which of very many are drawn.

import { scale } from "../theme.js";

/** So many of the best are always drawn, above the rest. */
export const TOP = 10;

/** Sort runs by a value (the metric's, unless another is given), the best first; those without one are left out. */
export function ranked(runs, goal, valueOf = (run) => run.value) {
  const sign = goal === "maximize" ? -1 : 1;
  const valued = runs.map((run) => [run, valueOf(run)]).filter(([, value]) => typeof value === "number" && Number.isFinite(value));
  return valued.sort((a, b) => sign * (a[1] - b[1])).map(([run]) => run);
}

/** Give a function from a run's id to its colour, by its rank: one that is far off moves no other. */
export function shades(order, none) {
  const steps = scale();
  const last = Math.max(1, order.length - 1);
  const places = new Map(order.map((run, rank) => [run.id, Math.min(steps.length - 1, Math.floor(steps.length * (1 - rank / last)))]));
  return (id) => (places.has(id) ? steps[places.get(id)] : none);
}

/** Keep the best ten, and others from all ranks alike, `most` in all; and say so where that leaves out some. */
export function spread(order, most, what = "runs") {
  if (order.length <= most) return { shown: order, note: "" };
  const rest = order.slice(TOP);
  const room = most - TOP;
  const chosen = Array.from({ length: room }, (_, i) => rest[Math.floor((i * rest.length) / room)]);
  return { shown: [...order.slice(0, TOP), ...chosen], note: `${most} of ${order.length} ${what}: the best ${TOP}, and others from all ranks.` };
}

/** Where most of some numbers lie: what is many times their spread away does not flatten the rest. Null for none. */
export function robust(numbers, keep = []) {
  const sorted = Float64Array.from(numbers.filter(Number.isFinite)).sort();
  if (!sorted.length) return null;
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))];
  const far = 4 * (at(0.75) - at(0.25)) || Infinity;
  const low = Math.min(Math.max(sorted[0], at(0.25) - far), ...keep);
  const high = Math.max(Math.min(sorted.at(-1), at(0.75) + far), ...keep);
  const margin = (high - low || Math.abs(high) || 1) * 0.04;
  return { low: low - margin, high: high + margin, beyond: sorted.filter((one) => one < low || one > high).length };
}
