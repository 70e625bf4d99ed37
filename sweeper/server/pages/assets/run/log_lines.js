// Lines of a log: kept in parts as they are read, and drawn one by one.

import { get } from "../api.js";
import { h } from "../dom.js";
import { spans } from "./ansi.js";

export const LINE_PX = 20;
const PART = 500;
const MOST_PARTS = 60;

/** The lines that were read; the last parts that were looked at are kept. */
export class Lines {
  constructor(address) {
    this.address = address;
    this.total = 0;
    this.parts = new Map();
    this.asked = new Set();
  }

  /** Give a line by its number; undefined if it was not read yet. */
  get(number) {
    return this.parts.get(Math.floor(number / PART))?.get(number);
  }

  /** See how many there are; what is behind the last whole part is read anew. */
  async refresh() {
    const { total, lines } = await get(this.address, { size: PART });
    const last = Math.floor(total / PART);
    if (total < this.total) this.parts.clear();
    for (const part of this.parts.keys()) if (part >= Math.floor(this.total / PART) && part !== last) this.parts.delete(part);
    this.total = total;
    this.keep(lines);
  }

  /** Read the lines from one to before another, and say when they are here. */
  want(from, to, ready) {
    for (let part = Math.floor(from / PART); part * PART < to; part += 1) {
      const known = this.parts.get(part);
      const isWhole = known && known.size >= Math.min(PART, this.total - part * PART);
      if (isWhole || this.asked.has(part)) continue;
      this.asked.add(part);
      get(this.address, { start: part * PART, size: PART })
        .then(({ lines }) => {
          // a line may be missing for good: who asks again gets no more
          if (!this.parts.has(part)) this.parts.set(part, new Map());
          this.keep(lines);
          ready();
          setTimeout(() => this.asked.delete(part), 2000);
        })
        .catch(() => setTimeout(() => this.asked.delete(part), 2000));
    }
  }

  keep(lines) {
    for (const line of lines) {
      const part = Math.floor(line[0] / PART);
      if (!this.parts.has(part)) this.parts.set(part, new Map());
      this.parts.get(part).set(line[0], line);
    }
    for (const part of this.parts.keys()) {
      if (this.parts.size <= MOST_PARTS) break;
      this.parts.delete(part);
    }
  }
}

/** Make the element of a line; one that is not read yet has its number only. */
export function lineElement(number, line, { words = "", isLinked = false, isFound = false } = {}) {
  const [, time, isError, label, pieces] = line ?? [number, null, 0, "", []];
  const name = `L${number + 1}`;
  return h(
    "div",
    { class: ["log-line", isError ? "is-error" : "", isLinked ? "is-linked" : "", isFound ? "is-found" : ""].join(" ").trim(), id: name },
    h("a", { class: "log-number", href: `#${name}`, tabindex: -1, title: time ? `printed ${new Date(time).toLocaleString()}` : null, "aria-label": `line ${number + 1}` }, String(number + 1)),
    h("span", { class: "log-time", "aria-hidden": "true" }, time ? clock(time) : ""),
    isError ? h("span", { class: "log-error", title: "printed to stderr" }, "err ") : null,
    label ? h("span", { class: "soft" }, `[${label}] `) : null,
    spans(pieces, words),
  );
}

function clock(time) {
  const when = new Date(time);
  return [when.getHours(), when.getMinutes(), when.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}
