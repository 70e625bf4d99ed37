// The lines of the parallel coordinates, on a canvas: what is selected in the colours of its values, the rest faint.

import { colour, scale } from "../theme.js";
import { fitted, FONT } from "./canvas.js";
import { ranked } from "./ranks.js";

export const ROOM = { top: 14, bottom: 34, side: 60 };
const NONE_BELOW = 18;
const SHADES = 8;
const SPREAD = 0.07;

/** Where an axis stands, by its place among so many. */
export function axisAt(place, count, width) {
  return count < 2 ? width / 2 : ROOM.side + (place * (width - 2 * ROOM.side)) / (count - 1);
}

/** Where a share of an axis stands. */
export function heightAt(share, height) {
  return height - ROOM.bottom - share * (height - ROOM.top - ROOM.bottom);
}

/** The share of an axis that stands at a height. */
export function shareAt(y, height) {
  return Math.max(0, Math.min(1, (height - ROOM.bottom - y) / (height - ROOM.top - ROOM.bottom)));
}

/**
 * Lay out all lines: for each run a height on every axis, in shares, or NaN below the axis for what has none.
 * @returns {Float32Array[]} One array for each run.
 */
export function laidOut(runs, axes) {
  const lists = axes.map((one) => one.scale?.kind === "list" && runs.length > 10);
  const found = runs.map(() => new Float32Array(axes.length));
  for (const [i, { scale: s, values }] of axes.entries()) {
    for (const [j, run] of runs.entries()) {
      const share = s ? s.place(values(run)) : null;
      found[j][i] = share === null ? NaN : Math.max(-0.02, Math.min(1.02, share)) + (lists[i] ? jitter(j, i) : 0);
    }
  }
  return found;
}

/** Where lines through one listed value lie apart: the same for the same run each time. In shares of an axis. */
function jitter(run, axis) {
  const mixed = Math.imul((run + 1) * 2654435761 + axis * 40503, 1540483477) >>> 8;
  return ((mixed % 1000) / 1000 - 0.5) * SPREAD;
}

/**
 * The step of the colour scale of each run: by rank, so that one that is far off moves no other.
 * @param {object[]} runs - Those that have colours.
 * @param {function(object): number|null} values - What they are coloured by.
 * @param {boolean} lowIsGood - Whether low values are the good end.
 */
export function shadesOf(runs, values, lowIsGood) {
  const known = runs.filter((run) => typeof values(run) === "number");
  const order = [...known].sort((a, b) => (lowIsGood ? values(b) - values(a) : values(a) - values(b)));
  const last = Math.max(1, order.length - 1);
  return new Map(order.map((run, rank) => [run.id, Math.min(SHADES - 1, Math.floor((SHADES * rank) / last))]));
}

/** Draw: first those that are not selected, then the worse, then the better, then the one that is pointed at. */
export function paintLines(pen, width, height, { runs, places, axes, selected, shades, hovered }) {
  const xs = axes.map((_, i) => axisAt(i, axes.length, width));
  const trace = (points) => {
    for (const [i, share] of points.entries()) {
      const y = Number.isNaN(share) ? height - ROOM.bottom + NONE_BELOW : heightAt(share, height);
      if (i) pen.lineTo(xs[i], y);
      else pen.moveTo(xs[i], y);
    }
  };
  pen.lineJoin = "round";
  const groups = Array.from({ length: SHADES + 2 }, () => []);
  for (const [j, run] of runs.entries()) groups[selected.has(run.id) ? (shades.get(run.id) ?? -1) + 2 : 0].push(j);
  const many = Math.max(1, selected.size);
  const strength = Math.max(0.12, Math.min(0.85, 60 / many + 0.1));
  const styles = [
    { colour: colour("line"), alpha: 0.6, width: 1 },
    { colour: colour("soft"), alpha: strength * 0.5, width: 1 },
    ...scale().map((one, i) => ({ colour: one, alpha: Math.min(1, strength * (0.6 + i * 0.12)), width: many > 400 ? 1 : 1.4 })),
  ];
  for (const [step, places_] of groups.entries()) {
    pen.strokeStyle = styles[step].colour;
    pen.globalAlpha = styles[step].alpha;
    pen.lineWidth = styles[step].width;
    for (const j of places_) {
      pen.beginPath();
      trace(places[j]);
      pen.stroke();
    }
  }
  pen.globalAlpha = 1;
  const place = hovered ? runs.findIndex((run) => run.id === hovered) : -1;
  if (place >= 0) outlined(pen, () => trace(places[place]));
}

