// What the viewer may ask of this sweep and its runs, as the server says it; renewed when the sweep changes.

import { context, dataOf, get, post } from "../api.js";

const listeners = new Set();
let told = null;
let reading = null;

/** What the server said last: `{state, actions, mine, others, retries, said}`; null before the first answer. */
export function permits() {
  return told;
}

/** Hear of it, now and whenever it has changed. */
export function onPermits(listener) {
  listeners.add(listener);
  if (told) listener(told);
}

/** Read it anew. */
export function renew() {
  reading ??= get(dataOf("sweeps", context.sweep, "actions"))
    .then(keep)
    .finally(() => (reading = null));
  return reading;
}

/** Ask something of the sweep; an error's message says why it was refused. */
export async function askOfSweep(action, reason) {
  keep(await post(addressOf("sweeps", context.sweep, action), { reason }));
}

/** Ask something of one of its runs. */
export async function askOfRun(run, action, reason) {
  return post(addressOf("runs", run, action), { reason });
}

/** The address of an action on a sweep or a run of this page's project. */
export function addressOf(kind, name, action) {
  return ["/-/actions", ...[context.entity, context.project, kind, name, action].map(encodeURIComponent)].join("/");
}

/** Whether a run could be stopped by the viewer, as far as can be told from here. */
export function mayStop(run) {
  return isMine(run) && (run.fate === "running" || run.fate === "waiting");
}

/** Whether a run could be tried again by the viewer; the server knows more, and says why not. */
export function mayRetry(run) {
  return isMine(run) && Boolean(told.retries) && (run.fate === "failed" || run.fate === "stopped");
}

function isMine(run) {
  return Boolean(told) && !run.prior && !told.others.includes(run.id);
}

function keep(answer) {
  const words = JSON.stringify(answer);
  if (told && words === JSON.stringify(told)) return;
  told = answer;
  for (const listener of listeners) listener(told);
}
