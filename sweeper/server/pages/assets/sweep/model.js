// What the sweep's page is about: the sweep, its runs, and which of them the viewer has selected. Every band draws this
// one selection, and is told when it changes.

import { ApiError, context, dataOf, get, pageOf } from "../api.js";
import { carryOver } from "../url_state.js";
import { merged, numbered, runsOf } from "./run_columns.js";
import { selection } from "./selection.js";

const OVERLAP_S = 5;
const WHOLE_AFTER_MS = 300_000;
const COLUMNS_FRESH_MS = 10_000;

/** What the viewer of a project chose of a sweep, and finds again at the next: not brushes, for values are others there. */
export const CARRIED = ["axes", "colour", "lines", "columns", "sort", "x", "tab", "state", "filter", "top", "imp.metric", "imp.which", "imp.goal", "imp.share", "smooth", "curve.metric", "curve.y", "contour.x", "contour.y"];

class Model {
  constructor() {
    this.sweep = null;
    this.runs = [];
    this.filtered = [];
    this.selected = [];
    this.metrics = [];
    this.notes = { saved_s: null, missing: [] };
    this.hovered = null;
    this.error = null;
    this.fault = null;
    this.listeners = new Map();
    this.columns = new Map();
    this.told = null;
    this.wholeAt = 0;
    this.loading = null;
  }

  /** Hear of something: `data` (sweep or runs), `selection` (also after data), `hover`, `error`. Gives what ends it. */
  on(event, listener) {
    this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
    return () => this.listeners.set(event, this.listeners.get(event).filter((one) => one !== listener));
  }

  tell(event) {
    for (const listener of this.listeners.get(event) ?? []) listener(this);
  }

  /** The metric that is optimised, or the first of several: `{name, goal}`; null if there is none. */
  get metric() {
    return this.sweep?.objectives[0] ?? null;
  }

  get goal() {
    return this.metric?.goal ?? "minimize";
  }

  /** The run of an id. */
  run(id) {
    return this.byId?.get(id) ?? null;
  }

  /** Read the sweep and its runs; later only what has changed. Called once by the page, then by what it hears. */
  load() {
    this.loading ??= this.read().finally(() => (this.loading = null));
    return this.loading;
  }

  async read() {
    const whole = this.told === null || Date.now() - this.wholeAt > WHOLE_AFTER_MS;
    const since = whole ? null : this.told.now - OVERLAP_S;
    try {
      const [sweep, answer] = await Promise.all([get(dataOf("sweeps", context.sweep)), get(dataOf("sweeps", context.sweep, "runs"), { since })]);
      this.take(sweep, answer, whole);
      if (this.told.total !== this.runs.length) await this.readWhole();
      this.error = null;
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      this.error = error.message;
    }
    this.tell("error");
  }

  async readWhole() {
    const answer = await get(dataOf("sweeps", context.sweep, "runs"));
    this.take(this.sweep, answer, true);
  }

  take(sweep, answer, whole) {
    this.sweep = sweep;
    this.told = { now: answer.now, total: answer.total };
    this.runs = whole ? numbered(runsOf(answer)) : merged(this.runs, runsOf(answer));
    this.byId = new Map(this.runs.map((run) => [run.id, run]));
    if (whole) {
      this.wholeAt = Date.now();
      this.metrics = answer.metrics;
      this.notes = { saved_s: answer.saved_s, missing: answer.missing };
    }
    if (whole || answer.runs.id.length) this.grown = true;
    this.tell("data");
    this.select();
  }

  /** Select anew, after a choice of the viewer. */
  select() {
    Object.assign(this, selection(this));
    this.tell("selection");
  }

  /** Point at a run in all bands; null points at none. */
  hover(id) {
    if (id === this.hovered) return;
    this.hovered = id;
    this.tell("hover");
  }

  /** Go to a run's page. */
  open(id) {
    location.assign(pageOf("runs", id));
  }

  /** What runs a run again, for a shell: a promise of text. */
  async rerunOf(id) {
    if (this.sweep.best?.id === id) return this.sweep.best.command;
    return (await get(dataOf("sweeps", context.sweep, "rerun"), { run: id })).command;
  }

  /** Any logged key of all runs: a promise of a map from run id to number. `which`: `last`, `min` or `max`. */
  column(key, which = "last") {
    this.forgetOld();
    const name = `${which}(${key})`;
    if (!this.columns.has(name)) this.columns.set(name, this.readColumn(key, which, name));
    return this.columns.get(name);
  }

  forgetOld() {
    if (!this.grown || Date.now() - (this.freshAt ?? 0) < COLUMNS_FRESH_MS) return;
    this.columns.clear();
    this.grown = false;
    this.freshAt = Date.now();
  }

  async readColumn(key, which, name) {
    const own = this.ownColumn(key, which);
    if (own) return this.keep(name, own);
    try {
      const answer = await get(dataOf("sweeps", context.sweep, "metric"), { key });
      for (const word of ["last", "min", "max"]) this.keep(`${word}(${key})`, new Map(answer.ids.map((id, i) => [id, answer[word][i]]).filter((pair) => pair[1] !== null)));
      return this.known.get(name);
    } catch (error) {
      this.columns.delete(name);
      throw error;
    }
  }

  /** The metric of the sweep itself comes with the runs. */
  ownColumn(key, which) {
    const place = this.sweep.objectives.findIndex((one) => one.name === key);
    if (place < 0 || (this.sweep.several && which !== "last")) return null;
    const field = { last: "last", min: "low", max: "high" }[which];
    const value = (run) => (this.sweep.several ? run.values[place] : run[field]) ?? null;
    return new Map(this.runs.map((run) => [run.id, value(run)]).filter((pair) => pair[1] !== null));
  }

  keep(name, column) {
    this.known ??= new Map();
    this.known.set(name, column);
    return column;
  }

  /** Read a column if it is not at hand, or was read before runs logged more, and select anew when it is there. */
  keepFresh(key, which) {
    this.forgetOld();
    if (!this.columns.has(`${which}(${key})`)) this.column(key, which).then(() => this.select(), () => undefined);
  }

  /** What `column` has read already, perhaps before the last change; undefined if nothing. */
  columnAtHand(key, which = "last") {
    return this.known?.get(`${which}(${key})`);
  }
}

export const model = new Model();

carryOver(`${context.entity}/${context.project}:sweep`, CARRIED);
