// The charts of a run: all that it logged, in groups by the part of the name before "/", drawn where the viewer looks.

import { context, dataOf, get } from "../api.js";
import { fill, h } from "../dom.js";
import { onChange } from "../live.js";
import { carryOver, choose, chosen } from "../url_state.js";
import { axisName, ChartCard } from "./chart_card.js";
import { loader } from "./chart_loader.js";
import { CustomCard } from "./custom_chart.js";
import { histograms } from "./histograms.js";
import { MediaCard } from "./media.js";
import { TableCard } from "./tables.js";

const OWN_AXES = ["_step", "_runtime", "_timestamp"];
const MANY = 60;
const OTHERS_MS = 10000;
const METRIC = "the sweep's metric";
const OPTIONS = ["x", "smooth", "log", "band", "open"];

/** Fill the tab. */
export async function mount(element) {
  carryOver(`charts:${context.entity}/${context.project}`, OPTIONS);
  const page = new Charts(element);
  await page.refresh();
  onChange("run", () => page.refresh());
}

class Charts {
  constructor(element) {
    this.element = element;
    this.cards = new Map();
    this.groups = new Map();
    this.loader = loader((card) => ({ x: card.axis, from: card.zoom?.[0], to: card.zoom?.[1] }));
    this.watched = new Map();
    this.observer = new IntersectionObserver((entries) => entries.forEach((entry) => this.watched.get(entry.target)?.(entry.isIntersecting)), { rootMargin: "250px 0px" });
    this.body = h("div", {});
    this.othersAt = performance.now();
    this.note = h("p", { class: "soft small", role: "status" });
  }

  look() {
    return { axis: chosen("x"), smooth: Number(chosen("smooth", 0)), log: chosen("log") === "1", band: chosen("band") !== "0" };
  }

  async refresh() {
    const about = await get(dataOf("runs", context.run, "charts"));
    const isFirst = !this.bar;
    if (isFirst && !hasAnything(about)) {
      this.sayNothing(about);
      return;
    }
    if (isFirst) {
      this.bar = this.toolbar(about);
      fill(this.element, this.bar, this.note, this.body);
    }
    this.fillAxes(about);
    this.addCurves(about);
    this.addOthers(about);
    this.filter();
    this.about = about;
    this.sayRows();
    if (!isFirst) this.loader.again();
  }

  sayNothing(about) {
    fill(this.element, h("div", { class: "card" }, h("p", { class: "empty" }, about.live ? "Nothing was logged yet. What " : "This run logged nothing. What ", h("code", {}, 'run.log({"loss": 0.5})'), about.live ? " sends is drawn here as it comes." : " sends is drawn here.")));
  }

  sayRows(unread = 0) {
    const { rows, keys } = this.about;
    const words = `${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"} · ${keys.length} ${keys.length === 1 ? "key" : "keys"}`;
    this.note.textContent = unread ? `${words} · the server still sums up ${unread.toLocaleString("en")} rows: until then curves are drawn from a sample` : words;
    clearTimeout(this.later);
    if (unread) this.later = setTimeout(() => this.loader.again(), 5000);
  }

  toolbar() {
    this.search = h("input", { type: "search", placeholder: "Search keys", "aria-label": "Search keys", value: chosen("key", ""), onInput: () => { choose("key", this.search.value); this.filter(); } });
    this.axes = h("select", { onChange: () => this.change("x", this.axes.value || null, true) });
    const smooth = h("input", { type: "range", min: "0", max: "0.99", step: "0.01", value: chosen("smooth", 0), onInput: () => { said.textContent = Number(smooth.value) ? smooth.value : "off"; this.change("smooth", Number(smooth.value) || null); } });
    const said = h("output", { class: "soft" }, Number(smooth.value) ? smooth.value : "off");
    const box = (name, words, on, off, is) => h("label", {}, h("input", { type: "checkbox", checked: is, onChange: (event) => this.change(name, event.target.checked ? on : off) }), ` ${words}`);
    return h("div", { class: "bar chart-bar" }, this.search, h("label", {}, "over ", this.axes), h("label", {}, "smoothing ", smooth, said), box("log", "log scale", "1", null, chosen("log") === "1"), box("band", "lowest to highest", null, "0", chosen("band") !== "0"));
  }

  fillAxes({ axes }) {
    const names = [...OWN_AXES, ...axes.filter((key) => !OWN_AXES.includes(key))];
    const wanted = chosen("x") ?? "";
    if (wanted && !names.includes(wanted)) names.push(wanted);
    if (this.axes.options.length === names.length + 1) return;
    fill(this.axes, h("option", { value: "" }, "its own axis"), names.map((name) => h("option", { value: name }, axisName(name))));
    this.axes.value = wanted;
  }

