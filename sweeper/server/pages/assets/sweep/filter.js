// The bar above the pictures: which runs all of them show. States, a filter in words, the best so many, and the brushes
// that were drawn on axes.

import { fill, h } from "../dom.js";
import { choose, chosen } from "../url_state.js";
import { brushText } from "./brushing.js";
import { names } from "./filter_language.js";
import { brushes, chosenStates, FATES } from "./selection.js";

const TYPING_MS = 150;
const TOPS = [
  [null, "all"],
  ["50", "best 50"],
  ["10%", "best 10 %"],
];
const MOST_SUGGESTED = 200;

export function mount(element, model) {
  const states = h("div", { class: "chips", role: "group", "aria-label": "States" });
  const tops = h("div", { class: "chips", role: "group", "aria-label": "How many" });
  const brushed = h("div", { class: "chips brushes", role: "group", "aria-label": "Brushes" });
  const count = h("span", { class: "soft count", role: "status" });
  const fault = h("p", { class: "error filter-fault", id: "filter-fault", role: "alert", hidden: true });
  const list = h("datalist", { id: "filter-names" });
  const input = filterInput(model);
  fill(element, h("div", { class: "bar filter-bar" }, states, input, list, tops, count, brushed), fault);
  const tell = () => {
    fill(states, stateChips(model));
    fill(tops, topChips(model));
    fill(brushed, brushChips(model));
    count.textContent = said(model);
    fault.hidden = !model.fault;
    fault.textContent = model.fault ?? "";
    input.setAttribute("aria-invalid", String(Boolean(model.fault)));
  };
  input.addEventListener("focus", () => fill(list, names(model).slice(0, MOST_SUGGESTED).map((name) => h("option", { value: /[\s=<>!~"']/.test(name) ? `"${name}"` : name }))), { once: true });
  model.on("selection", tell);
  tell();
}

function filterInput(model) {
  let waiting = null;
  const take = (event) => {
    clearTimeout(waiting);
    waiting = setTimeout(() => {
      choose("filter", event.target.value.trim());
      model.select();
    }, TYPING_MS);
  };
  const metric = model.metric?.name ?? "duration";
  const input = h("input", { type: "search", class: "filter-text", "aria-label": "Filter runs", "aria-describedby": "filter-fault", placeholder: `${metric}>0.9 state=finished`, list: "filter-names", autocomplete: "off", spellcheck: "false", oninput: take });
  input.value = chosen("filter", "");
  return input;
}

function said(model) {
  const all = model.runs.length;
  return model.selected.length === all ? `all ${all} runs` : `${model.selected.length} of ${all} runs`;
}

function chip(text, pressed, onclick, more = {}) {
  return h("button", { type: "button", class: `filter-chip ${more.class ?? ""}`, "aria-pressed": String(pressed), "data-chip": text, onclick }, text, more.count === undefined ? null : h("span", { class: "count" }, String(more.count)));
}

function stateChips(model) {
  const on = chosenStates();
  const counts = new Map();
  for (const run of model.runs) counts.set(run.fate, (counts.get(run.fate) ?? 0) + 1);
  return FATES.filter((fate) => counts.has(fate) || on?.has(fate)).map((fate) =>
    chip(
      fate,
      Boolean(on?.has(fate)),
      () => {
        const now = new Set(on ?? []);
        if (now.has(fate)) now.delete(fate);
        else now.add(fate);
        choose("state", [...now].join(","));
        model.select();
      },
      { class: `fate ${fate}`, count: counts.get(fate) ?? 0 },
    ),
  );
}

function topChips(model) {
  if (!model.metric || model.runs.length < 12) return null;
  const on = chosen("top");
  return TOPS.map(([top, text]) =>
    chip(
      text,
      on === top,
      () => {
        choose("top", top);
        model.select();
      },
    ),
  );
}

function brushChips(model) {
  const drop = (axis) => {
    const left = brushes();
    if (axis) left.delete(axis);
    choose("brush", axis && left.size ? JSON.stringify(Object.fromEntries(left)) : null);
    if (!axis) choose("filter", null);
    if (!axis) choose("state", null);
    if (!axis) choose("top", null);
    if (!axis) document.querySelector(".filter-text").value = "";
    model.select();
  };
  const chips = [...brushes()].map(([axis, wanted]) => {
    const text = brushText(axis, wanted, model);
    return h("button", { type: "button", class: "filter-chip brush", "aria-label": `Take away the brush ${text}`, onclick: () => drop(axis) }, text, h("span", { "aria-hidden": "true" }, " ×"));
  });
  const narrowed = model.selected.length < model.runs.length || chosen("filter") || chosen("state") || chosen("top");
  return [...chips, narrowed ? h("button", { type: "button", class: "plain", onclick: () => drop(null) }, "Show all") : null];
}
