// The search through a log: the server looks through all of it, the arrows go from line to line.

import { get } from "../api.js";

const PAUSE_MS = 250;

export class Search {
  constructor(view, address, { goTo, redraw, from, total }) {
    Object.assign(this, { view, address, goTo, redraw, from, total });
    this.words = "";
    this.found = [];
    this.at = -1;
    this.end = null;
    this.asking = null;
    this.fault = "";
    let timer = 0;
    view.words.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(() => this.begin(), PAUSE_MS);
    });
    view.words.addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      event.preventDefault();
      this.step(event.shiftKey ? -1 : 1);
    });
    view.before.addEventListener("click", () => this.step(-1));
    view.next.addEventListener("click", () => this.step(1));
  }

  /** The line that was gone to last. */
  get current() {
    return this.at >= 0 ? this.found[this.at] : -1;
  }

  async begin() {
    this.asking?.abort();
    this.words = this.view.words.value.toLowerCase();
    this.found = [];
    this.at = -1;
    this.end = 0;
    this.redraw();
    this.tell();
    if (this.words) await this.look(true);
  }

  /** Look through what was printed since. */
  more() {
    if (this.words && !this.asking) this.look(false);
  }

  async look(isFirst) {
    const asking = new AbortController();
    this.asking = asking;
    this.fault = "";
    let start = this.end ?? 0;
    try {
      while (start !== null && !asking.signal.aborted) {
        const { found, next } = await get(this.address, { q: this.words, start }, asking.signal);
        if (asking.signal.aborted) return;
        const known = this.found.at(-1) ?? -1;
        this.found.push(...found.filter((number) => number > known));
        if (isFirst && this.at < 0 && this.found.length) {
          const from = this.from();
          const at = this.found.findIndex((number) => number >= from);
          if (at >= 0 || next === null) this.go(at >= 0 ? at : 0);
        }
        this.end = next ?? this.total();
        start = next;
        this.tell(next !== null);
      }
    } catch (error) {
      if (error.name !== "AbortError") this.fault = error.message;
    } finally {
      if (this.asking === asking) {
        this.asking = null;
        this.tell();
      }
    }
  }

  step(by) {
    if (!this.found.length) return;
    this.go((this.at + by + this.found.length) % this.found.length);
  }

  go(at) {
    this.at = at;
    this.goTo(this.found[at]);
    this.tell();
  }

  tell(isLooking = false) {
    const count = this.found.length;
    this.view.before.disabled = this.view.next.disabled = count === 0;
    if (!this.words) this.view.status.textContent = "";
    else if (this.fault) this.view.status.textContent = this.fault;
    else if (count) this.view.status.textContent = `${this.at + 1} of ${count.toLocaleString("en")}${isLooking ? " …" : ""}`;
    else this.view.status.textContent = isLooking || this.asking ? "looking …" : "nowhere in this log";
  }
}
