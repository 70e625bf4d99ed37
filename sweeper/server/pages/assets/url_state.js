// What the viewer chose: in the address, so that it can be sent to somebody, and kept for the project's next sweep.

const listeners = new Map();
const query = new URLSearchParams(location.search);
const carried = new Set();
let place = "";

/** Say under which name choices are kept for later pages, and which of them are (others are this page's alone). */
export function carryOver(name, keys) {
  place = `sweeper:${name}`;
  keys.forEach((key) => carried.add(key));
  const kept = read();
  for (const key of keys) if (!query.has(key) && key in kept) query.set(key, kept[key]);
}

/** Give a choice; `fallback` if none was made. */
export function chosen(key, fallback = null) {
  return query.has(key) ? query.get(key) : fallback;
}

/** Make a choice; null takes it back. */
export function choose(key, value) {
  if (value === null || value === undefined || value === "") query.delete(key);
  else query.set(key, String(value));
  const words = query.toString();
  history.replaceState(null, "", `${location.pathname}${words ? `?${words}` : ""}${location.hash}`);
  if (carried.has(key)) keep();
  for (const listener of listeners.get(key) ?? []) listener(value);
}

/** Hear of a choice. */
export function onChoice(key, listener) {
  listeners.set(key, [...(listeners.get(key) ?? []), listener]);
}

function keep() {
  const kept = {};
  for (const key of carried) if (query.has(key)) kept[key] = query.get(key);
  try {
    localStorage.setItem(place, JSON.stringify(kept));
  } catch {
    // a browser that keeps nothing shows the usual
  }
}

function read() {
  try {
    return JSON.parse(localStorage.getItem(place)) ?? {};
  } catch {
    return {};
  }
}
