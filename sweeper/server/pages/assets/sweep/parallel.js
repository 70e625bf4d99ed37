// Parallel coordinates: an axis for each parameter that varies and for any logged number, a line for each run. A brush on
// an axis selects runs for all pictures of the page.

import { fill, h } from "../dom.js";
import { choose, chosen } from "../url_state.js";
import { axisValues } from "./axis_names.js";
import { axisChoices, axisOf, chooseAxes, chosenAxes } from "./axes.js";
import { axisHeads } from "./axis_heads.js";
import { brushing, brushText } from "./brushing.js";
import { canvasIn } from "./canvas.js";
import { drawnOf, laidOut, lineAt, paintAxes, paintLines, shadesOf } from "./parallel_lines.js";
import { hideRun, showRun } from "./run_hint.js";
import { brushes } from "./selection.js";

const USUAL_LINES = 1000;
const MANY_RUNS = 3000;
const AXIS_PX = 96;

export function mount(element, model) {
  const parallel = new Parallel(model);
  fill(element, parallel.head, parallel.scroller, parallel.empty);
  model.on("selection", () => parallel.renew());
  model.on("hover", () => parallel.top.again());
  parallel.renew();
}

class Parallel {
  constructor(model) {
    this.model = model;
    this.drawn = { runs: [], places: [], axes: [], selected: new Set(), shades: new Map(), hovered: null };
    this.wanted = new Map();
    this.heads = h("div", { class: "axis-heads" });
    this.place = h("div", { class: "parallel-place" });
    this.inner = h("div", { class: "parallel-inner" }, this.heads, this.place);
    this.scroller = h("div", { class: "parallel-scroller" }, this.inner);
    this.empty = h("p", { class: "empty", hidden: true });
    this.base = canvasIn(this.place, (pen, width, height) => paintLines(pen, width, height, { ...this.drawn, hovered: null }), { hidden: true });
    this.top = canvasIn(this.place, (pen, width, height) => this.paintTop(pen, width, height));
    this.head = this.makeHead();
    this.brushing = brushing(this.top.canvas, this);
    this.listen();
  }

  makeHead() {
    this.colours = h("select", { "aria-label": "Colour of the lines", onchange: (event) => this.chose("colour", event.target.value) });
    this.lines = h("select", { "aria-label": "How many lines", onchange: (event) => this.chose("lines", event.target.value) });
    this.legend = h("span", { class: "shades", "aria-hidden": "true" }, h("span", {}), h("i", {}), h("span", {}));
    this.menu = h("details", { class: "axis-menu" }, h("summary", { class: "button" }, "Axes"), h("div", { class: "axis-list" }));
    this.menu.addEventListener("toggle", () => this.menu.open && this.fillMenu());
    this.menu.addEventListener("keydown", (event) => event.key === "Escape" && this.closeMenu());
    document.addEventListener("pointerdown", (event) => !this.menu.contains(event.target) && this.menu.removeAttribute("open"));
    const tools = h("div", { class: "bar" }, h("label", {}, "colour ", this.colours), this.legend, this.lines, this.menu);
    return h("div", { class: "card-head" }, h("h2", {}, "Parallel coordinates"), tools);
  }

  chose(key, value) {
    choose(key, value);
    this.renew();
  }

  closeMenu() {
    this.menu.removeAttribute("open");
    this.menu.querySelector("summary").focus();
  }

  /** Lay out what is selected now, over the axes that are chosen now. */
  renew() {
    const { model } = this;
    const own = model.runs.filter((run) => run.fate !== "waiting");
    const axes = chosenAxes(model).map((axis) => axisOf(axis, model, own));
    const limit = chosen("lines") ?? (model.runs.length > MANY_RUNS ? String(USUAL_LINES) : "all");
    const runs = drawnOf(model.filtered.filter((run) => run.fate !== "waiting"), limit === "all" ? 0 : Number(limit), model.goal);
    const colour = this.colourAxis();
    this.drawn = { runs, axes, places: laidOut(runs, axes), selected: new Set(model.selected.map((run) => run.id)), shades: shadesOf(runs, this.colourOf(colour), this.lowIsGood(colour)) };
    this.wanted = brushes();
    this.inner.style.minWidth = `${Math.max(1, axes.length) * AXIS_PX}px`;
    axisHeads(this.heads, axes, this);
    this.options(colour, limit);
    this.base.again();
    this.top.again();
    this.tell(own.length);
  }

  tell(count) {
    const { runs, axes } = this.drawn;
    const nothing = !count ? "No run has begun yet. Once one has, it is a line here." : !axes.length ? "Nothing differs between the runs of this sweep. Choose axes to see what they logged." : "";
    this.empty.textContent = nothing;
    this.empty.hidden = !nothing;
    this.scroller.hidden = Boolean(nothing);
    this.top.label(`${runs.length} runs as lines over ${axes.map((one) => one.title).join(", ")}. ${[...this.wanted].map(([axis, wanted]) => brushText(axis, wanted, this.model)).join(". ")}`);
  }

