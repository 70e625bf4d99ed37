// A chart of `wandb.plot` or `wandb.sklearn`, drawn from its table: lines, points and bars as SVG; a confusion matrix and a heatmap as a table.

import { context, dataOf, get } from "../api.js";
import { fill, h } from "../dom.js";
import { number } from "../format.js";
import { TableCard } from "./tables.js";

const [WIDTH, HEIGHT, LEFT, BOTTOM, TOP, RIGHT] = [400, 224, 48, 34, 8, 10];
const SERIES = ["hue", "failed", "finished", "stopped", "v5", "v2", "soft", "v7"];

/** A card for a chart, read when it comes into view; one that nobody knows how to draw shows its table. */
export class CustomCard {
  constructor(about) {
    this.key = about.name;
    this.place = h("div", { class: "custom-place" });
    this.foot = h("p", { class: "soft small custom-foot" });
    this.element = h("article", { class: "card chart-card" }, h("header", {}, h("h3", { title: about.name }, about.title || about.name), about.title && about.title !== about.name ? h("span", { class: "soft small" }, about.name) : null), this.place, this.foot);
    this.isSeen = false;
  }

  seen(is) {
    this.isSeen = is;
    if (is && !this.shown) this.load();
  }

  again() {
    if (this.isSeen) this.load();
  }

  async load() {
    try {
      const found = await get(dataOf("runs", context.run, "custom"), { key: this.key });
      if (found.path === this.shown) return;
      this.shown = found.path;
      this.draw(found);
    } catch (error) {
      if (!this.shown) fill(this.place, h("p", { class: error.status === 404 ? "empty" : "error" }, `${error.message} `, h("button", { type: "button", onClick: () => this.load() }, "Try again")));
    }
  }

  draw({ drawing, preset, table }) {
    if (!drawing) {
      const card = new TableCard(table);
      fill(this.place, h("p", { class: "empty" }, `The chart ${preset} is not one that this page can draw: here is its table.`), card.place, card.foot);
      card.load();
      return;
    }
    const draw = { lines: cloud, points: cloud, bars, matrix, heatmap }[drawing.kind];
    fill(this.place, drawing.total ? draw(drawing, this.key) : h("p", { class: "empty" }, "The table of this chart has no rows."));
    const drawn = drawing.lines.reduce((sum, line) => sum + line.x.length, 0);
    fill(this.foot, drawing.lines.length > 1 || drawing.lines[0]?.name ? legend(drawing.lines) : null, drawing.kind !== "bars" && drawn && drawn < drawing.total ? ` ${drawn} of ${drawing.total} points are drawn.` : null);
  }
}

function ink(element, name, property = "stroke") {
  element.style[property] = `var(--${name})`;
  return element;
}

function legend(lines) {
  return lines.map((line, i) => h("span", { class: "custom-key" }, ink(h("span", { class: "mark" }), SERIES[i % SERIES.length], "backgroundColor"), line.name));
}

/** Lines, or points: whatever their order, and however often two have the same place. */
function cloud(drawing, key) {
  const all = (name) => drawing.lines.flatMap((line) => line[name]);
  const [across, up] = [span(all("x")), span(all("y"))];
  const x = (value) => LEFT + ((value - across.low) / (across.high - across.low)) * (WIDTH - LEFT - RIGHT);
  const y = (value) => HEIGHT - BOTTOM - ((value - up.low) / (up.high - up.low)) * (HEIGHT - BOTTOM - TOP);
  const drawn = drawing.lines.flatMap((line, i) => {
    const name = SERIES[i % SERIES.length];
    if (drawing.kind === "points") return line.x.map((value, at) => ink(h("svg:circle", { cx: x(value).toFixed(1), cy: y(line.y[at]).toFixed(1), r: 2.5, "fill-opacity": 0.6 }), name, "fill"));
    const path = line.x.map((value, at) => `${at ? "L" : "M"}${x(value).toFixed(1)} ${y(line.y[at]).toFixed(1)}`).join("");
    return [ink(h("svg:path", { d: path, fill: "none", "stroke-width": 1.75, "stroke-linejoin": "round" }), name)];
  });
  const label = `${drawing.title || key}: ${drawing.y} over ${drawing.x}, ${drawing.lines.length} ${drawing.kind === "points" ? "groups" : "lines"}`;
  return svg(label, frame(across.ticks.map((tick) => [x(tick), number(tick)]), up.ticks.map((tick) => [y(tick), number(tick)]), drawing), drawn);
}

