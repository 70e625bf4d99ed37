// Which runs are selected: those that pass the state, the filter's text, the best so many, and the brushes on axes.

import { chosen } from "../url_state.js";
import { bestOf } from "./run_columns.js";
import { axisValues } from "./axis_names.js";
import { passes, read } from "./filter_language.js";
import { ranked } from "./ranks.js";

/** What is drawn of runs, in the order of the chips. */
export const FATES = ["finished", "running", "stopped", "failed", "waiting"];

/**
 * Select.
 * @param {object} model - The model.
 * @returns {{filtered: object[], selected: object[], best: object|null, fault: string|null}} `filtered` is before the
 *   brushes; `fault` says what is wrong with the filter, which then holds nobody back.
 */
export function selection(model) {
  const states = chosenStates();
  let filtered = states ? model.runs.filter((run) => states.has(run.fate)) : [...model.runs];
  const { conditions, fault } = read(chosen("filter", ""), model);
  if (conditions.length) filtered = filtered.filter((run) => conditions.every((one) => passes(one, run, model)));
  filtered = foremost(filtered, chosen("top"), model.goal);
  const selected = brushed(filtered, brushes(), model);
  return { filtered, selected, fault, best: bestOf(model.runs.filter((run) => !run.prior), model.goal) };
}

/** The states that the viewer chose; null for all. */
export function chosenStates() {
  const text = chosen("state");
  const words = text ? text.split(",").filter((word) => FATES.includes(word)) : [];
  return words.length ? new Set(words) : null;
}

/** Keep the best so many (`50`, `10%`), in the order that they have. */
export function foremost(runs, top, goal) {
  const share = /^(\d+)(%?)$/.exec(top ?? "");
  if (!share) return runs;
  const order = ranked(runs, goal);
  const number = share[2] ? Math.max(1, Math.round((order.length * share[1]) / 100)) : Number(share[1]);
  const kept = new Set(order.slice(0, number));
  return runs.filter((run) => kept.has(run));
}

/** The brushes in the address: a map from an axis to `[low, high]`, or to a set of listed values as JSON. */
export function brushes() {
  try {
    return new Map(Object.entries(JSON.parse(chosen("brush") ?? "{}")));
  } catch {
    return new Map();
  }
}

function brushed(runs, chosenBrushes, model) {
  let found = runs;
  for (const [axis, wanted] of chosenBrushes) {
    const values = axisValues(axis, model);
    if (!values || !Array.isArray(wanted)) continue;
    found = found.filter((run) => within(values(run), wanted));
  }
  return found;
}

function within(value, wanted) {
  if (wanted.length === 2 && wanted.every((limit) => typeof limit === "number")) return typeof value === "number" && value >= wanted[0] && value <= wanted[1];
  return wanted.includes(value === undefined ? "–" : JSON.stringify(value));
}
