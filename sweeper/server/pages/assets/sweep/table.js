// The table of the selected runs: sorted by any column, columns chosen, moved through by keys, however many there are.

import { pageOf } from "../api.js";
import { fill, h } from "../dom.js";
import { choose, chosen } from "../url_state.js";
import { columnMenu } from "./column_menu.js";
import { MOST, marks } from "./marks.js";
import { columnOf, fromAddress, toAddress, usual } from "./table_columns.js";
import { saveCsv } from "./table_csv.js";
import { sorted } from "./table_order.js";
import { virtualRows } from "./virtual_rows.js";

const ROW = 30;
const SAMPLE = 200;
const MARK_PX = 36;
/** The best run's row is bold. */
const BOLD = 1.06;
const MOST_PX = { name: 240, reason: 180 };
const NARROW = 0.7;
const narrow = window.matchMedia("(max-width: 600px)");

/** Draw the table into an element. */
export function mount(element, model) {
  const table = new RunTable(model);
  fill(element, table.bar, table.box, table.empty, table.keys, table.marks.bar);
  model.on("selection", () => table.renew());
  model.on("hover", () => table.point());
  table.renew();
}

/** How wide a digit is in the element's font, which is another one on every system. */
function digitWidth(element) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = getComputedStyle(element).font;
  return pen.measureText("0").width;
}

class RunTable {
  constructor(model) {
    this.model = model;
    this.rows = [];
    this.widths = new Map();
    this.active = null;
    this.head = h("tr");
    this.cols = h("colgroup");
    this.body = h("tbody");
    this.table = h("table", { role: "grid", class: "run-table", tabindex: 0, "aria-label": "Runs", "aria-describedby": "run-table-keys" }, this.cols, h("thead", {}, this.head), this.body);
    this.box = h("div", { class: "run-table-box" }, this.table);
    this.count = h("span", { class: "soft", role: "status" });
    this.file = h("button", { type: "button", onClick: () => this.save() }, "CSV");
    this.menu = columnMenu(model, () => this.ids(), (ids) => this.chooseColumns(ids));
    this.bar = h("div", { class: "bar run-table-bar" }, this.count, this.menu, this.file);
    this.empty = h("p", { class: "empty", hidden: true });
    this.keys = h("p", { class: "soft run-table-keys", id: "run-table-keys" }, key("↑"), key("↓"), " move, ", key("Enter"), " opens, ", key("Space"), ` marks to compare or stop, up to ${MOST}`);
    this.marks = marks(model, () => this.virtual.redraw());
    this.virtual = virtualRows(this.box, this.body, { height: ROW, row: (place) => this.row(place) });
    this.table.addEventListener("keydown", (event) => this.press(event));
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("pointerover", (event) => this.model.hover(event.target.closest("tr")?.dataset.run ?? null));
    this.body.addEventListener("pointerleave", () => this.model.hover(null));
  }

  /** The ids of the columns: those chosen, but for what this sweep has not. */
  ids() {
    const ids = fromAddress(chosen("columns")) ?? usual(this.model, narrow.matches);
    return ids.includes("name") ? ids : ["name", ...ids];
  }

  /** The column that sorts, and whether from its greatest value: by default the best first, or else the newest. */
  order() {
    const text = chosen("sort");
    const id = text?.replace(/^-/, "");
    const column = id ? columnOf(id, this.model) : null;
    if (column) return { column, down: text.startsWith("-") };
    const usualColumn = columnOf("value", this.model);
    return usualColumn ? { column: usualColumn, down: false } : { column: columnOf("number", this.model), down: true };
  }

  goalOf(column) {
    return column.id === "value" ? this.model.goal : (column.goal ?? null);
  }

