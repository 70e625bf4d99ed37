// Where a value stands on an axis, and the round numbers beside it: the rules of the report's figures (figures/scales.py).

import { number } from "../format.js";

const MOST_TICKS = 5;
const MOST_LISTED = 12;

/** An axis of numbers from `low` to `high`, by themselves or by their logarithms. Places go from 0 to 1. */
export function numberScale(low, high, { log = false, whole = false } = {}) {
  const to = log ? Math.log10 : (value) => value;
  const from = log ? (value) => 10 ** value : (value) => value;
  const start = to(low);
  const span = to(high) - start || 1;
  return {
    kind: "number",
    log,
    low,
    high,
    place: (value) => (typeof value !== "number" || !Number.isFinite(value) || (log && value <= 0) ? null : (to(value) - start) / span),
    value: (share) => from(start + share * span),
    ticks: () => (log ? logTicks(low, high) : roundTicks(low, high)).filter((at) => !whole || Number.isInteger(at)).map((at) => ({ at: (to(at) - start) / span, text: tickText(at) })),
  };
}

/** Span some values; one alone stands in the middle. `margin` is the share that is left free at both ends. */
export function spanning(values, { log = false, whole = false, margin = 0 } = {}) {
  const numbers = values.filter((value) => typeof value === "number" && Number.isFinite(value));
  let [low, high] = extremes(numbers);
  const byLog = log && low > 0;
  if (low === high) [low, high] = byLog ? [low / 2, high * 2] : [low - (Math.abs(low) / 10 || 0.5), high + (Math.abs(high) / 10 || 0.5)];
  if (byLog) {
    const factor = (high / low) ** margin;
    return numberScale(low / factor, high * factor, { log: true });
  }
  const room = margin * (high - low);
  return numberScale(low - room, high + room, { whole });
}

/** Span most of some values: those far from all others are left beyond, but for `keep`; many orders `may` go by logarithms. */
export function robust(values, keep = [], { margin = 0.05, may = true } = {}) {
  const numbers = values.filter((value) => typeof value === "number" && Number.isFinite(value)).sort((a, b) => a - b);
  if (!numbers.length) return numberScale(0, 1);
  const last = numbers.length - 1;
  const [low, high] = [numbers[Math.round(0.02 * last)], numbers[Math.round(0.98 * last)]];
  if (may && low > 0 && numbers[0] > 0 && high / low > 100) return spanning([numbers[0], numbers[last]], { log: true, margin });
  const far = 8 * (high - low);
  const near = [numbers[0], numbers[last]].filter((value) => value >= low - far && value <= high + far);
  return spanning([low, high, ...near, ...keep], { margin });
}

/** How many of some values lie beyond the ends of a scale. */
export function beyond(values, { low, high }) {
  return values.filter((value) => typeof value === "number" && (value < low || value > high)).length;
}

/** An axis of listed values: each in the middle of an equal share. Values are compared as JSON. */
export function listScale(values) {
  const keys = values.map((value) => JSON.stringify(value));
  const places = new Map(keys.map((key, i) => [key, (i + 0.5) / keys.length]));
  const stride = Math.ceil(values.length / MOST_LISTED);
  return {
    kind: "list",
    log: false,
    values,
    place: (value) => (value === undefined ? null : (places.get(JSON.stringify(value)) ?? null)),
    within: (low, high) => keys.filter((_, i) => (i + 0.5) / keys.length >= low && (i + 0.5) / keys.length <= high),
    ticks: () => values.map((value, i) => ({ at: (i + 0.5) / values.length, text: typeof value === "number" ? number(value) : typeof value === "string" ? value : JSON.stringify(value) })).filter((_, i) => i % stride === 0),
  };
}

/** The scale of a parameter, for the values that occurred: `known` is the sweep's word on it, if it has one. */
export function parameterScale(known, values) {
  const given = values.filter((value) => value !== undefined);
  const distinct = new Map([...(known?.listed ?? []), ...given].map((value) => [JSON.stringify(value), value]));
  const all = [...distinct.values()];
  const numbers = all.every((value) => typeof value === "number");
  if (numbers && all.length && (!known?.listed || all.length > MOST_LISTED)) return spanning(given, { log: known?.log, whole: given.every(Number.isInteger) });
  return listScale(numbers ? all.sort((a, b) => a - b) : all);
}

function extremes(numbers) {
  let [low, high] = [Infinity, -Infinity];
  for (const value of numbers) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  return low > high ? [0, 1] : [low, high];
}

/** Multiples of 1, 2, 2.5 or 5 times a power of ten, as many as go up to five. */
export function roundTicks(low, high) {
  const raw = (high - low) / MOST_TICKS;
  if (!(raw > 0) || !Number.isFinite(raw)) return [low];
  const power = 10 ** Math.floor(Math.log10(raw));
  for (const factor of [1, 2, 2.5, 5, 10, 20]) {
    const step = factor * power;
    const first = Math.ceil(low / step - 1e-9);
    const last = Math.floor(high / step + 1e-9);
    if (last - first < MOST_TICKS) return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)));
  }
  return [low];
}

/** Powers of ten, or 1, 2 and 5 times them, or round numbers where the limits are close. */
export function logTicks(low, high) {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  if (last > first) {
    const stride = Math.ceil((last - first + 1) / MOST_TICKS);
    return Array.from({ length: Math.floor((last - first) / stride) + 1 }, (_, i) => Number(`1e${first + i * stride}`));
  }
  const steps = [];
  for (let power = first - 1; power <= last; power += 1) for (const factor of [1, 2, 5]) steps.push(Number(`${factor}e${power}`));
  const inside = steps.filter((step) => step >= low * 0.999 && step <= high * 1.001);
  return inside.length >= 2 && inside.length <= MOST_TICKS ? inside : roundTicks(low, high);
}

function tickText(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  const text = Number(value.toPrecision(6));
  return size < 1e-3 || size >= 1e6 ? text.toExponential().replace("e+", "e") : String(text);
}
