// What mattered: a row for each parameter, weighed by the server from the selected runs, for any metric.

import { dataOf, get } from "../api.js";
import { fill, h } from "../dom.js";
import { select, whenSeen } from "./controls.js";
import { metricChoice } from "./metric_choice.js";
import { bits } from "./selection_bits.js";

const SHARES = [
  ["all", "all runs"],
  ["quarter", "the best quarter"],
];
/** A sweep at work is weighed again when its ended runs have grown by a tenth, or after this time. */
const PATIENCE_MS = 60_000;
const GROWTH = 1.1;

export function mount(element, model) {
  const body = h("div", { class: "importance-body" });
  const note = h("p", { class: "soft importance-note", "aria-live": "polite" });
  const metric = metricChoice(model, "imp", () => read(true));
  const share = select("among", "imp.share", SHARES, () => read(true));
  fill(element, h("h2", {}, "What mattered"), h("div", { class: "bar" }, metric.elements, share.element), body, note);

  let last = { asked: "", ended: 0, at: 0 };
  let asking = null;
  async function read(at_once = false) {
    metric.refresh();
    const ended = model.selected.filter((run) => run.ended_at !== null && !run.prior).length;
    const selection = bits(model);
    const chosen = JSON.stringify([metric.asked, share.value, model.selected.length === model.runs.length ? "all" : selection]);
    const grown = ended >= last.ended * GROWTH || (ended !== last.ended && Date.now() - last.at > PATIENCE_MS);
    if (!at_once && chosen === last.asked && !grown) return;
    if (!at_once && chosen === last.asked && ended === last.ended) return;
    last = { asked: chosen, ended, at: Date.now() };
    asking?.abort();
    asking = new AbortController();
    body.setAttribute("aria-busy", "true");
    try {
      const query = { ...metric.asked, share: share.value === "all" ? null : share.value, runs: selection };
      show(await get(dataOf("sweeps", model.sweep.name, "importance"), query, asking.signal));
      body.removeAttribute("aria-busy");
    } catch (error) {
      if (error.name === "AbortError") return;
      body.removeAttribute("aria-busy");
      fill(note, h("span", { class: "error" }, error.message));
    }
  }

  function show(answer) {
    const told = answer.rows.filter((row) => row.forest !== null || row.ped_anova !== null);
    fill(body, told.length ? table(told) : h("p", { class: "empty" }, nothing(answer)));
    fill(note, told.length ? [answer.looked < answer.n ? `From ${answer.looked} of ${answer.n} runs, chosen at random. ` : `From ${answer.n} runs. `, answer.caveat] : "");
  }

  function nothing(answer) {
    if (answer.caveat) return `${answer.caveat} ${model.selected.length < model.runs.length ? "More runs may be outside of the filter." : ""}`;
    if (!model.metrics.length && !model.metric) return "This sweep has no metric, and its runs have logged no number.";
    return "All of these runs have the same value, or the same parameters: nothing can have mattered.";
  }

  model.on("selection", whenSeen(element, () => read()));
  fill(body, h("p", { class: "empty" }, "Weighing the runs…"));
  read(true);
}

function table(rows) {
  const most = Math.max(...rows.flatMap((row) => [row.ped_anova ?? 0, row.forest ?? 0]), 1e-9);
  return h(
    "table",
    { class: "importance" },
    h(
      "thead",
      {},
      h("tr", {}, h("th", { scope: "col" }, "parameter"), head("sets the best apart", "PED-ANOVA: what the best runs have that the others have not, as shares of 1"), head("explains the metric", "Random forest: what one needs to know to foretell the metric, as shares of 1"), head("correlation", "Pearson's r, of numbers", "number")),
    ),
    h(
      "tbody",
      {},
      rows.map((row) => h("tr", {}, h("th", { scope: "row" }, row.name), bar(row.ped_anova, most, "first"), bar(row.forest, most, "second"), h("td", { class: "number" }, row.correlation === null ? "" : signed(row.correlation)))),
    ),
  );
}

function head(text, title, kind = "") {
  return h("th", { scope: "col", class: kind, title }, text);
}

function signed(r) {
  return `${r < 0 ? "−" : "+"}${Math.abs(r).toFixed(2)}`;
}

function bar(share, most, kind) {
  if (share === null) return h("td", { class: "soft" }, "–");
  const filled = h("span", { class: `share ${kind}` });
  filled.style.width = `${Math.max(1, Math.round((72 * share) / most))}%`;
  return h("td", {}, h("span", { class: "share-row" }, filled, h("span", { class: "share-number" }, share < 0.005 ? "0" : share.toFixed(2))));
}
