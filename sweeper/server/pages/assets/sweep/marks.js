// Runs that the viewer has marked: to compare them, stop them, or have them tried again.

import { pageOf } from "../api.js";
import { ask } from "../ask.js";
import { fill, h } from "../dom.js";
import { choose, chosen } from "../url_state.js";
import { askOfRun, mayRetry, mayStop, onPermits, renew } from "./permits.js";

/** As many as the page that compares them shows. */
export const MOST = 20;

/**
 * Make the marks and their bar, which is shown while there are any.
 * @param {object} model - The model.
 * @param {function()} changed - Hears that they have changed.
 */
export function marks(model, changed) {
  const marked = new Set((chosen("marked") ?? "").split(",").filter(Boolean));
  const bar = h("div", { class: "selection", role: "region", "aria-label": "Marked runs", hidden: true });
  const show = () => {
    const runs = [...marked].map((id) => model.run(id)).filter(Boolean);
    bar.hidden = marked.size === 0;
    const count = runs.length === 1 ? "1 run marked" : `${runs.length} runs marked`;
    fill(bar, h("span", { role: "status" }, marked.size > MOST ? `${count}, ${MOST} at most are compared` : count), compare(), act("stop", runs.filter(mayStop)), act("retry", runs.filter(mayRetry)), h("button", { type: "button", class: "plain", onClick: clear }, "clear"));
  };
  const compare = () => {
    if (marked.size < 2 || marked.size > MOST) return null;
    return h("a", { class: "button", href: `${pageOf("compare")}?runs=${[...marked].map(encodeURIComponent).join(",")}` }, "Compare");
  };
  const act = (action, runs) => {
    if (!runs.length) return null;
    const verb = action === "stop" ? "Stop" : "Try again";
    return h("button", { type: "button", class: "button", onClick: () => askAbout(action, runs, model) }, runs.length > 1 || marked.size > 1 ? `${verb} ${runs.length}` : verb);
  };
  const told = () => {
    choose("marked", [...marked].join(","));
    show();
    changed();
  };
  const clear = () => {
    marked.clear();
    told();
  };
  onPermits(show);
  return {
    bar,
    show,
    has: (id) => marked.has(id),
    toggle(id) {
      if (!marked.delete(id)) marked.add(id);
      told();
    },
  };
}

function askAbout(action, runs, model) {
  const one = runs.length === 1;
  const which = one ? runs[0].name : `${runs.length} runs`;
  const words = {
    stop: { title: `Stop ${which}?`, text: `${one ? "Its process ends" : "Their processes end"} within seconds, with all that ${one ? "it has" : "they have"} logged so far. The sweep goes on.`, verb: one ? "Stop the run" : `Stop ${runs.length} runs`, danger: true },
    retry: { title: `Try ${which} again?`, text: `${one ? "It waits" : "They wait"} for an agent, with the same ${one ? "id, parameters and checkpoint" : "ids, parameters and checkpoints"}.`, verb: one ? "Try it again" : `Try ${runs.length} again` },
  }[action];
  ask({
    ...words,
    act: async (reason) => {
      const refused = [];
      for (const run of runs) await askOfRun(run.id, action, reason).catch((error) => refused.push(one ? error.message : `${run.name}: ${error.message}`));
      renew();
      model.load();
      if (refused.length) throw new Error(one ? refused[0] : `${runs.length - refused.length} of ${runs.length} done. ${refused.slice(0, 3).join(" · ")}`);
    },
  });
}