function outlined(pen, trace) {
  for (const [style, width] of [[colour("card"), 6], [colour("ink"), 2.5]]) {
    pen.strokeStyle = style;
    pen.lineWidth = width;
    pen.beginPath();
    trace();
    pen.stroke();
  }
}

/** Draw the axes over the lines: a thousand of them would hide what is written. */
export function paintAxes(pen, width, height, axes, places, wanted) {
  const gap = axes.length > 1 ? axisAt(1, axes.length, width) - axisAt(0, axes.length, width) : width / 2;
  for (const [i, { axis, scale: s }] of axes.entries()) {
    const x = Math.round(axisAt(i, axes.length, width)) + 0.5;
    pen.strokeStyle = colour("soft");
    pen.lineWidth = 1;
    pen.beginPath();
    pen.moveTo(x, ROOM.top);
    pen.lineTo(x, height - ROOM.bottom);
    pen.stroke();
    if (!s) continue;
    if (places.some((shares) => Number.isNaN(shares[i]))) {
      pen.font = `11px ${FONT}`;
      pen.fillStyle = colour("soft");
      pen.textAlign = "center";
      pen.textBaseline = "top";
      pen.fillText("none", x, height - ROOM.bottom + NONE_BELOW + 2);
    }
    ticks(pen, x, height, s, i === axes.length - 1 ? ROOM.side - 10 : gap - 16);
    if (wanted.has(axis)) brush(pen, x, height, wanted.get(axis), s);
  }
}

function ticks(pen, x, height, s, room) {
  pen.font = `11px ${FONT}`;
  pen.textBaseline = "middle";
  pen.textAlign = "left";
  for (const tick of s.ticks()) {
    const y = heightAt(tick.at, height);
    const text = fitted(pen, tick.text, Math.max(24, room));
    const { width } = pen.measureText(text);
    pen.fillStyle = colour("card");
    pen.globalAlpha = 0.82;
    pen.fillRect(x + 4, y - 7, width + 4, 14);
    pen.globalAlpha = 1;
    pen.fillStyle = colour("ink");
    pen.fillText(text, x + 6, y);
    pen.fillRect(x - 3, Math.round(y), 6, 1);
  }
}

function brush(pen, x, height, wanted, s) {
  const [low, high] = extent(wanted, s);
  if (low === null) return;
  const [top, bottom] = [heightAt(high, height), heightAt(low, height)];
  pen.fillStyle = colour("hue");
  pen.globalAlpha = 0.22;
  pen.fillRect(x - 8, top, 16, Math.max(3, bottom - top));
  pen.globalAlpha = 1;
  pen.strokeStyle = colour("hue");
  pen.lineWidth = 1.5;
  pen.strokeRect(x - 8, top, 16, Math.max(3, bottom - top));
}

/** The shares of an axis that a brush spans. */
export function extent(wanted, s) {
  const clip = (share) => (share === null ? null : Math.max(0, Math.min(1, share)));
  if (s.kind === "number") return wanted.every((one) => typeof one === "number") ? [clip(s.place(wanted[0]) ?? 0), clip(s.place(wanted[1]) ?? 1)] : [null, null];
  const half = 0.5 / Math.max(1, s.values.length);
  const shares = s.values.map((value) => (wanted.includes(JSON.stringify(value)) ? s.place(value) : null)).filter((share) => share !== null);
  return shares.length ? [Math.min(...shares) - half, Math.max(...shares) + half] : [null, null];
}

/** The run whose line is nearest to a point, within some pixels; null if none is. */
export function lineAt(x, y, width, height, { runs, places, axes, selected }, within = 8) {
  if (axes.length < 2) return null;
  const gap = axisAt(1, axes.length, width) - ROOM.side;
  const left = Math.max(0, Math.min(axes.length - 2, Math.floor((x - ROOM.side) / gap)));
  const share = (x - axisAt(left, axes.length, width)) / gap;
  if (share < -0.2 || share > 1.2) return null;
  let [found, least] = [null, within];
  for (const [j, run] of runs.entries()) {
    if (!selected.has(run.id)) continue;
    const [a, b] = [places[j][left], places[j][left + 1]].map((one) => (Number.isNaN(one) ? height - ROOM.bottom + NONE_BELOW : heightAt(one, height)));
    const away = Math.abs(a + share * (b - a) - y) / Math.hypot(1, (b - a) / gap);
    if (away < least) [found, least] = [run, away];
  }
  return found;
}

/** The lines that are drawn of many: the best so many, and then others, in the order that they had. */
export function drawnOf(runs, most, goal) {
  if (!most || runs.length <= most) return runs;
  const kept = new Set([...new Set([...ranked(runs, goal), ...runs])].slice(0, most));
  return runs.filter((run) => kept.has(run));
}
