// What is in the file that the table gives: all columns of the selected runs, with every digit.

import { context, dataOf, get } from "../api.js";
import { csv, download } from "../csv.js";
import { numbered, runsOf } from "./run_columns.js";

const AT_ONCE = 4;

/**
 * Make the file, and let the browser keep it.
 * @param {object} model - The model.
 * @param {string[]} ids - The runs, in the order of their rows.
 * @param {function(string)} say - Hears how far it is.
 */
export async function saveCsv(model, ids, say) {
  say("reading all digits…");
  const answer = await get(dataOf("sweeps", context.sweep, "runs"), { exact: 1 });
  const exact = new Map(numbered(runsOf(answer)).map((run) => [run.id, run]));
  const runs = ids.map((id) => exact.get(id)).filter(Boolean);
  const logged = await loggedColumns(answer.metrics, say);
  const columns = [...own(model), ...parameters(runs), ...logged];
  const rows = runs.map((run) => columns.map(([, value]) => value(run) ?? null));
  download(`${context.project}-${context.sweep}-runs.csv`, csv([columns.map(([title]) => title), ...rows]));
  say(`${runs.length} ${runs.length === 1 ? "run" : "runs"} with ${columns.length} columns`);
}

function own(model) {
  const metric = model.sweep.several ? null : model.metric?.name;
  const several = model.sweep.several ? model.sweep.objectives : [];
  const best = metric ? [["best", (run) => run.value]] : [];
  return [
    ["number", (run) => run.number || null],
    ["id", (run) => run.id],
    ["name", (run) => run.name],
    ["state", (run) => run.state],
    ...best,
    ...several.map((one, i) => [one.name, (run) => run.values[i]]),
    ["duration_s", (run) => run.duration_s],
    ["logged_values", (run) => run.iterations],
    ["created_at", (run) => time(run.created_at)],
    ["started_at", (run) => time(run.started_at)],
    ["ended_at", (run) => time(run.ended_at)],
    ["host", (run) => run.host],
    ["slot", (run) => run.slot],
    ["attempts", (run) => run.retries + 1],
    ["reason", (run) => run.reason],
  ];
}

function parameters(runs) {
  const names = new Set(runs.flatMap((run) => Object.keys(run.params)));
  return [...names].map((name) => [`config.${name}`, (run) => run.params[name]]);
}

/** Last, least and greatest of every logged key; read a few at a time. */
async function loggedColumns(keys, say) {
  const found = new Map();
  const left = [...keys];
  const work = async () => {
    for (let key = left.shift(); key !== undefined; key = left.shift()) {
      const answer = await get(dataOf("sweeps", context.sweep, "metric"), { key, exact: 1 });
      found.set(key, { ...answer, places: new Map(answer.ids.map((id, i) => [id, i])) });
      say(`reading what the runs logged: ${found.size} of ${keys.length} keys…`);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return keys.flatMap((key) => ["last", "min", "max"].map((which) => [`${key} (${which})`, (run) => found.get(key)[which][found.get(key).places.get(run.id)]]));
}

function time(seconds) {
  return seconds === null ? null : new Date(seconds * 1000).toISOString();
}
