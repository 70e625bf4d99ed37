// The page of a run: opens its tabs, each with a script of its own, and keeps its head true while the run goes on.

import { dataOf, context, get } from "../api.js";
import { find, fill, h } from "../dom.js";
import { duration, number, value } from "../format.js";
import { live } from "../live.js";
import { tabs } from "../tabs.js";
import { mount as mountActions } from "./actions.js";

const panels = {
  charts: () => import("./charts.js"),
  system: () => import("./system.js"),
  logs: () => import("./logs.js"),
  files: () => import("./files.js"),
};
const mounted = new Set();
let wasOpened = false;

/** Fill a tab the first time it is opened; a script that is not there leaves what the server wrote. */
async function opened(name) {
  const element = find(`[data-tab="${name}"]`);
  if (mounted.has(name) || element.dataset.script === undefined) return;
  mounted.add(name);
  try {
    const script = await panels[name]();
    await script.mount(element);
  } catch (error) {
    mounted.delete(name);
    fill(element, h("p", { class: "error", role: "alert" }, `${error.message} `, h("button", { type: "button", onClick: () => opened(name) }, "Try again")));
  }
}

const shown = {
  best: number,
  last: number,
  rows: (count) => String(count),
  duration_s: duration,
  attempt: (count) => String(count),
  state: String,
};

/** Read the head anew. */
async function refresh() {
  const isOverview = !find("#panel-overview").hidden;
  const facts = await get(dataOf("runs", context.run), { summary: isOverview ? 1 : null });
  if (facts.summary) showSummary(facts.summary);
  for (const [name, write] of Object.entries(shown)) {
    const element = document.querySelector(`[data-fact="${name}"]`);
    if (element) element.textContent = write(facts[name]);
  }
  const fate = find('[data-fact="fate"]');
  fate.textContent = facts.fate;
  fate.className = `state ${facts.fate}`;
  const reason = find('[data-fact="reason"]');
  reason.textContent = facts.reason;
  reason.className = `reason ${facts.fate}`;
  reason.hidden = !facts.reason;
  for (const one of facts.values) {
    const element = [...document.querySelectorAll("[data-value]")].find((each) => each.dataset.value === one.name);
    if (element) element.textContent = number(one.value);
  }
}

/** Show the summary anew, sorted as the server does it. */
function showSummary(summary) {
  const names = Object.keys(summary).sort((a, b) => a.toLowerCase().localeCompare(b.toLowerCase()));
  if (!names.length) return;
  const card = find('[data-pairs="Summary"]');
  const box = card.querySelector(".rows") ?? h("div", { class: "rows", tabindex: 0, role: "region", "aria-label": "Summary" });
  fill(box, h("table", { class: "pairs" }, h("tbody", {}, names.map((name) => h("tr", {}, h("th", { scope: "row" }, name), h("td", {}, h("code", {}, value(summary[name]))))))));
  fill(card, h("h2", {}, "Summary ", h("span", { class: "soft" }, String(names.length))), box);
}

mountActions(find("[data-actions]"));
tabs(find(".tabs"), (name) => {
  opened(name);
  // what came while another tab was open
  if (name === "overview" && wasOpened) refresh().catch(() => {});
  wasOpened = true;
});
live.onChange("run", refresh);
