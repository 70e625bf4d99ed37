// What people asked of a sweep or a run, in a line each: who, when, why.

import { h } from "./dom.js";
import { ago, moment } from "./format.js";

const PAST = { pause: "paused", resume: "resumed", stop: "stopped", cancel: "canceled", retry: "tried again" };

/**
 * Write one of them.
 * @param {object} action - As the server tells it: `name`, `user_name`, `reason`, `created_at`, `run`.
 * @param {function(string): Node|string} [named] - Writes a run's id; left out where the page is the run's own.
 */
export function sentence(action, named = null) {
  const what = PAST[action.name] ?? action.name;
  return [
    named && action.run ? ["run ", named(action.run), " "] : null,
    `${what} by ${action.user_name} `,
    h("time", { datetime: new Date(action.created_at * 1000).toISOString(), title: moment(action.created_at) }, ago(action.created_at)),
    action.reason ? `: ${action.reason}` : null,
  ];
}

/** Write the latest of them, with the others behind a disclosure. Null if there is none. */
export function history(said, named = null) {
  if (!said.length) return null;
  const latest = h("span", {}, sentence(said[0], named));
  if (said.length === 1) return h("p", { class: "said soft" }, latest);
  const earlier = said.slice(1).map((one) => h("li", {}, sentence(one, named)));
  return h("details", { class: "said soft" }, h("summary", {}, latest, h("span", { class: "said-more" }, ` · ${earlier.length} earlier`)), h("ol", {}, earlier));
}
