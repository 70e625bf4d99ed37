// What other seeds have shown of the best runs.

import { context, dataOf, get } from "../api.js";
import { fill, h } from "../dom.js";
import { number, value } from "../format.js";
import { whenSeen } from "./controls.js";

const LIVE_MS = 15_000;

export function mount(element, model) {
  let readAt = 0;
  async function read() {
    if (Date.now() - readAt < LIVE_MS) return;
    readAt = Date.now();
    const { confirmation } = await get(dataOf("sweeps", model.sweep.name, "confirmation"));
    fill(element, confirmation ? shown(confirmation, model) : nothing(model));
  }
  const failed = (error) => fill(element, h("p", { class: "error" }, error.message));
  model.on("data", whenSeen(element, () => read().catch(failed), 1000));
  read().catch(failed);
}

function nothing(model) {
  return h("p", { class: "empty" }, "Nobody has tried the best runs with other seeds. To see whether they are luck: ", h("code", {}, `sweeper confirm ${model.sweep.command}`));
}

function shown(one, model) {
  const link = (name) => h("a", { href: `/${[context.entity, context.project, "sweeps", name].map(encodeURIComponent).join("/")}` }, name);
  const about = one.sweep === model.sweep.name ? null : ["a confirmation of ", link(one.sweep), ", "];
  return [
    one.findings.map((sentence) => h("p", {}, sentence)),
    h("div", { class: "front-table" }, table(one)),
    h("p", { class: "soft" }, `${one.ended} of ${one.planned} runs with other values of ${one.seed_parameter}, in `, about, one.sweeps.map((name, i) => [i ? ", " : "", link(name)]), "."),
  ];
}

function table(one) {
  const heads = ["place", ...one.varying, "in the sweep", "mean", "95 % interval", "seeds", "verdict"];
  const numeric = new Set(["place", "in the sweep", "mean", "seeds"]);
  return h(
    "table",
    {},
    h("thead", {}, h("tr", {}, heads.map((text) => h("th", { scope: "col", class: numeric.has(text) ? "number" : "" }, text)))),
    h(
      "tbody",
      {},
      one.contenders.map((row, i) =>
        h("tr", { class: i ? "" : "best" }, h("td", { class: "number" }, i + 1), one.varying.map((name) => h("td", { class: "value" }, value(row.params[name]))), h("td", { class: "number" }, number(row.in_sweep)), h("td", { class: "number" }, number(row.mean)), h("td", {}, row.interval), h("td", { class: "number" }, row.of_seeds), h("td", {}, row.words)),
      ),
    ),
  );
}
