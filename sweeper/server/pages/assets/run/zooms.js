// Which part of which chart the viewer looks at closely, in the address: `zoom={"val/loss":[10,20]}`. A part of another axis
// would be another part, so it goes when the axis changes.

import { choose, chosen } from "../url_state.js";

/** Give a chart's part: `[from, to]`; null for the whole run. */
export function zoomOf(key) {
  const part = read()[key];
  return Array.isArray(part) && part.length === 2 && part.every(Number.isFinite) && part[0] < part[1] ? part : null;
}

/** Keep a chart's part; null for the whole run. */
export function keepZoom(key, part) {
  const { [key]: _, ...others } = read();
  const kept = part ? { ...others, [key]: part.map((one) => Number(one.toPrecision(8))) } : others;
  choose("zoom", Object.keys(kept).length ? JSON.stringify(kept) : null);
}

function read() {
  try {
    return JSON.parse(chosen("zoom", "{}")) ?? {};
  } catch {
    return {};
  }
}
