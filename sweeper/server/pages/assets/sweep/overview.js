// What stands above the fold: how it goes, the best run so far, and the curve of the search. The page came with it as
// text; here it lives.

import { pageOf } from "../api.js";
import { copy, fill, find, h } from "../dom.js";
import { ago, bytes, duration, number, value } from "../format.js";
import { choose, chosen } from "../url_state.js";
import { BELOW, curve } from "./curve.js";
import { varied } from "./parameters.js";
import { FATES } from "./selection.js";

const COPIED_MS = 2000;
const MOST_PARAMETERS = 12;
const WORDS = { finished: "finished", running: "running", stopped: "stopped", failed: "failed", waiting: "waiting" };

export function mount(element, model) {
  const drawn = curve(curvePlace(element, () => drawn.show(chosen("x", "number"))), model);
  let told = "";
  const tell = () => {
    head(model);
    drawn.show(chosen("x", "number"));
    const now = JSON.stringify([model.best?.id, model.best?.value, model.sweep.best?.id, model.sweep.state, front(model).map((run) => run.id)]);
    if (now !== told) fill(find(".best-card", element), model.sweep.several ? frontCard(model) : bestCard(model));
    told = now;
  };
  model.on("selection", tell);
  model.on("error", () => head(model));
  tell();
}

function curvePlace(element, again) {
  const card = find(".curve-card", element);
  const below = h(
    "select",
    {
      "aria-label": "What is below the curve",
      onchange: (event) => {
        choose("x", event.target.value === "number" ? null : event.target.value);
        again();
      },
    },
    Object.entries({ number: "by run", time: "by time", compute: "by compute time" }).map(([mode, text]) => h("option", { value: mode, selected: mode === chosen("x", "number") && Object.hasOwn(BELOW, mode) }, text)),
  );
  const place = h("div", { class: "curve-place" });
  fill(card, h("div", { class: "card-head" }, h("h2", {}, "How the search goes"), below), place);
  return place;
}

/** The lines above the cards, which the page came with. */
function head(model) {
  const { sweep, runs } = model;
  const counts = Object.fromEntries(FATES.map((fate) => [fate, 0]));
  for (const run of runs) if (!run.prior) counts[run.fate] += 1;
  const ended = counts.finished + counts.stopped + counts.failed;
  fill(find("[data-live=state]"), h("span", { class: `state ${sweep.state}` }, sweep.state));
  const rest = [
    counts.running ? `${counts.running} running` : "",
    counts.waiting ? `${counts.waiting} waiting` : "",
    counts.stopped ? `${counts.stopped} stopped${saved(model)}` : "",
    counts.failed ? `${counts.failed} failed` : "",
    sweep.eta_s ? `done in about ${duration(sweep.eta_s)}` : "",
  ].filter(Boolean);
  fill(find("[data-live=progress]"), bar(counts, sweep.expected), h("strong", {}, sweep.expected === null ? `${ended} runs have ended` : `${ended} of ${sweep.expected} runs`), rest.length ? ` · ${rest.join(" · ")}` : "");
  fill(find("[data-live=notes]"), notes(model));
}

function saved(model) {
  return model.notes.saved_s ? `, about ${duration(model.notes.saved_s)} saved` : "";
}

function bar(counts, expected) {
  const whole = Math.max(expected ?? 0, Object.values(counts).reduce((a, b) => a + b, 0), 1);
  const parts = ["finished", "stopped", "failed", "running"].filter((fate) => counts[fate]);
  const told = parts.map((fate) => `${counts[fate]} ${WORDS[fate]}`).join(", ");
  return h(
    "span",
    { class: "progress", role: "img", "aria-label": told ? `${told}, of ${whole}` : "no run yet" },
    parts.map((fate) => {
      const part = h("span", { class: `part ${fate}` });
      part.style.width = `${(100 * counts[fate]) / whole}%`;
      return part;
    }),
  );
}

function notes(model) {
  const { sweep } = model;
  const missing = model.best ? [] : model.notes.missing;
  return [
    model.error ? h("p", { class: "error", role: "status" }, model.error) : null,
    missing.map((message) => h("p", { class: "warning" }, message)),
    sweep.idle ? h("p", { class: "warning" }, "Nobody is at work on it. To go on: ", h("code", {}, `sweeper launch ${quoted(sweep.command)}`)) : null,
    Object.entries(sweep.fallbacks).map(([reason, count]) => h("p", { class: "soft" }, `Drawn at random, ${count} runs: ${reason}`)),
  ];
}

