// The log: as many lines as the window shows, read as they come into it, so that a hundred thousand cost no more than fifty.

import { context, dataOf } from "../api.js";
import { fill, h } from "../dom.js";
import { live } from "../live.js";
import { onTheme } from "../theme.js";
import { choose, chosen } from "../url_state.js";
import { lineElement, LINE_PX, Lines } from "./log_lines.js";
import { Search } from "./log_search.js";

const MOST_PX = 16_000_000; // browsers lay out no taller element
const AHEAD = 30;

/** Show the log in a tab. */
export async function mount(element) {
  const lines = new Lines(dataOf("runs", context.run, "log"));
  const view = parts();
  fill(element, view.bar, view.box);
  let first = 0; // of the lines that the window can reach
  let drawn = "";
  let follows = chosen("follow", "1") === "1" && !/^#L\d+$/.test(location.hash);
  view.follow.checked = follows;

  const search = new Search(view, dataOf("runs", context.run, "log", "search"), {
    goTo: (number) => goTo(number, false),
    redraw: () => draw(true),
    from: () => first + Math.floor(view.box.scrollTop / LINE_PX),
    total: () => lines.total,
  });

  function resize() {
    first = Math.max(0, lines.total - Math.floor(MOST_PX / LINE_PX));
    view.space.style.height = `${Math.max(lines.total - first, 1) * LINE_PX}px`;
    view.count.textContent = lines.total === 1 ? "1 line" : `${lines.total.toLocaleString("en")} lines`;
    view.early.hidden = first === 0;
    view.early.textContent = `The first ${first.toLocaleString("en")} lines are only in output.log.`;
    view.empty.hidden = lines.total > 0;
  }

  function range() {
    const top = first + Math.floor(view.box.scrollTop / LINE_PX);
    return [Math.max(first, top - AHEAD), Math.min(lines.total, top + Math.ceil(view.box.clientHeight / LINE_PX) + AHEAD)];
  }

  function draw(always = false) {
    const [from, to] = range();
    lines.want(from, to, () => draw(true));
    const key = `${from} ${to}`;
    if (key === drawn && !always) return;
    drawn = key;
    view.lines.style.transform = `translateY(${(from - first) * LINE_PX}px)`;
    const marked = linked();
    const made = [];
    for (let number = from; number < to; number += 1) {
      made.push(lineElement(number, lines.get(number), { words: search.words, isLinked: number === marked, isFound: number === search.current }));
    }
    fill(view.lines, made);
  }

  function goTo(number, isLinked) {
    if (!isLinked) setFollows(false);
    view.box.scrollTop = Math.max(0, (number - first) * LINE_PX - view.box.clientHeight / 3);
    draw(true);
  }

  function toEnd() {
    view.box.scrollTop = view.space.offsetHeight;
    draw();
  }

  function setFollows(is) {
    if (is === follows) return;
    follows = is;
    view.follow.checked = is;
    choose("follow", is ? null : "0");
  }

  async function refresh() {
    const before = lines.total;
    await lines.refresh();
    resize();
    if (lines.total !== before) search.more();
    if (follows) toEnd();
    else draw(lines.total !== before);
  }

  view.box.addEventListener("scroll", () => {
    draw();
    const isAtEnd = view.box.scrollTop + view.box.clientHeight >= view.space.offsetHeight - 2 * LINE_PX;
    if (!isAtEnd && view.box.matches(":hover, :focus-within, :focus")) setFollows(false);
  });
  view.follow.addEventListener("change", () => {
    setFollows(view.follow.checked);
    if (follows) toEnd();
  });
  view.lines.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", `${location.pathname}${location.search}${link.hash}`);
    setFollows(false);
    draw(true);
  });
  window.addEventListener("hashchange", () => linked() !== null && goTo(linked(), true));
  new ResizeObserver(() => draw()).observe(view.box);
  onTheme(() => draw(true));

  await refresh();
  if (linked() !== null) goTo(linked(), true);
  live.onChange("run", refresh);
}

/** The line that the address names, from 0. */
function linked() {
  const found = /^#L(\d+)$/.exec(location.hash);
  return found ? Number(found[1]) - 1 : null;
}

function parts() {
  const words = h("input", { type: "search", placeholder: "search the log", "aria-label": "Search the log", autocomplete: "off", spellcheck: "false" });
  const status = h("span", { class: "soft log-status", role: "status" });
  const before = h("button", { type: "button", "aria-label": "Line before that has it", disabled: true }, "↑");
  const next = h("button", { type: "button", "aria-label": "Next line that has it", disabled: true }, "↓");
  const follow = h("input", { type: "checkbox" });
  const count = h("span", { class: "soft" });
  const early = h("p", { class: "soft", hidden: true });
  const empty = h("p", { class: "empty", hidden: true }, "Nothing was printed yet. What the run writes to its output and its errors appears here within seconds.");
  const lines = h("div", { class: "log-lines" });
  const space = h("div", { class: "log-space" }, lines);
  return {
    words, status, before, next, follow, count, early, empty, lines, space,
    bar: h("div", { class: "bar" }, words, before, next, status, h("label", { class: "log-follow" }, follow, " follow"), count, h("a", { class: "button", href: `${dataOf("runs", context.run, "log", "text")}`, download: `${context.run}.log` }, "download")),
    box: h("div", { class: "log", tabindex: 0, role: "region", "aria-label": "Log of this run" }, early, empty, space),
  };
}
