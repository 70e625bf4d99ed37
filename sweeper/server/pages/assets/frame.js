// What every page has: the box that finds things, times that go on, buttons that copy, and whether it hears of changes.

import { get } from "./api.js";
import { copy, fill, find, h } from "./dom.js";
import { ago, moment } from "./format.js";
import { onStatus } from "./live.js";
import "./sideways.js";

const box = find("#find");
const list = find("#found");
const PAUSE_MS = 120;
const WORDS = { live: ["live", "This page shows changes as they happen"], waiting: ["waiting", "The server does not answer; this page goes on by itself once it does"], out: ["logged out", "This browser is no longer logged in: reload the page"] };

let asked = null;
let timer = 0;
let options = [];
let at = -1;

function search() {
  clearTimeout(timer);
  asked?.abort();
  const words = box.value.trim();
  if (!words) {
    close();
    return;
  }
  timer = setTimeout(async () => {
    asked = new AbortController();
    try {
      show(await get("/-/data/search", { q: words }, asked.signal));
    } catch (error) {
      if (error.name !== "AbortError") open(h("p", { class: "error" }, error.message));
    }
  }, PAUSE_MS);
}

function show(found) {
  options = [];
  at = -1;
  const groups = [
    ["Projects", found.projects],
    ["Sweeps", found.sweeps],
    ["Runs", found.runs],
  ].filter(([, entries]) => entries.length);
  if (!groups.length) {
    open(h("p", { class: "empty" }, "Nothing of that name. Names and ids are looked for, of runs those of the latest 20,000."));
    return;
  }
  open(
    groups.map(([title, entries]) =>
      h(
        "div",
        { role: "group", "aria-label": title },
        h("div", { "aria-hidden": "true" }, title),
        entries.map((entry) => option(entry)),
      ),
    ),
  );
}

function option(entry) {
  const element = h("div", { role: "option", id: `found-${options.length}`, "aria-selected": "false", onmousedown: (event) => event.preventDefault(), onclick: () => go(entry.page) }, entry.name, h("span", {}, entry.about));
  options.push({ element, page: entry.page });
  return element;
}

function open(...content) {
  fill(list, ...content);
  list.hidden = false;
  box.setAttribute("aria-expanded", "true");
  box.removeAttribute("aria-activedescendant");
}

function close() {
  list.hidden = true;
  options = [];
  at = -1;
  box.setAttribute("aria-expanded", "false");
  box.removeAttribute("aria-activedescendant");
}

function go(page) {
  location.assign(page);
}

function move(step) {
  if (!options.length) return;
  options[at]?.element.setAttribute("aria-selected", "false");
  at = (at + step + options.length) % options.length;
  const { element } = options[at];
  element.setAttribute("aria-selected", "true");
  element.scrollIntoView({ block: "nearest" });
  box.setAttribute("aria-activedescendant", element.id);
}

box.addEventListener("input", search);
box.addEventListener("blur", () => setTimeout(close, 100));
box.addEventListener("focus", () => box.value && search());
box.addEventListener("keydown", (event) => {
  if (event.key === "ArrowDown") move(1);
  else if (event.key === "ArrowUp") move(at < 0 ? 0 : -1);
  else if (event.key === "Enter" && at >= 0) go(options[at].page);
  else if (event.key === "Escape" && !list.hidden) close();
  else return;
  event.preventDefault();
});
document.addEventListener("keydown", (event) => {
  const isTyping = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  box.focus();
});

const link = find("#link");
onStatus((state) => {
  const [word, told] = WORDS[state] ?? ["", ""];
  link.dataset.state = state === "waiting" && !link.dataset.state ? "" : state;
  if (!link.dataset.state) return; // nothing was said yet: it is on its way
  find("span", link).textContent = word;
  link.title = told;
});

/** Write how long ago what `<time>` names was; the moment itself, in the viewer's time zone, is its title. */
export function showTimes(within = document) {
  for (const element of within.querySelectorAll("time[datetime]")) {
    const at = Date.parse(element.dateTime) / 1000;
    if (!element.title || element.title.endsWith("UTC")) element.title = moment(at);
    const words = "moment" in element.dataset ? moment(at) : ago(at);
    if (element.textContent !== words) element.textContent = words;
  }
}
showTimes();
setInterval(() => document.hidden || showTimes(), 20_000);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  await copy(button.dataset.copy);
  const words = button.textContent;
  button.textContent = "copied";
  setTimeout(() => (button.textContent = words), 1200);
});
