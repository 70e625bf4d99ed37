// Why runs failed: grouped by cause, with what those of a group have in common that the others have not.

import { dataOf, get, pageOf } from "../api.js";
import { fill, h } from "../dom.js";
import { value } from "../format.js";
import { whenSeen } from "./controls.js";
import { bits } from "./selection_bits.js";

const SHOWN = 12;
const RELATIONS = { "=": "is", "<=": "is at most", ">=": "is at least" };

export function mount(element, model) {
  const body = h("div", { class: "failures" });
  fill(element, body);
  let asked = "";

  async function read() {
    const failed = model.selected.filter((run) => run.fate === "failed").length;
    const ended = model.selected.filter((run) => run.ended_at !== null).length;
    const selection = bits(model);
    const now = `${failed}/${ended}/${selection ? selection.length + selection : "all"}`;
    if (now === asked) return;
    asked = now;
    label(failed);
    if (!failed) {
      fill(body, h("p", { class: "empty" }, ended ? `None of the ${ended} selected runs that have ended failed.` : "No run has ended yet."));
      return;
    }
    show(await get(dataOf("sweeps", model.sweep.name, "failures"), { runs: selection }));
  }

  function label(count) {
    const tab = document.getElementById("tab-failures");
    if (tab) tab.textContent = count ? `Failures ${count}` : "Failures";
  }

  function show(answer) {
    fill(body, answer.causes.map((one) => cause(one, model)));
  }

  const failed = (error) => fill(body, h("p", { class: "error" }, error.message));
  model.on("selection", whenSeen(element, () => read().catch(failed)));
  read().catch(failed);
}

function cause(one, model) {
  const count = `${one.runs.length} ${one.runs.length === 1 ? "run" : "runs"}`;
  const links = one.runs.slice(0, SHOWN).map((id) => h("a", { href: pageOf("runs", id), onmouseenter: () => model.hover(id), onmouseleave: () => model.hover(null) }, model.run(id)?.name || id));
  return h(
    "article",
    { class: "failure" },
    h("h3", {}, h("span", { class: "failure-count" }, count), " ", h("span", { class: "failure-cause" }, one.cause)),
    one.traits.length ? h("ul", {}, one.traits.map((trait) => h("li", {}, sentence(trait)))) : h("p", { class: "soft" }, one.runs.length > 1 ? "These runs have no value of a parameter more often than the others." : "One run alone has nothing in common with others."),
    h("p", { class: "failure-runs" }, links.map((link, i) => [i ? " " : "", link]), one.runs.length > SHOWN ? h("span", { class: "soft" }, ` and ${one.runs.length - SHOWN} more`) : null),
  );
}

function sentence(trait) {
  const share = (part, whole) => `${Math.round((100 * part) / Math.max(1, whole))} %`;
  return [h("b", {}, `${trait.name} ${RELATIONS[trait.relation]} ${value(trait.value)}`), ` in ${trait.inside} of these ${trait.of_inside} (${share(trait.inside, trait.of_inside)}), and in ${share(trait.outside, trait.of_outside)} of the ${trait.of_outside} that did not fail.`];
}