  change(name, value, isOther = false) {
    choose(name, value);
    for (const card of this.cards.values()) {
      if (!(card instanceof ChartCard)) continue;
      if (isOther) {
        card.points = null;
        card.closer(null);
        if (this.loader.seen.has(card)) this.loader.want(card);
      } else if (card.plot || (card.points && this.loader.seen.has(card))) card.draw();
    }
  }

  addCurves({ keys, metrics }) {
    const first = (key) => metrics.includes(key.name);
    for (const about of [...keys].sort((a, b) => first(b) - first(a))) {
      const known = this.cards.get(`curve ${about.name}`);
      if (known) {
        known.update(about);
        continue;
      }
      const card = new ChartCard(about, { look: () => this.look(), want: (one) => this.loader.want(one) });
      const arrived = card.arrived.bind(card);
      card.arrived = (points, found) => {
        arrived(points, found);
        this.sayRows(found.unread);
      };
      this.add(first(about) ? METRIC : groupOf(about.name), `curve ${about.name}`, card);
      this.watch(card.element, (is) => {
        this.loader.seen[is ? "add" : "delete"](card);
        card.seen(is);
      });
    }
  }

  addOthers({ histograms: layers, media, tables, custom, live }) {
    const fresh = (kind, names) => names.filter((name) => !this.cards.has(`${kind} ${name}`));
    for (const about of custom) if (fresh("custom", [about.name]).length) this.addCard("charts of wandb.plot", `custom ${about.name}`, new CustomCard(about));
    for (const about of media) if (fresh("media", [about.name]).length) this.addCard("media", `media ${about.name}`, new MediaCard(about));
    for (const key of fresh("table", tables)) this.addCard("tables", `table ${key}`, new TableCard(key));
    const sorted = fresh("layer", layers).sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
    const cards = histograms(sorted, (place, card) => this.watch(place, (is) => card.seen(is)));
    for (const card of cards) this.add(groupOf(card.key) === "" ? "histograms" : groupOf(card.key), `layer ${card.key}`, card, /^(gradients|parameters)\//.test(card.key));
    const isOver = this.about?.live && !live;
    if (!isOver && performance.now() - this.othersAt < OTHERS_MS) return;
    this.othersAt = performance.now();
    for (const [name, card] of this.cards) if (!name.startsWith("curve ")) card.again?.();
  }

  addCard(group, name, card) {
    this.add(group, name, card);
    this.watch(card.element, (is) => card.seen(is));
  }

  add(group, name, card, isShut = false) {
    this.cards.set(name, card);
    card.group = this.group(group, isShut);
    card.group.grid.append(card.element);
    card.group.cards.push(card);
  }

  group(name, isShut) {
    const known = this.groups.get(name);
    if (known) return known;
    const count = h("span", { class: "count" });
    const grid = h("div", { class: "chart-grid" });
    const element = h("details", { class: `chart-group${name === METRIC ? " first" : ""}`, open: !isShut }, h("summary", {}, h("h2", {}, name || "charts", count)), grid);
    if (isShut) {
      element.open = opened().includes(name);
      element.addEventListener("toggle", () => element.open !== opened().includes(name) && choose("open", [...opened().filter((other) => other !== name), ...(element.open ? [name] : [])].join(",")));
    }
    const made = { name, count, grid, element, cards: [], isShut };
    this.groups.set(name, made);
    this.body.append(element);
    return made;
  }

  watch(element, hears) {
    this.watched.set(element, hears);
    this.observer.observe(element);
  }

  /** Show the keys that hold all words of the search; groups that hold very many wait until they are opened. */
  filter() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const group of this.groups.values()) {
      const fitting = group.cards.filter((card) => words.every((word) => card.key.toLowerCase().includes(word)));
      const set = new Set(fitting);
      for (const card of group.cards) card.element.hidden = !set.has(card);
      group.element.hidden = !fitting.length;
      group.count.textContent = ` ${fitting.length}`;
      if (!group.settled) {
        group.settled = true;
        if (!group.isShut && group.cards.length > MANY && this.groups.size > 1) group.element.open = false;
      }
      if (words.length && fitting.length && fitting.length <= MANY) group.element.open = true;
      shown += fitting.length;
    }
    this.none ??= h("p", { class: "empty" });
    if (shown) this.none.remove();
    else {
      fill(this.none, `No key holds “${this.search.value}”.`);
      this.body.prepend(this.none);
    }
  }
}

/** The groups that are shut unless somebody opens them, and that were. */
function opened() {
  return chosen("open", "").split(",").filter(Boolean);
}

function groupOf(key) {
  return key.includes("/") ? key.split("/")[0] : "";
}

function hasAnything({ keys, histograms: layers, media, tables, custom }) {
  return keys.length + layers.length + media.length + tables.length + custom.length > 0;
}