  /** Draw what is selected now, with the columns and in the order that are chosen now. */
  renew() {
    const { model } = this;
    this.columns = this.ids().map((id) => columnOf(id, model)).filter(Boolean);
    const { column, down } = this.order();
    this.rows = sorted(model.selected, column, down, this.goalOf(column));
    // once for all cells: a column of anything looks at its values
    this.kinds = new Map(this.columns.map((one) => [one.id, this.alignment(one)]));
    this.places = new Map(this.rows.map((run, i) => [run.id, i]));
    if (!this.places.has(this.active)) this.forget();
    this.table.setAttribute("aria-rowcount", String(this.rows.length + 1));
    this.table.setAttribute("aria-colcount", String(this.columns.length + 1));
    this.measure();
    this.drawHead(column, down);
    this.tell();
    this.virtual.show(this.rows.length);
    this.point();
    this.marks.show();
  }

  tell() {
    const { model, rows } = this;
    fill(this.count, rows.length === model.runs.length ? `${rows.length} ${rows.length === 1 ? "run" : "runs"}` : `${rows.length} of ${model.runs.length} runs`);
    this.box.hidden = this.keys.hidden = rows.length === 0;
    this.file.disabled = rows.length === 0;
    this.empty.hidden = rows.length > 0;
    if (rows.length) return;
    fill(this.empty, model.runs.length ? "No run passes the filter above." : ["No run yet. Start some with ", h("code", {}, `sweeper launch ${model.sweep.command}`), "."]);
  }

  /** Give each column the width of its widest text among some rows; it never shrinks, so that nothing moves under a hand. */
  measure() {
    const step = Math.max(1, Math.floor(this.rows.length / SAMPLE));
    const sample = this.rows.filter((_, i) => i % step === 0);
    const letter = digitWidth(this.table) * BOLD;
    for (const column of this.columns) {
      const longest = Math.max(column.title.length + 2, ...sample.map((run) => this.textOf(column, run).length));
      const most = MOST_PX[column.id] ?? 200;
      const room = column.id === "state" ? 52 : 20;
      this.widths.set(column.id, Math.max(this.widths.get(column.id) ?? 0, Math.min(narrow.matches ? most * NARROW : most, Math.ceil(longest * letter) + room)));
    }
    const sum = this.columns.reduce((all, column) => all + this.widths.get(column.id), MARK_PX);
    this.stick();
    const last = this.columns.at(-1);
    const cols = [null, ...this.columns].map((column) => {
      const col = h("col");
      // the last one takes what is left
      if (column === null || (column !== last && column.id !== "reason")) col.style.width = `${column ? this.widths.get(column.id) : MARK_PX}px`;
      return col;
    });
    fill(this.cols, cols);
    this.table.style.minWidth = `${sum}px`;
  }

  /** Find where the columns stay that stay in sight when one scrolls to the side: all up to the run's name. */
  stick() {
    this.left = new Map();
    let left = MARK_PX;
    for (const column of this.columns) {
      this.left.set(column.id, left);
      left += this.widths.get(column.id);
      if (column.id === "name") return;
    }
  }

  stuck(cell, id) {
    if (!this.left.has(id)) return cell;
    cell.classList.add("stuck");
    cell.style.left = `${this.left.get(id)}px`;
    return cell;
  }

  drawHead(by, down) {
    const focused = this.head.contains(document.activeElement) ? document.activeElement.dataset.column : null;
    const cells = this.columns.map((column, i) => {
      const is = column.id === by.id;
      const button = h("button", { type: "button", class: "plain", dataset: { column: column.id }, title: `Sort by ${column.about}`, onClick: () => this.sortBy(column) }, h("span", {}, column.title), is ? h("span", { "aria-hidden": "true" }, this.isUp(column, down) ? " ↑" : " ↓") : null);
      const cell = h("th", { scope: "col", role: "columnheader", class: this.kinds.get(column.id), "aria-colindex": i + 2, "aria-sort": is ? (this.isUp(column, down) ? "ascending" : "descending") : "none" }, button);
      return this.stuck(cell, column.id);
    });
    const mark = h("th", { scope: "col", role: "columnheader", class: "row-mark stuck", "aria-colindex": 1 }, h("span", { class: "off-screen" }, "marked"));
    fill(this.head, mark, cells);
    if (focused) this.head.querySelector(`[data-column="${CSS.escape(focused)}"]`)?.focus();
  }

  /** Whether values grow from the top to the bottom. */
  isUp(column, down) {
    return this.goalOf(column) === "maximize" ? down : !down;
  }

