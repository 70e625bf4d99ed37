// Hears from the server that what this page shows has changed. One connection a page, and none while nobody sees it: a
// browser has six for all its windows. So a few of those hold a stream, and the others look in every few seconds.

import { context } from "./api.js";
import { takeSeat } from "./seats.js";

const QUIET_MS = 1000;
const HIDDEN_MS = 5000;
const RETRY_MS = [1000, 2000, 5000, 10000];
const LOOK_IN_MS = 4000;

const listeners = new Map();
const statusListeners = new Set();
let source = null;
let leaveSeat = null;
let wanted = "";
let last = "";
let failures = 0;
let timer = 0;
let state = "waiting";

/**
 * Be called when something has changed: once a second at most, never while it is still at work, and after a connection
 * that was lost if anything has changed meanwhile.
 * @param {"home"|"project"|"sweep"|"run"} topic - Of what: of this page's own.
 * @param {function(): (Promise|undefined)} listener - Reads anew what it shows.
 * @returns {function()} Ends it.
 */
export function onChange(topic, listener) {
  const one = { listener, busy: false, again: false, timer: 0, at: 0 };
  listeners.set(topic, [...(listeners.get(topic) ?? []), one]);
  clearTimeout(timer);
  timer = setTimeout(connect, 0);
  return () => {
    const left = listeners.get(topic).filter((other) => other !== one);
    if (left.length) listeners.set(topic, left);
    else listeners.delete(topic);
    clearTimeout(one.timer);
    timer = setTimeout(connect, 0);
  };
}

/** Hear whether this page is `live`, `waiting` for the server, or `out`: no longer logged in. */
export function onStatus(listener) {
  statusListeners.add(listener);
  listener(state);
}

export const live = { onChange, onStatus };

function tell(now) {
  if (now === state) return;
  state = now;
  for (const listener of statusListeners) listener(state);
}

function address() {
  const query = new URLSearchParams({ topics: [...listeners.keys()].join(",") });
  for (const name of ["entity", "project", "sweep", "run"]) if (context[name]) query.set(name, context[name]);
  query.set("age", String(Math.round(performance.now())));
  if (last) query.set("last", last);
  return `/-/events?${query}`;
}

function connect() {
  clearTimeout(timer);
  const topics = [...listeners.keys()].join(",");
  if (source && topics === wanted && source.readyState !== EventSource.CLOSED) return;
  stop();
  if (!topics || document.hidden) return;
  if (topics !== wanted) last = "";
  wanted = topics;
  const mine = new EventSource(address());
  source = mine;
  const seated = takeSeat().then((leave) => {
    if (mine === source) leaveSeat = leave;
    else leave?.();
  });
  mine.addEventListener("changed", (event) => {
    if (mine !== source) return;
    last = event.lastEventId;
    failures = 0;
    tell("live");
    for (const topic of JSON.parse(event.data).topics) (listeners.get(topic) ?? []).forEach(call);
    seated.then(() => mine === source && !leaveSeat && lookInLater());
  });
  mine.addEventListener("error", () => mine === source && lost());
}

/** Without a seat: what the stream begins with says what has changed since the last time, and that is enough. */
function lookInLater() {
  stop();
  timer = setTimeout(connect, LOOK_IN_MS);
}

/** A browser gives up on a server that is restarted at that moment: then we come back ourselves. */
async function lost() {
  if (source.readyState === EventSource.CONNECTING && failures === 0) {
    failures = 1; // a stream that has ended as it should: the browser is on its way back
    return;
  }
  const isRefused = source.readyState === EventSource.CLOSED;
  source.close();
  failures += 1;
  tell("waiting");
  if (isRefused && (await isOut())) {
    tell("out");
    return;
  }
  timer = setTimeout(connect, RETRY_MS[Math.min(failures, RETRY_MS.length - 1)]);
}

async function isOut() {
  try {
    return (await fetch(address(), { method: "HEAD", headers: { Accept: "application/json" } })).status === 401;
  } catch {
    return false;
  }
}

async function call(one) {
  const wait = one.at + QUIET_MS - performance.now();
  if (one.busy || one.timer) {
    one.again = one.busy;
    return;
  }
  if (wait > 0) {
    one.timer = setTimeout(() => {
      one.timer = 0;
      call(one);
    }, wait);
    return;
  }
  one.busy = true;
  try {
    await one.listener();
  } catch (error) {
    if (error.status === 401) tell("out");
    one.again = one.again || error.status === 0; // the server did not answer: it is asked again until it does
  }
  one.busy = false;
  one.at = performance.now() + (one.again ? QUIET_MS : 0);
  if (one.again) {
    one.again = false;
    call(one);
  }
}

document.addEventListener("visibilitychange", () => {
  clearTimeout(timer);
  if (document.hidden) timer = setTimeout(stop, HIDDEN_MS);
  else connect();
});

// what a browser keeps for its button "back" must hold no connection
window.addEventListener("pagehide", stop);
window.addEventListener("pageshow", (event) => event.persisted && connect());

function stop() {
  source?.close();
  source = null;
  leaveSeat?.();
  leaveSeat = null;
}