function bars(drawing, key) {
  const up = span([0, ...drawing.values]);
  const y = (value) => HEIGHT - BOTTOM - ((value - up.low) / (up.high - up.low)) * (HEIGHT - BOTTOM - TOP);
  const step = (WIDTH - LEFT - RIGHT) / Math.max(1, drawing.values.length);
  const drawn = drawing.values.map((value, i) => {
    const bar = h("svg:rect", { x: (LEFT + i * step + step * 0.08).toFixed(1), width: Math.max(1, step * 0.84).toFixed(1), y: Math.min(y(value), y(0)).toFixed(1), height: Math.abs(y(value) - y(0)).toFixed(1) }, h("svg:title", {}, `${drawing.labels[i]}: ${number(value)}`));
    return ink(bar, "hue", "fill");
  });
  const every = Math.ceil(drawing.labels.length / 6);
  const below = drawing.labels.map((name, i) => [LEFT + (i + 0.5) * step, name.length > 12 ? `${name.slice(0, 11)}…` : name]).filter((_, i) => i % every === 0);
  return svg(`${drawing.title || key}: ${drawing.y} by ${drawing.x}`, frame(below, up.ticks.map((tick) => [y(tick), number(tick)]), drawing), drawn);
}

function svg(label, ...children) {
  return h("svg:svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label, class: "custom-chart" }, children);
}

function frame(below, beside, drawing) {
  const bottom = HEIGHT - BOTTOM;
  return [
    beside.map(([at, words]) => [ink(h("svg:line", { x1: LEFT, x2: WIDTH - RIGHT, y1: at, y2: at }), "line"), h("svg:text", { x: LEFT - 6, y: at + 3.5, "text-anchor": "end" }, words)]),
    below.map(([at, words]) => h("svg:text", { x: at, y: bottom + 14, "text-anchor": "middle" }, words)),
    h("svg:text", { x: (LEFT + WIDTH - RIGHT) / 2, y: HEIGHT - 4, "text-anchor": "middle", class: "title" }, drawing.x),
    h("svg:text", { x: 10, y: (TOP + bottom) / 2, "text-anchor": "middle", class: "title", transform: `rotate(-90 10 ${(TOP + bottom) / 2})` }, drawing.y),
  ];
}

/** From the lowest to the highest, and some round numbers between. */
function span(values) {
  let low = values.reduce((a, b) => Math.min(a, b), Infinity);
  let high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  if (!(low <= high)) [low, high] = [0, 1];
  if (low === high) [low, high] = [low - (Math.abs(low) * 0.1 || 1), high + (Math.abs(high) * 0.1 || 1)];
  const rough = (high - low) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((times) => times * power).find((size) => size >= rough * 0.8);
  const ticks = [];
  for (let tick = Math.ceil(low / step) * step; tick <= high + step * 1e-9; tick += step) ticks.push(Math.abs(tick) < step * 1e-9 ? 0 : tick);
  return { low, high, ticks };
}

/** Rows are what is true, and each row's shade is its share of that row. */
function matrix(drawing, key) {
  const size = drawing.labels.length;
  const cell = (row, column) => drawing.values[row * size + column];
  const rows = drawing.rows.map((name, row) => {
    const sum = drawing.values.slice(row * size, (row + 1) * size).reduce((a, b) => a + b, 0);
    const cells = drawing.labels.map((_, column) => {
      const share = sum ? cell(row, column) / sum : 0;
      const shown = h("td", { class: `number${row === column ? " right" : ""}`, title: `${name} taken for ${drawing.labels[column]}: ${number(cell(row, column))}, ${Math.round(share * 100)} % of the row` }, number(cell(row, column)));
      shown.style.backgroundColor = `color-mix(in srgb, var(--${row === column ? "finished" : "failed"}) ${Math.round(share * 45)}%, transparent)`;
      return shown;
    });
    return h("tr", {}, h("th", { scope: "row" }, name), cells);
  });
  return grid(drawing, `confusion matrix ${drawing.title || key}`, rows);
}

/** Each cell's shade is where its number lies between the least and the greatest. */
function heatmap(drawing, key) {
  const known = drawing.values.filter((value) => value !== null);
  const [low, high] = [known.reduce((a, b) => Math.min(a, b), Infinity), known.reduce((a, b) => Math.max(a, b), -Infinity)];
  const rows = drawing.rows.map((name, row) => {
    const cells = drawing.labels.map((label, column) => {
      const value = drawing.values[row * drawing.labels.length + column];
      if (value === null) return h("td", { class: "number" }, "");
      const shown = h("td", { class: "number", title: `${name}, ${label}: ${number(value)}` }, number(value));
      shown.style.backgroundColor = `color-mix(in srgb, var(--hue) ${Math.round(high > low ? ((value - low) / (high - low)) * 45 : 0)}%, transparent)`;
      return shown;
    });
    return h("tr", {}, h("th", { scope: "row" }, name), cells);
  });
  return grid(drawing, `heatmap ${drawing.title || key}`, rows);
}

function grid(drawing, label, rows) {
  const corner = drawing.y && drawing.x ? h("th", { scope: "col" }, `${drawing.y} ↓ ${drawing.x} →`) : h("td", {});
  const head = h("tr", {}, corner, drawing.labels.map((name) => h("th", { scope: "col", class: "number" }, name)));
  return h("div", { class: "logged-table", tabindex: "0", role: "region", "aria-label": label }, h("table", { class: "matrix" }, h("thead", {}, head), h("tbody", {}, rows)));
}