/** A word for a shell. */
function quoted(text) {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`;
}

function bestCard(model) {
  const { best, sweep, metric } = model;
  if (!best) return [h("h2", {}, "Best so far"), h("p", { class: "empty" }, nothingYet(model))];
  const known = varied(sweep);
  const names = (known.length ? known : Object.keys(best.params)).filter((name) => name in best.params);
  return [
    h("h2", {}, "Best so far"),
    h("p", { class: "best-value", title: String(best.value) }, number(best.value), " ", h("small", { class: "soft" }, metric.name)),
    h("p", {}, h("a", { href: pageOf("runs", best.id) }, best.name), h("span", { class: "soft" }, best.fate === "running" ? " · still running" : ` · ${ago(best.ended_at)} · took ${duration(best.duration_s)}`)),
    h("dl", { class: "params" }, names.slice(0, MOST_PARAMETERS).map((name) => h("div", {}, h("dt", {}, name), h("dd", {}, value(best.params[name]))))),
    names.length > MOST_PARAMETERS ? h("p", { class: "soft" }, `and ${names.length - MOST_PARAMETERS} more`) : null,
    h("div", { class: "bar" }, copyButton(model, best), h("a", { class: "button", href: pageOf("runs", best.id) }, "Open run"), sweep.best?.id === best.id ? modelLink(sweep.best.model) : null),
  ];
}

function modelLink(model) {
  if (!model) return null;
  const name = model.path.split("/").at(-1);
  return h("a", { class: "button", href: model.url, download: name, title: `${name}, ${bytes(model.size)}` }, "Download model");
}

function nothingYet(model) {
  const { sweep, metric } = model;
  if (!metric) return "This sweep has no metric, so no run is better than another.";
  if (!model.runs.length) return ["No run yet. Start some with ", h("code", {}, `sweeper launch ${quoted(sweep.command)}`)];
  return `No run that may lead has logged ${metric.name} yet.`;
}

function copyButton(model, best) {
  const button = h("button", { type: "button", class: "primary", title: "Copies a command for your shell" }, "Copy command that reruns it");
  const say = (text) => {
    button.textContent = text;
    setTimeout(() => (button.textContent = "Copy command that reruns it"), COPIED_MS);
  };
  button.addEventListener("click", async () => {
    try {
      await copy(await model.rerunOf(best.id));
      say("Copied");
    } catch (error) {
      say(`Not copied: ${error.message}`);
    }
  });
  return button;
}

/** The runs that no other beats in all of several metrics. */
export function front(model) {
  if (!model.sweep.several) return [];
  const signs = model.sweep.objectives.map((one) => (one.goal === "maximize" ? -1 : 1));
  const losses = model.runs.filter((run) => !run.prior && run.values.length).map((run) => ({ run, at: run.values.map((one, i) => signs[i] * one) }));
  losses.sort((a, b) => a.at[0] - b.at[0]);
  const kept = [];
  for (const one of losses) if (!kept.some((other) => beats(other.at, one.at))) kept.push(one);
  return kept.filter((one) => !kept.some((other) => beats(other.at, one.at))).map((one) => one.run);
}

function beats(a, b) {
  return a.every((one, i) => one <= b[i]) && a.some((one, i) => one < b[i]);
}

function frontCard(model) {
  const found = front(model);
  const metrics = model.sweep.objectives;
  if (!found.length) return [h("h2", {}, "Runs that no other beats"), h("p", { class: "empty" }, "No run has finished with a value of every metric yet.")];
  return [
    h("h2", {}, "Runs that no other beats"),
    h(
      "table",
      {},
      h("tr", {}, h("th", {}, "run"), metrics.map((one) => h("th", { class: "number" }, `${one.name} ${one.goal === "maximize" ? "↑" : "↓"}`))),
      found.slice(0, 7).map((run) => h("tr", {}, h("td", {}, h("a", { href: pageOf("runs", run.id) }, run.name)), run.values.map((one) => h("td", { class: "number" }, number(one))))),
    ),
    found.length > 7 ? h("p", { class: "soft" }, `and ${found.length - 7} more`) : null,
  ];
}
