// Runs in the order of their values, the shade that each has by its place in it, and which of very many are drawn.

import { scale } from "../theme.js";

/** So many of the best are always drawn, above the rest. */
export const TOP = 10;

/**
 * Sort runs by a value (the metric's, unless another is given), the best first, of equal ones the older. Those without one
 * are left out, and those that may not lead, as a failed run may not.
 */
export function ranked(runs, goal, valueOf = (run) => run.value) {
  const sign = goal === "maximize" ? -1 : 1;
  const valued = runs.filter((run) => run.leads).map((run) => [run, valueOf(run)]);
  const finite = valued.filter(([, value]) => typeof value === "number" && Number.isFinite(value));
  return finite.sort((a, b) => sign * (a[1] - b[1]) || a[0].number - b[0].number).map(([run]) => run);
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
