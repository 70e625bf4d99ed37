// A table that a run logged: its first rows, and the file with all of them.

import { context, dataOf, get } from "../api.js";
import { fill, h } from "../dom.js";
import { number, value } from "../format.js";
import { fileOf } from "./media.js";

/** A table of columns and rows, as text; numbers to the right, and pictures where their file is known. */
export function tableOf(columns, rows, label, pictures = []) {
  const drawn = new Map(pictures.map((one) => [`${one.row} ${one.column}`, one.url]));
  const shown = (row, at, i) => (drawn.has(`${at} ${i}`) ? h("a", { href: drawn.get(`${at} ${i}`) }, h("img", { src: drawn.get(`${at} ${i}`), loading: "lazy", alt: `${columns[i]}, row ${at + 1}` })) : row[i] === null ? "" : value(row[i]));
  const isNumber = columns.map((_, i) => rows.some((row) => typeof row[i] === "number") && rows.every((row) => row[i] === null || row[i] === undefined || typeof row[i] === "number"));
  const side = (i) => (isNumber[i] ? "number" : "words");
  return h(
    "div",
    { class: "logged-table", tabindex: "0", role: "region", "aria-label": label },
    h("table", {}, h("thead", {}, h("tr", {}, columns.map((name, i) => h("th", { scope: "col", class: side(i) }, name)))), h("tbody", {}, rows.map((row, at) => h("tr", {}, columns.map((_, i) => h("td", { class: side(i) }, shown(row, at, i))))))),
  );
}

/** A card for a key, read when it comes into view. */
export class TableCard {
  constructor(key) {
    this.key = key;
    this.place = h("div", { class: "table-place" });
    this.foot = h("p", { class: "soft small" });
    this.steps = h("select", { "aria-label": `step of ${key}`, hidden: true, onChange: () => this.load() });
    this.element = h("article", { class: "card chart-card wide-card" }, h("header", {}, h("h3", { title: key }, key), this.steps), this.place, this.foot);
    this.isSeen = false;
    this.isRead = false;
  }

  seen(is) {
    this.isSeen = is;
    if (is && !this.isRead) this.load();
  }

  again() {
    if (this.isSeen && (!this.steps.value || this.steps.selectedIndex === this.steps.options.length - 1)) this.load(null);
  }

  async load(at = this.steps.value || null) {
    try {
      const found = await get(dataOf("runs", context.run, "tables"), { key: this.key, at });
      this.isRead = true;
      const chosen = at ?? String(found.steps.at(-1));
      fill(this.steps, found.steps.map((step) => h("option", { value: step, selected: String(step) === chosen }, `step ${number(step, 6)}`)));
      this.steps.hidden = found.steps.length < 2;
      if (found.path === this.shown) return;
      this.shown = found.path;
      fill(this.place, found.rows.length ? tableOf(found.columns, found.rows, `table ${this.key}`, found.pictures) : h("p", { class: "empty" }, `A table of the columns ${found.columns.join(", ")}, without a row.`));
      const count = found.total > found.rows.length ? `The first ${found.rows.length} of ${found.total} rows. ` : `${found.total} ${found.total === 1 ? "row" : "rows"}. `;
      fill(this.foot, count, h("a", { href: fileOf(found.path), download: true }, "Download"));
    } catch (error) {
      if (!this.shown) fill(this.place, h("p", { class: error.status === 404 ? "empty" : "error" }, `${error.message} `, h("button", { type: "button", onClick: () => this.load(null) }, "Try again")));
    }
  }
}