  colourAxis() {
    const { model } = this;
    return chosen("colour") ?? (model.sweep.several ? `m.last.${model.sweep.objectives[0].name}` : model.metric ? "value" : "duration_s");
  }

  colourOf(axis) {
    const values = axisValues(axis, this.model) ?? (() => null);
    return (run) => (axis === "value" && !run.leads ? null : values(run));
  }

  lowIsGood(axis) {
    const found = this.model.sweep.objectives.find((one) => axis === "value" || axis.endsWith(`.${one.name}`));
    return axis === "duration_s" || found?.goal === "minimize";
  }

  options(colour, limit) {
    const choices = axisChoices(this.model);
    const options = choices.map((group) => h("optgroup", { label: group.title }, group.axes.map((one) => h("option", { value: one.axis, selected: one.axis === colour }, one.title))));
    if (document.activeElement !== this.colours) fill(this.colours, options);
    const numbers = [["all", "all lines"], [String(USUAL_LINES), `best ${USUAL_LINES.toLocaleString("en")}`], ["100", "best 100"]];
    this.lines.hidden = !this.model.metric || this.model.filtered.length <= 100;
    if (document.activeElement !== this.lines) fill(this.lines, numbers.map(([value, text]) => h("option", { value, selected: value === limit }, text)));
    const ranked = colour === "value" || this.model.sweep.objectives.some((one) => colour.endsWith(`.${one.name}`));
    this.legend.firstChild.textContent = ranked ? "worst" : "low";
    this.legend.lastChild.textContent = ranked ? "best" : "high";
  }

  fillMenu() {
    const on = new Set(chosenAxes(this.model));
    const search = h("input", { type: "search", "aria-label": "Find an axis", placeholder: "find…" });
    const rows = axisChoices(this.model).map((group) => h("fieldset", {}, h("legend", {}, group.title), group.axes.map((one) => this.menuRow(one, on))));
    search.addEventListener("input", () => {
      for (const row of this.menu.querySelectorAll("label")) row.hidden = !row.textContent.toLowerCase().includes(search.value.toLowerCase());
    });
    fill(this.menu.querySelector(".axis-list"), search, h("button", { type: "button", class: "plain", onclick: () => this.setAxes(null) }, "Usual axes"), rows);
    search.focus();
  }

  menuRow({ axis, title }, on) {
    const box = h("input", { type: "checkbox", checked: on.has(axis) });
    box.addEventListener("change", () => {
      const now = chosenAxes(this.model);
      this.setAxes(box.checked ? [...now, axis] : now.filter((one) => one !== axis));
    });
    return h("label", {}, box, " ", title);
  }

  /** Draw other axes, or the usual ones for null. */
  setAxes(axes) {
    if (axes) chooseAxes(axes, this.model);
    else choose("axes", null);
    this.renew();
    if (!axes) this.fillMenu();
  }

  /** Brush an axis: `[low, high]` or listed values as JSON; null takes the brush away. */
  setBrush(axis, wanted) {
    const now = brushes();
    if (wanted) now.set(axis, wanted);
    else now.delete(axis);
    choose("brush", now.size ? JSON.stringify(Object.fromEntries(now)) : null);
    this.model.select();
  }

  paintTop(pen, width, height) {
    paintAxes(pen, width, height, this.drawn.axes, this.drawn.places, this.brushing?.pending() ?? this.wanted);
    const { hovered } = this.model;
    if (hovered) this.outline(pen, width, height, hovered);
  }

  outline(pen, width, height, id) {
    const place = this.drawn.runs.findIndex((run) => run.id === id);
    if (place >= 0) paintLines(pen, width, height, { ...this.drawn, runs: [this.drawn.runs[place]], places: [this.drawn.places[place]], hovered: id });
  }

  listen() {
    const { canvas } = this.top;
    canvas.addEventListener("pointermove", (event) => {
      if (this.brushing.busy()) return;
      const run = this.runAt(event);
      canvas.style.cursor = this.brushing.axisAt(event) ? "crosshair" : run ? "pointer" : "";
      this.model.hover(run?.id ?? null);
      if (run) showRun(run, this.model, event.clientX, event.clientY);
      else hideRun();
    });
    canvas.addEventListener("pointerleave", () => {
      this.model.hover(null);
      hideRun();
    });
    canvas.addEventListener("click", (event) => {
      const run = this.brushing.axisAt(event) ? null : this.runAt(event);
      if (run) this.model.open(run.id);
    });
  }

  runAt(event) {
    const box = this.place.getBoundingClientRect();
    return lineAt(event.clientX - box.left, event.clientY - box.top, box.width, box.height, this.drawn);
  }
}
