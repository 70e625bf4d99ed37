// Pieces of a line of a log as elements, in colours that can be read on this page's ground.

import { h } from "../dom.js";
import { colour, onTheme } from "../theme.js";

const WAYS = { b: "bold", d: "dim", i: "italic", u: "underline", s: "strike" };
const LEAST_CONTRAST = 5.2; // 4.5 is enough, and a line that is pointed at has a darker ground
const legible = new Map();
onTheme(() => legible.clear());

/** Make the elements of a line's pieces; `marked` is what was searched for, in lower case. */
export function spans(pieces, marked = "") {
  const text = pieces.map(([part]) => part).join("");
  const places = marked ? found(text, marked) : [];
  let begun = 0;
  return pieces.flatMap(([part, style]) => {
    const parts = split(part, begun, places).map(([words, is]) => (is ? h("mark", {}, words) : words));
    begun += part.length;
    return style ? styled(style, parts) : parts;
  });
}

/** Where some words stand in a text: pairs of first and behind last. */
function found(text, marked) {
  const lower = text.toLowerCase();
  const places = [];
  for (let at = lower.indexOf(marked); at >= 0; at = lower.indexOf(marked, at + marked.length)) places.push([at, at + marked.length]);
  return places;
}

function split(part, begun, places) {
  const cuts = [];
  let at = 0;
  for (const [first, last] of places) {
    const from = Math.max(first - begun, 0);
    const to = Math.min(last - begun, part.length);
    if (to <= from) continue;
    if (from > at) cuts.push([part.slice(at, from), false]);
    cuts.push([part.slice(from, to), true]);
    at = to;
  }
  if (at < part.length) cuts.push([part.slice(at), false]);
  return cuts;
}

function styled({ f: ink, g: ground, w: ways = "" }, parts) {
  const element = h("span", { class: [...ways].map((way) => `ansi-${WAYS[way]}`).join(" ") || null }, parts);
  const behind = ground === undefined ? "card" : ground;
  if (ground !== undefined) element.style.backgroundColor = plain(ground);
  if (ink !== undefined || ground !== undefined) element.style.color = readable(ink ?? "ink", behind);
  return element;
}

/** A colour as CSS has it: of the terminal's sixteen, of style.css, or a colour itself. */
function plain(name) {
  if (typeof name === "number") return colour(`ansi-${name}`);
  return name.startsWith("#") ? name : colour(name);
}

/** Move a colour towards black or white until it can be read on its ground. */
function readable(ink, ground) {
  const key = `${ink} ${ground}`;
  if (!legible.has(key)) {
    if (legible.size > 5000) legible.clear();
    legible.set(key, moved(levels(plain(ink)), levels(plain(ground))));
  }
  return legible.get(key);
}

function moved(ink, ground) {
  const end = contrast([255, 255, 255], ground) > contrast([0, 0, 0], ground) ? 255 : 0;
  for (let share = 0; share <= 1; share += 0.1) {
    const next = ink.map((level) => Math.round(level + (end - level) * share));
    if (contrast(next, ground) >= LEAST_CONTRAST || share > 0.95) return `rgb(${next.join(" ")})`;
  }
  return `rgb(${end} ${end} ${end})`;
}

function levels(text) {
  const digits = text.slice(1);
  const wide = digits.length < 6 ? [...digits].map((digit) => digit + digit).join("") : digits;
  return [0, 2, 4].map((at) => parseInt(wide.slice(at, at + 2), 16));
}

/** WCAG's contrast of two colours, from 1 to 21. */
function contrast(one, other) {
  const [high, low] = [luminance(one), luminance(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
}

function luminance(rgb) {
  const [red, green, blue] = rgb.map((level) => {
    const share = level / 255;
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
