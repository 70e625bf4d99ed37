// Media that a run logged, a step at a time: pictures are shown, everything else is there to download.

import { context, dataOf, get } from "../api.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";

const PICTURE = /\.(png|jpe?g|gif|webp|bmp|svg)$/i;

/** The address of a file of this run. */
export function fileOf(path) {
  const names = [context.entity, context.project, context.run].map(encodeURIComponent);
  return `/files/${names.join("/")}/${path.split("/").map(encodeURIComponent).join("/")}`;
}

/** A card for a key, read when it comes into view. */
export class MediaCard {
  constructor(about) {
    this.key = about.name;
    this.moments = [];
    this.at = null; // null: the latest, also of those that are still to come
    this.place = h("div", { class: "media-files" });
    this.said = h("output", { class: "soft" });
    this.slider = h("input", { type: "range", min: "0", max: "0", "aria-label": `step of ${about.name}`, disabled: true, onInput: () => this.choose(Number(this.slider.value)) });
    this.element = h("article", { class: "card chart-card media-card" }, h("header", {}, h("h3", { title: about.name }, about.name), h("span", { class: "soft small" }, about.kind)), this.place, h("div", { class: "media-steps" }, this.slider, this.said));
    this.isSeen = false;
    this.isRead = false;
  }

  seen(is) {
    this.isSeen = is;
    if (is && !this.isRead) this.load();
  }

  again() {
    if (this.isSeen) this.load();
  }

  async load() {
    try {
      const found = await get(dataOf("runs", context.run, "media"), { key: this.key });
      this.isRead = true;
      this.moments = found.moments.filter((moment) => moment.files.length);
      this.slider.max = String(Math.max(0, this.moments.length - 1));
      this.slider.disabled = this.moments.length < 2;
      this.show();
    } catch (error) {
      if (!this.moments.length) fill(this.place, h("p", { class: "error", role: "alert" }, `${error.message} `, h("button", { type: "button", onClick: () => this.load() }, "Try again")));
    }
  }

  choose(at) {
    this.at = at === this.moments.length - 1 ? null : at;
    this.show();
  }

  show() {
    const at = Math.min(this.at ?? Infinity, this.moments.length - 1);
    const moment = this.moments[at];
    if (!moment) {
      fill(this.place, h("p", { class: "empty" }, "Nothing that can be shown was logged with this key yet."));
      return;
    }
    this.slider.value = String(at);
    fill(this.said, `step ${number(moment.step, 6)} · ${at + 1} of ${this.moments.length}`);
    this.slider.setAttribute("aria-valuetext", `step ${moment.step}`);
    const words = moment.files.map((file) => `${file.path} ${file.caption}`).join("\n");
    if (words === this.shown) return;
    this.shown = words;
    fill(this.place, moment.files.map((file) => shown(file, this.key, moment.step)));
  }
}

function shown(file, key, step) {
  const address = fileOf(file.path);
  if (!PICTURE.test(file.path)) return h("p", { class: "media-file" }, h("a", { href: address, download: true }, file.path.split("/").at(-1)), file.caption ? ` ${file.caption}` : null);
  const image = h("img", { src: address, alt: file.caption || `${key} at step ${step}`, loading: "lazy", decoding: "async" });
  image.addEventListener("error", () => image.replaceWith(h("p", { class: "soft small" }, "This picture has not arrived yet.")), { once: true });
  return h("figure", {}, h("a", { href: address }, image), file.caption ? h("figcaption", {}, file.caption) : null);
}
