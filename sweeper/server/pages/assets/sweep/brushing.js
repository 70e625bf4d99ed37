// Brushes on axes, drawn with a pointer: drag along an axis to select, within a brush to move it; a click on the axis
// takes it away, a double click takes all away.

import { number } from "../format.js";
import { choose } from "../url_state.js";
import { axisTitle } from "./axis_names.js";
import { axisAt, extent, shareAt } from "./parallel_lines.js";

const NEAR_PX = 14;
const LEAST = 0.012;
const LIVE_RUNS = 3000;
const DIGITS = 5;
/** A limit that is none: what lies beyond the end of an axis is drawn at its end. */
export const BEYOND = 1e300;

/** What a brush selects, in words. */
export function brushText(axis, wanted, model) {
  const title = axisTitle(axis, model);
  if (!wanted.every((one) => typeof one === "number")) return `${title} ${wanted.map((one) => one.replace(/^"|"$/g, "")).join(", ")}`;
  const [low, high] = wanted;
  if (low <= -BEYOND) return `${title} up to ${number(high, 3)}`;
  return high >= BEYOND ? `${title} from ${number(low, 3)}` : `${title} ${number(low, 3)} to ${number(high, 3)}`;
}

/** What a part of an axis selects, from one share to another; null for nothing. */
export function wantedOf(scale, low, high) {
  if (scale.kind === "list") {
    const found = scale.within(low, high);
    return found.length ? found : null;
  }
  const at = (share) => Number(scale.value(share).toPrecision(DIGITS));
  return [low <= 0 ? -BEYOND : at(low), high >= 1 ? BEYOND : at(high)];
}

/** Listen for brushes on a canvas of `parallel`. */
export function brushing(canvas, parallel) {
  let drag = null;
  let pending = null;

  const here = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top, width: box.width, height: box.height };
  };
  const axisNear = (event) => {
    const { x, width } = here(event);
    const { axes } = parallel.drawn;
    const place = axes.findIndex((_, i) => Math.abs(axisAt(i, axes.length, width) - x) <= NEAR_PX);
    return place >= 0 && axes[place].scale ? axes[place] : null;
  };
  const begin = (event) => {
    const axis = event.button === 0 ? axisNear(event) : null;
    if (!axis) return;
    const { y, height } = here(event);
    const share = shareAt(y, height);
    const known = parallel.wanted.get(axis.axis);
    const [low, high] = known ? extent(known, axis.scale) : [null, null];
    const inside = low !== null && share > low && share < high && high - low < 1;
    drag = { axis, from: share, moved: false, old: inside ? [low, high] : null };
    canvas.setPointerCapture(event.pointerId);
    event.preventDefault();
  };
  const spanned = (share) => {
    if (!drag.old) return [Math.min(drag.from, share), Math.max(drag.from, share)];
    const by = Math.max(-drag.old[0], Math.min(1 - drag.old[1], share - drag.from));
    return [drag.old[0] + by, drag.old[1] + by];
  };
  const move = (event) => {
    if (!drag) return;
    const { y, height } = here(event);
    const share = shareAt(y, height);
    drag.moved ||= Math.abs(share - drag.from) > LEAST;
    if (!drag.moved) return;
    const wanted = wantedOf(drag.axis.scale, ...spanned(share));
    pending = new Map(parallel.wanted);
    if (wanted) pending.set(drag.axis.axis, wanted);
    else pending.delete(drag.axis.axis);
    parallel.top.again();
    if (wanted && parallel.model.runs.length <= LIVE_RUNS) later(() => parallel.setBrush(drag?.axis.axis ?? null, wanted));
  };
  let asked = null;
  const later = (act) => {
    if (!asked) requestAnimationFrame(() => {
      const now = asked;
      asked = null;
      if (drag) now();
    });
    asked = act;
  };
  const end = () => {
    if (!drag) return;
    const { axis, moved } = drag;
    const wanted = moved ? (pending?.get(axis.axis) ?? null) : null;
    drag = null;
    pending = null;
    parallel.setBrush(axis.axis, wanted);
  };
  canvas.addEventListener("pointerdown", begin);
  canvas.addEventListener("pointermove", move);
  canvas.addEventListener("pointerup", end);
  canvas.addEventListener("pointercancel", end);
  canvas.addEventListener("dblclick", (event) => {
    if (!axisNear(event)) return;
    choose("brush", null);
    parallel.model.select();
  });
  return { busy: () => drag !== null, pending: () => pending, axisAt: axisNear };
}
