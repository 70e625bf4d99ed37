// The columns that the table of runs can have. A column's id stands in the address: those of an axis (`axis_names.js`), and
// a few words for what no axis can show.

import { duration, moment, number, value as shown } from "../format.js";
import { axisTitle, axisValues } from "./axis_names.js";
import { varied } from "./parameters.js";

const DEFAULT_PARAMETERS = 8;

const FIXED = {
  number: { title: "#", about: "run number", kind: "number", get: (run) => run.number || null },
  name: { title: "run", about: "name", kind: "text", get: (run) => run.name },
  id: { title: "id", about: "id", kind: "text", get: (run) => run.id },
  state: { title: "state", about: "state", kind: "text", get: (run) => run.fate },
  duration_s: { title: "duration", about: "duration", kind: "number", get: (run) => run.duration_s, text: duration },
  iterations: { title: "logged", about: "logged values", kind: "number", get: (run) => run.iterations },
  created_at: { title: "created", about: "when it was created", kind: "time", get: (run) => run.created_at, text: moment },
  started_at: { title: "started", about: "when it started", kind: "time", get: (run) => run.started_at, text: moment },
  ended_at: { title: "ended", about: "when it ended", kind: "time", get: (run) => run.ended_at, text: moment },
  heard_at: { title: "last heard", about: "when it was last heard of", kind: "time", get: (run) => run.heard_at, text: moment },
  host: { title: "host", about: "host", kind: "text", get: (run) => run.host || null },
  slot: { title: "slot", about: "slot", kind: "text", get: (run) => run.slot || null },
  attempts: { title: "attempts", about: "attempts", kind: "number", get: (run) => run.retries + 1 },
  reason: { title: "reason", about: "reason of its end", kind: "text", get: (run) => run.reason || null },
};

/** Columns that are always there, in front. */
export const ALWAYS = ["name"];

/**
 * Make the column of an id; null if there is none of that name in this sweep.
 * @returns {{id: string, title: string, about: string, kind: string, get: function, text: function}} `get` gives a run's
 *   value, or null; `text` writes one. `kind`: `number` and `time` stand right, `text` left, `any` as its values are.
 */
export function columnOf(id, model) {
  if (Object.hasOwn(FIXED, id)) return { text: shown, id, ...FIXED[id], ...(FIXED[id].kind === "number" && !FIXED[id].text ? { text: number } : {}) };
  if (id === "value") return model.metric && !model.sweep.several ? { id, title: model.metric.name, about: `best ${model.metric.name}`, kind: "number", get: (run) => run.value, text: number } : null;
  if (/^v\.\d+$/.test(id)) return objective(id, model);
  if (id.startsWith("p.") && !known(id.slice(2), model)) return null;
  if (!id.startsWith("p.") && !/^m\.(last|min|max)\./.test(id)) return null;
  // a column of a metric may not be read yet: then it is empty, and filled when it is there
  const get = (run) => values(run) ?? null;
  const values = axisValues(id, model) ?? (() => null);
  const title = axisTitle(id, model);
  return { id, title, about: title, kind: id.startsWith("m.") ? "number" : "any", get, text: shown };
}

function objective(id, model) {
  const place = Number(id.slice(2));
  const about = model.sweep.several ? model.sweep.objectives[place] : null;
  return about ? { id, title: about.name, about: about.name, kind: "number", get: (run) => run.values[place] ?? null, text: number, goal: about.goal } : null;
}

function known(name, model) {
  return model.sweep.parameters.some((one) => one.name === name) || model.runs.some((run) => Object.hasOwn(run.params, name));
}

/** The ids of the columns that are shown while nobody has chosen any; on a narrow page what matters comes first. */
export function usual(model, isNarrow = false) {
  const parameters = varied(model.sweep).map((name) => `p.${name}`);
  const head = isNarrow ? ["name", ...objectives(model), "state"] : ["number", "name", "state", ...objectives(model)];
  return [...head, ...parameters.slice(0, DEFAULT_PARAMETERS), "duration_s", "reason"];
}

/** The columns of what the sweep optimises. */
export function objectives(model) {
  if (model.sweep.several) return model.sweep.objectives.map((_, i) => `v.${i}`);
  return model.metric ? ["value"] : [];
}

/** All ids there are, by groups, for the one who chooses: `[title, ids][]`. Of a logged key there are three. */
export function groups(model) {
  const parameters = model.sweep.parameters.map((one) => `p.${one.name}`);
  const run = Object.keys(FIXED).filter((id) => !ALWAYS.includes(id));
  return [
    ["objective", objectives(model)],
    ["parameters", parameters],
    ["run", run],
    ["logged", model.metrics.flatMap((key) => ["last", "min", "max"].map((which) => `m.${which}.${key}`))],
  ];
}

/** Read the ids in an address; null where it has none. */
export function fromAddress(text) {
  if (!text) return null;
  return [...new Set(text.split(" ").filter(Boolean).map((id) => id.replaceAll("%20", " ").replaceAll("%25", "%")))];
}

/** Write ids into an address, so that it can be read there: a space becomes `+`. */
export function toAddress(ids) {
  return ids.map((id) => id.replaceAll("%", "%25").replaceAll(" ", "%20")).join(" ");
}