  sortBy(column) {
    const now = this.order();
    choose("sort", `${now.column.id === column.id && !now.down ? "-" : ""}${column.id}`);
    this.renew();
  }

  chooseColumns(ids) {
    choose("columns", ids ? toAddress(ids) : null);
    this.renew();
  }

  textOf(column, run) {
    const value = column.get(run);
    return value === null || value === undefined ? "" : column.text(value);
  }

  alignment(column) {
    if (column.kind === "any") return this.rows.some((run) => typeof column.get(run) === "number") ? "number" : null;
    return column.kind === "text" ? null : "number";
  }

  row(place) {
    const run = this.rows[place];
    const isMarked = this.marks.has(run.id);
    const box = h("input", { type: "checkbox", tabindex: -1, "aria-label": `Mark ${run.name}` });
    box.checked = isMarked;
    const names = [run.id === this.model.best?.id ? "best" : "", run.id === this.model.hovered ? "pointed" : "", run.id === this.active ? "active" : ""];
    const cells = this.columns.map((column) => this.stuck(this.cell(column, run), column.id));
    return h("tr", { id: `row-${run.id}`, class: names.filter(Boolean).join(" ") || null, dataset: { run: run.id }, "aria-rowindex": place + 2, "aria-selected": String(isMarked) }, h("td", { role: "gridcell", class: "row-mark stuck" }, box), cells);
  }

  cell(column, run) {
    const text = this.textOf(column, run);
    const attributes = { role: "gridcell", class: this.kinds.get(column.id), title: text.length > 20 ? text : null };
    if (column.id === "name") return h("td", { ...attributes, class: "row-name" }, h("a", { href: pageOf("runs", run.id), tabindex: -1 }, text || run.id));
    if (column.id === "state") return h("td", { ...attributes, title: run.state }, h("span", { class: `state ${run.fate}` }, text));
    return h("td", attributes, text);
  }

  /** Show which run is pointed at here or in another band. */
  point() {
    for (const row of this.body.rows) row.classList.toggle("pointed", row.dataset.run !== undefined && row.dataset.run === this.model.hovered);
  }

  click(event) {
    const row = event.target.closest("tr[data-run]");
    if (!row) return;
    this.moveTo(this.places.get(row.dataset.run), false);
    if (event.target.closest(".row-mark")) this.marks.toggle(row.dataset.run);
  }

  press(event) {
    if (event.target !== this.table || event.ctrlKey || event.metaKey || event.altKey || !this.rows.length) return;
    const now = this.active === null ? -1 : this.places.get(this.active);
    const page = this.virtual.perPage();
    const to = { ArrowDown: now + 1, ArrowUp: Math.max(0, now) - 1, PageDown: now + page, PageUp: now - page, Home: 0, End: this.rows.length - 1 }[event.key];
    if (to !== undefined) this.moveTo(Math.max(0, Math.min(this.rows.length - 1, to)));
    else if (event.key === "ArrowLeft" || event.key === "ArrowRight") this.box.scrollBy({ left: event.key === "ArrowLeft" ? -80 : 80 });
    else if (event.key === "Enter" && this.active) this.model.open(this.active);
    else if (event.key === " " && this.active) this.marks.toggle(this.active);
    else return;
    event.preventDefault();
  }

  moveTo(place, reveal = true) {
    this.active = this.rows[place].id;
    if (reveal) this.virtual.reveal(place);
    for (const row of this.body.rows) row.classList.toggle("active", row.dataset.run === this.active);
    this.table.setAttribute("aria-activedescendant", `row-${this.active}`);
    this.model.hover(this.active);
  }

  forget() {
    this.active = null;
    this.table.removeAttribute("aria-activedescendant");
  }

  async save() {
    this.file.disabled = true;
    try {
      await saveCsv(this.model, this.rows.map((run) => run.id), (text) => fill(this.count, text));
    } catch (error) {
      fill(this.count, h("span", { class: "error" }, `No file was made: ${error.message}`));
    } finally {
      this.file.disabled = false;
    }
  }
}

function key(name) {
  return h("kbd", {}, name);
}
