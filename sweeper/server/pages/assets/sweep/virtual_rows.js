// Rows of equal height in a box that scrolls: only those in sight are elements, so that ten thousand cost as much as forty.

import { h } from "../dom.js";

const BEYOND = 8;
const MOST_PRINTED = 3000;

/**
 * Show rows.
 * @param {HTMLElement} box - What scrolls.
 * @param {HTMLTableSectionElement} body - Where the rows are; the head above it sticks.
 * @param {{height: number, row: function(number): HTMLTableRowElement}} about - Pixels of a row, and what makes one.
 * @returns {{show: function(number), redraw: function(), reveal: function(number), perPage: function(): number}}
 */
export function virtualRows(box, body, { height, row }) {
  let count = 0;
  let range = [0, 0];
  let made = new Map();
  let held = false;
  let late = false;
  let printing = false;

  const space = (rows) => {
    // as many as there are columns: more would take width from them
    const cell = h("td", { colspan: body.previousElementSibling?.rows[0]?.cells.length ?? 1 });
    cell.style.height = `${rows * height}px`;
    return rows > 0 ? h("tr", { class: "row-space", "aria-hidden": "true" }, cell) : null;
  };
  const headHeight = () => body.previousElementSibling?.offsetHeight ?? 0;
  const wanted = () => {
    if (printing) return [0, Math.min(count, MOST_PRINTED)];
    const first = Math.floor(box.scrollTop / height) - BEYOND;
    const last = Math.ceil((box.scrollTop + box.clientHeight) / height) + BEYOND;
    return [Math.max(0, Math.min(first, count)), Math.min(count, Math.max(0, last))];
  };
  const draw = (force) => {
    const next = wanted();
    if (!force && next[0] === range[0] && next[1] === range[1]) return;
    // between a press and its release the element below the pointer must stay, or there is no click
    if (held) {
      late = true;
      return;
    }
    range = next;
    const known = force ? new Map() : made;
    made = new Map();
    for (let place = range[0]; place < range[1]; place += 1) made.set(place, known.get(place) ?? row(place));
    const rows = [...made.values()];
    body.replaceChildren(...[space(range[0]), ...rows, space(count - range[1])].filter(Boolean));
  };
  box.addEventListener("scroll", () => draw(false), { passive: true });
  new ResizeObserver(() => draw(false)).observe(box);
  body.addEventListener("pointerdown", () => (held = true));
  for (const name of ["pointerup", "pointercancel"]) {
    window.addEventListener(name, () =>
      setTimeout(() => {
        held = false;
        if (late) draw(true);
        late = false;
      }, 0),
    );
  }
  for (const name of ["beforeprint", "afterprint"]) {
    window.addEventListener(name, () => {
      printing = name === "beforeprint";
      draw(true);
    });
  }
  return {
    show(number) {
      count = number;
      draw(true);
    },
    redraw: () => draw(true),
    reveal(place) {
      const top = place * height;
      const room = box.clientHeight - headHeight();
      if (top < box.scrollTop) box.scrollTop = top;
      else if (top + height > box.scrollTop + room) box.scrollTop = top + height - room;
      draw(false);
    },
    perPage: () => Math.max(1, Math.floor((box.clientHeight - headHeight()) / height) - 1),
  };
}
