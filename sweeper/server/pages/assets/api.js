// What the page asks the server for: JSON under `/-/`, with the session's cookie.

import { released } from "./press.js";

/** An answer that is none: `message` says to a person what is wrong and what to do. */
export class ApiError extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/** What this page is about: `page`, `entity`, `project`, `sweep`, `run` as the template has them. */
export const context = { ...document.body.dataset };

/** The address of the data of this page's project, sweep or run: `dataOf("sweeps", id, "runs")`. */
export function dataOf(...parts) {
  return ["/-/data", context.entity, context.project, ...parts].map((part, i) => (i ? encodeURIComponent(part) : part)).join("/");
}

/** The address of a page: `pageOf("runs", id)`. */
export function pageOf(...parts) {
  return `/${[context.entity, context.project, ...parts].map(encodeURIComponent).join("/")}`;
}

/**
 * Read JSON; while something is pressed the answer, which will be drawn, waits for its release.
 * @param {string} address - Where from, without its query.
 * @param {object} query - Parameters; null and undefined ones are left out.
 * @param {AbortSignal} [signal] - Ends it.
 */
export async function get(address, query = {}, signal = undefined) {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined);
  const words = new URLSearchParams(given).toString();
  const said = await ask(words ? `${address}?${words}` : address, { signal });
  await released();
  return said;
}

/** Change something; the header is one that no other site can send. */
export async function post(address, body = {}) {
  const headers = { "Content-Type": "application/json", "X-Sweeper-Page": "1" };
  return ask(address, { method: "POST", headers, body: JSON.stringify(body) });
}

async function ask(address, options) {
  let answer;
  try {
    answer = await fetch(address, { credentials: "same-origin", ...options, headers: { Accept: "application/json", ...options.headers } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The server does not answer. This page goes on by itself once it does.");
  }
  if (answer.status === 401) throw new ApiError("This browser is no longer logged in: reload the page.", 401);
  const said = await answer.json().catch(() => null);
  if (!answer.ok) throw new ApiError(said?.errors?.[0]?.message ?? said?.error ?? `The server answered with ${answer.status}.`, answer.status);
  return said;
}
