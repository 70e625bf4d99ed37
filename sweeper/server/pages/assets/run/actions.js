// The buttons of a run: stop it, or have it tried again, for whoever may; and who pressed them last.

import { context, dataOf, get, post } from "../api.js";
import { ask } from "../ask.js";
import { fill, h } from "../dom.js";
import { onChange } from "../live.js";
import { history } from "../said.js";

const VERBS = { stop: "Stop", retry: "Try again" };
const QUESTIONS = {
  stop: { title: "Stop this run?", text: "Its process ends within seconds, with all that it has logged so far. The sweep goes on.", verb: "Stop the run", danger: true },
  retry: { title: "Try this run again?", text: "It waits for an agent, with the same id, parameters and checkpoint. What it logs then takes the place of what it has logged, or goes on behind it, as its trainer does it.", verb: "Try it again" },
};

/** Draw the buttons into an element. */
export function mount(element) {
  const buttons = h("div", { class: "action-buttons", role: "group", "aria-label": "What you can do with this run" });
  const said = h("div", { class: "action-said" });
  const fault = h("p", { class: "error", role: "alert" });
  fill(element, buttons, said, fault);
  let shown = "";
  const show = (told) => {
    fill(fault);
    if (JSON.stringify(told) === shown) return;
    shown = JSON.stringify(told);
    const focused = buttons.contains(document.activeElement);
    const list = told.actions.map((action) => h("button", { type: "button", dataset: { action }, onClick: () => press(action, show) }, VERBS[action] ?? action));
    fill(buttons, list, told.stopping ? h("span", { class: "soft" }, "It is being stopped.") : null);
    if (focused) buttons.querySelector("button")?.focus();
    fill(said, history(told.said));
  };
  const read = () => get(dataOf("runs", context.run, "actions")).then(show, (error) => fill(fault, `What you can do with this run is not known: ${error.message}`));
  onChange("run", read);
  read();
}

function press(action, show) {
  const address = ["/-/actions", ...[context.entity, context.project, "runs", context.run, action].map(encodeURIComponent)].join("/");
  ask({ ...QUESTIONS[action], text: context.sweep ? QUESTIONS[action].text : QUESTIONS[action].text.replace(" The sweep goes on.", ""), act: async (reason) => show(await post(address, { reason })) });
}
