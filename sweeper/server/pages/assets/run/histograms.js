// Histograms over steps: a picture for each layer, a column for each moment, brighter where more of its values lie.

import { context, dataOf, get } from "../api.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { onTheme, scale } from "../theme.js";

const AT_ONCE = 100; // as many as the server reads at once: layers of one step lie in one row
const TOGETHER_MS = 30;

/** Pictures of some keys, brought when they come into view. */
export function histograms(keys, seen) {
  const waiting = new Set();
  let timer = 0;

  async function load() {
    const all = [...waiting];
    waiting.clear();
    for (let i = 0; i < all.length; i += AT_ONCE) {
      const part = all.slice(i, i + AT_ONCE);
      try {
        const words = new URLSearchParams(part.map((card) => ["key", card.key]));
        const found = await get(`${dataOf("runs", context.run, "histograms")}?${words}`);
        for (const card of part) card.arrived(found.layers[card.key] ?? null, found.rows);
      } catch (error) {
        for (const card of part) card.failed(error);
      }
    }
  }

  const want = (card) => {
    waiting.add(card);
    clearTimeout(timer);
    timer = setTimeout(load, TOGETHER_MS);
  };
  return keys.map((key) => {
    const card = new LayerCard(key, want);
    seen(card.element, card);
    return card;
  });
}

class LayerCard {
  constructor(key, want) {
    this.key = key;
    this.want = want;
    this.picture = null;
    this.isSeen = false;
    this.said = h("p", { class: "curve-said" });
    this.canvas = h("canvas", { class: "layer-picture", role: "img", tabindex: "0", "aria-label": key, onMousemove: (event) => this.point(event.offsetX / this.canvas.clientWidth, 1 - event.offsetY / this.canvas.clientHeight), onMouseleave: () => this.say(), onKeydown: (event) => this.keyed(event) });
    this.high = h("span", {});
    this.low = h("span", {});
    this.first = h("span", {});
    this.last = h("span", {});
    this.note = h("p", { class: "layer-note empty" });
    this.element = h("article", { class: "card chart-card" }, h("header", {}, h("h3", { title: key }, key)), this.said, h("div", { class: "layer heatmap" }, h("div", { class: "layer-values" }, this.high, this.low), this.canvas, h("div", { class: "layer-steps" }, this.first, h("span", {}, "step"), this.last), this.note));
    onTheme(() => this.draw());
  }

  seen(is) {
    this.isSeen = is;
    if (is && !this.picture) this.want(this);
    else if (is) this.draw();
  }

  /** Of a run that goes on. */
  again() {
    if (this.isSeen) this.want(this);
  }

  arrived(picture, rows) {
    fill(this.note, picture ? null : "No histogram of this key can be read.");
    if (!picture) return;
    this.picture = { ...picture, rows, shares: Uint8Array.from(atob(picture.shares), (letter) => letter.charCodeAt(0)) };
    this.draw();
    this.say();
  }

  failed(error) {
    if (!this.picture) fill(this.note, `${error.message} `, h("button", { type: "button", onClick: () => this.want(this) }, "Try again"));
  }

  draw() {
    if (!this.picture) return;
    const { steps, rows, shares, low, high } = this.picture;
    const colours = ramp();
    const image = new ImageData(steps.length, rows);
    const pixels = new Uint32Array(image.data.buffer);
    for (let column = 0; column < steps.length; column += 1) {
      for (let row = 0; row < rows; row += 1) pixels[(rows - 1 - row) * steps.length + column] = colours[shares[column * rows + row]];
    }
    const small = new OffscreenCanvas(steps.length, rows);
    small.getContext("2d").putImageData(image, 0, 0);
    this.canvas.width = Math.round(this.canvas.clientWidth * devicePixelRatio) || 400;
    this.canvas.height = Math.round(this.canvas.clientHeight * devicePixelRatio) || 120;
    const place = this.canvas.getContext("2d");
    place.imageSmoothingEnabled = false;
    const at = this.places();
    if (at.every((left, column) => Math.abs(left - column / steps.length) < 0.002)) place.drawImage(small, 0, 0, this.canvas.width, this.canvas.height);
    else for (let column = 0; column < steps.length; column += 1) {
      const left = Math.round(at[column] * this.canvas.width);
      place.drawImage(small, column, 0, 1, rows, left, 0, Math.round(at[column + 1] * this.canvas.width) - left, this.canvas.height);
    }
    fill(this.high, number(high));
    fill(this.low, number(low));
    fill(this.first, number(steps[0], 6));
    fill(this.last, number(steps.at(-1), 6));
  }

  /** Where each column begins, as a share of the width: the picture's steps lie as far apart as the run's. */
  places() {
    const { steps } = this.picture;
    const first = steps[0];
    const whole = steps.at(-1) - first;
    if (!whole) return steps.map((_, i) => i / steps.length).concat(1);
    const share = (steps.length - 1) / steps.length;
    return steps.map((step) => ((step - first) / whole) * share).concat(1);
  }

  point(x, y) {
    if (!this.picture) return;
    const at = this.places();
    const column = Math.max(0, at.findLastIndex((left) => left <= x));
    this.column = Math.min(column, this.picture.steps.length - 1);
    const { rows, low, high, steps } = this.picture;
    const row = Math.max(0, Math.min(rows - 1, Math.floor(y * rows)));
    const edge = (i) => low + ((high - low) * i) / rows;
    const bright = this.picture.shares[this.column * rows + row];
    fill(this.said, h("span", {}, `step ${number(steps[this.column], 6)}: ${bright ? "" : "none "}from ${number(edge(row))} to ${number(edge(row + 1))}`));
  }

  /** Say where most values lie at the end, which is what one looks for. */
  say(column = this.picture?.steps.length - 1) {
    if (!this.picture) return;
    const { rows, shares, low, high, steps } = this.picture;
    const part = shares.subarray(column * rows, (column + 1) * rows);
    const filled = [...part.keys()].filter((row) => part[row]);
    const edge = (i) => low + ((high - low) * i) / rows;
    const words = filled.length ? `step ${number(steps[column], 6)}: from ${number(edge(filled[0]))} to ${number(edge(filled.at(-1) + 1))}` : `step ${number(steps[column], 6)}: no values`;
    fill(this.said, h("span", {}, words));
    this.canvas.setAttribute("aria-label", `${this.key}, histograms of ${steps.length} steps. At ${words}. Arrows go through the steps.`);
  }

  keyed(event) {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by || !this.picture) return;
    event.preventDefault();
    this.column = Math.max(0, Math.min(this.picture.steps.length - 1, (this.column ?? -1) + by));
    this.say(this.column);
  }
}

let ramps = null;
onTheme(() => {
  ramps = null;
});

/** A colour for each share, from nothing to the most, as the bytes of a pixel; the same for all pictures. */
function ramp() {
  if (ramps) return ramps;
  const stops = scale().map(parts);
  const bytes = Uint8ClampedArray.from({ length: 1024 }, (_, i) => {
    const level = i >> 2;
    if (!level) return 0;
    if (i % 4 === 3) return 255;
    const at = ((level - 1) / 254) * (stops.length - 1);
    const [low, high] = [stops[Math.floor(at)][i % 4], stops[Math.min(Math.ceil(at), stops.length - 1)][i % 4]];
    return low + (high - low) * (at % 1);
  });
  ramps = new Uint32Array(bytes.buffer);
  return ramps;
}

function parts(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16));
}
