// The buttons of a sweep: pause, resume, stop, cancel, for whoever may; and who pressed them last.

import { pageOf } from "../api.js";
import { ask } from "../ask.js";
import { fill, h } from "../dom.js";
import { history } from "../said.js";
import { askOfSweep, onPermits, renew } from "./permits.js";

const RENEW_MS = 5000;
const VERBS = { pause: "Pause", resume: "Resume", stop: "Stop", cancel: "Cancel" };

/** What a button asks, by its action: a question, what happens, and what the button says that does it. */
export function question(action, atWork, path) {
  const theirs = atWork === 1 ? "The run at work" : `The ${atWork} runs at work`;
  const launch = h("code", {}, `sweeper launch ${path}`);
  return {
    pause: { title: "Pause this sweep?", text: `${atWork ? `${theirs} ${atWork === 1 ? "goes" : "go"} on. ` : ""}No new run starts until somebody resumes it.`, verb: "Pause the sweep" },
    resume: { title: "Resume this sweep?", text: ["Agents that wait get runs again. If none is at work: ", launch], verb: "Resume the sweep" },
    stop: { title: "Stop this sweep?", text: `${atWork ? `${theirs} may finish. ` : ""}No new run starts. You can resume it later.`, verb: "Stop the sweep", danger: true },
    cancel: { title: "Cancel this sweep?", text: `${atWork ? `${theirs} ${atWork === 1 ? "is" : "are"} stopped within seconds; what ${atWork === 1 ? "it has" : "they have"} logged stays. ` : ""}No new run starts. This is for good: a canceled sweep cannot be resumed.`, verb: "Cancel the sweep", danger: true },
  }[action];
}

/** Draw the buttons into an element. */
export function mount(element, model) {
  const buttons = h("div", { class: "action-buttons", role: "group", "aria-label": "What you can do with this sweep" });
  const said = h("div", { class: "action-said" });
  const fault = h("p", { class: "error", role: "alert" });
  fill(element, buttons, said, fault);
  onPermits((told) => {
    // who presses one must find the focus where it was
    const focused = buttons.contains(document.activeElement) ? document.activeElement.dataset.action : null;
    fill(buttons, told.actions.map((action) => button(action, model)));
    if (focused) (buttons.querySelector(`[data-action="${focused}"]`) ?? buttons.querySelector("button"))?.focus();
    fill(said, history(told.said, (run) => named(run, model)));
  });
  let asked = { at: 0, state: null };
  const read = () => {
    const { state } = model.sweep;
    if (state === asked.state && performance.now() - asked.at < RENEW_MS) return;
    asked = { at: performance.now(), state };
    renew().then(
      () => fill(fault),
      (error) => fill(fault, `What you can do with this sweep is not known: ${error.message}`),
    );
  };
  model.on("data", read);
  read();
}

function button(action, model) {
  return h("button", { type: "button", dataset: { action }, onClick: () => press(action, model) }, VERBS[action] ?? action);
}

function press(action, model) {
  const atWork = model.runs.filter((run) => run.fate === "running" && !run.prior).length;
  ask({
    ...question(action, atWork, model.sweep.command),
    act: async (reason) => {
      await askOfSweep(action, reason);
      model.load();
    },
  });
}

function named(run, model) {
  return h("a", { href: pageOf("runs", run) }, model.run?.(run)?.name ?? run);
}
