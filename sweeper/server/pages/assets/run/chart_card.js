// One chart of a run: a key over its axis, with what the viewer points at in words, and a part of it closer.

import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { curve, place } from "./uplot.js";
import { keepZoom, zoomOf } from "./zooms.js";

const AXES = { _step: "step", _runtime: "time since the start", _timestamp: "time" };

/** The name of an axis in words. */
export function axisName(axis) {
  return AXES[axis] ?? axis;
}

/**
 * @param {object} about - Of the key: `name`, `axis`, `count`, `last`, `low`, `high`.
 * @param {object} page - `look()` gives how all charts look: `axis` (null for each its own), `smooth`, `log`, `band`;
 *   `want(chart)` asks for its points.
 */
export class ChartCard {
  constructor(about, page) {
    this.key = about.name;
    this.about = about;
    this.page = page;
    this.zoom = zoomOf(about.name);
    this.points = null;
    this.plot = null;
    this.said = h("p", { class: "curve-said" });
    this.reset = h("button", { type: "button", class: "plain", hidden: !this.zoom, onClick: () => this.closer(null) }, "whole run");
    this.canvas = h("div", { class: "curve", tabindex: "0", onKeydown: (event) => this.keyed(event), onDblclick: () => this.closer(null) });
    this.element = h("article", { class: "card chart-card" }, h("header", {}, h("h3", { title: about.name }, about.name), this.reset), this.said, this.canvas);
    this.instead(null);
    this.say();
  }

  get axis() {
    return this.page.look().axis ?? this.about.axis;
  }

  width() {
    return Math.round(this.canvas.clientWidth * Math.min(window.devicePixelRatio || 1, 2)) || 400;
  }

  /** Take what is known of the key by now. */
  update(about) {
    this.about = about;
    this.say();
  }

  /** It came into view, or left it: a page of a thousand keys keeps only the curves that are seen. */
  seen(is) {
    if (!is) {
      this.instead(null);
      return;
    }
    if (this.points) this.draw();
    else this.page.want(this);
  }

  arrived(points, found) {
    this.points = points;
    this.unread = found.unread;
    this.draw();
  }

  failed(error) {
    if (this.points) return; // the curve that is there still holds; the page asks again
    this.instead(h("p", { class: "error", role: "alert" }, `${error.message} `, h("button", { type: "button", onClick: () => this.page.want(this) }, "Try again")));
  }

  draw() {
    if (!this.points?.x.length) {
      this.instead(h("p", { class: "empty" }, this.zoom ? "Nothing was logged here." : `No value has a ${axisName(this.axis)} yet.`));
      return;
    }
    const look = { ...this.page.look(), axis: this.axis, single: this.points.x.length < 40 };
    if (look.log && !this.points.y.some((value) => value > 0)) {
      this.instead(h("p", { class: "empty" }, "A logarithmic axis has no place for values that are not above 0."));
      return;
    }
    this.canvas.setAttribute("role", "img");
    this.plot ??= curve(this.canvas, { cursor: (at) => this.say(at), zoom: (from, to) => this.closer([from, to]) });
    this.plot.show(this.points, look);
    this.say();
  }

  /** Show words instead of a curve. */
  instead(words) {
    this.plot?.dispose();
    this.plot = null;
    this.canvas.setAttribute("role", "group"); // a picture has no buttons in it
    fill(this.canvas, words);
  }

  /** Look closer at a part of the axis; null for all of it. */
  closer(zoom) {
    if (!zoom && !this.zoom) return;
    this.zoom = zoom;
    this.reset.hidden = !zoom;
    keepZoom(this.key, zoom);
    this.page.want(this);
  }

  /** Say what is pointed at; otherwise what the whole run came to. */
  say(at = null) {
    const { last, low, high, count } = this.about;
    this.canvas.setAttribute("aria-label", `${this.key} over ${axisName(this.axis)}: last ${number(last)}, lowest ${number(low)}, highest ${number(high)}. Arrows point, + and - look closer, 0 shows all.`);
    if (at === null || !this.points || at >= this.points.x.length) {
      fill(this.said, h("strong", {}, number(last)), h("span", {}, `lowest ${number(low)} · highest ${number(high)} · ${count} ${count === 1 ? "value" : "values"}`));
      return;
    }
    const points = this.points;
    const many = points.low && points.low[at] !== points.high[at];
    fill(this.said, h("strong", {}, number(points.y[at])), h("span", {}, many ? `from ${number(points.low[at])} to ${number(points.high[at])} · ` : "", `${axisName(this.axis)} ${place(this.axis, points.x[at])}`));
  }

  keyed(event) {
    const x = this.points?.x;
    if (!x?.length || event.ctrlKey || event.metaKey || event.altKey) return;
    const step = event.shiftKey ? 10 : 1;
    if (event.key === "ArrowRight") this.plot?.move(step);
    else if (event.key === "ArrowLeft") this.plot?.move(-step);
    else if (event.key === "+" || event.key === "=") this.closer(half(this.zoom ?? [x[0], x.at(-1)], x[this.plot?.at ?? x.length >> 1]));
    else if (event.key === "-") this.closer(twice(this.zoom));
    else if (event.key === "0" || event.key === "Escape") this.closer(null);
    else return;
    event.preventDefault();
  }
}

function half([from, to], middle) {
  const quarter = (to - from) / 4;
  return [middle - quarter, middle + quarter];
}

function twice(zoom) {
  if (!zoom) return null;
  const more = (zoom[1] - zoom[0]) / 2;
  return [zoom[0] - more, zoom[1] + more];
}
