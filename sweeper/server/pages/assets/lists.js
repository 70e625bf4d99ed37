// Pages that are lists: filtered as one types, marked for comparison, and brought up to date without losing either.

import { pageOf } from "./api.js";
import { find } from "./dom.js";
import { showTimes } from "./frame.js";
import { onChange } from "./live.js";
import { choose, chosen } from "./url_state.js";

const marked = new Set();
const MOST = 20;
const page = document.body.dataset.page;

function filter(name) {
  const body = document.querySelector(`[data-live="${name}"]`);
  const box = document.querySelector(`[data-filter="${name}"]`);
  const states = document.querySelector(`[data-filter-state="${name}"]`);
  if (!body) return;
  const words = (box?.value ?? "").toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const row of body.children) {
    const fits = words.every((word) => row.dataset.words.includes(word)) && (!states?.value || row.dataset.state === states.value);
    row.hidden = !fits;
    shown += fits;
  }
  const none = document.querySelector(`[data-filtered="${name}"]`);
  if (none) none.hidden = shown > 0;
}

const keyOf = (box) => (box.dataset.filter ? `filter-${box.dataset.filter}` : `state-${box.dataset.filterState}`);

document.addEventListener("input", (event) => {
  const box = event.target.closest("[data-filter], [data-filter-state]");
  if (!box) return;
  choose(keyOf(box), box.value);
  filter(box.dataset.filter ?? box.dataset.filterState);
});

function fillFilters() {
  for (const box of document.querySelectorAll("[data-filter], [data-filter-state]")) {
    box.value = chosen(keyOf(box), "") ?? "";
    filter(box.dataset.filter ?? box.dataset.filterState);
  }
}
fillFilters();

/** Sort a list by a column, the best known way round first; once more turns it; what has no value stays last. */
function sort(name) {
  const head = document.querySelector(`[data-sorts="${name}"]`);
  const body = document.querySelector(`[data-live="${name}"]`);
  const [by, way] = (chosen(`sort-${name}`, "") ?? "").split(" ");
  for (const cell of head?.querySelectorAll("[data-by]") ?? []) {
    if (cell.dataset.by === by) cell.setAttribute("aria-sort", way === "up" ? "ascending" : "descending");
    else cell.removeAttribute("aria-sort");
  }
  if (!head || !by) return;
  const turn = way === "up" ? 1 : -1;
  const rows = [...body.children].map((row) => [row, JSON.parse(row.dataset.sort)[by]]);
  const compare = (one, other) => {
    if (one === null || other === null || one === undefined || other === undefined) return (one ?? null) === (other ?? null) ? 0 : (one ?? null) === null ? 1 : -1;
    return turn * (typeof one === "number" && typeof other === "number" ? one - other : String(one).localeCompare(String(other)));
  };
  const sorted = [...rows].sort((one, other) => compare(one[1], other[1])).map(([row]) => row);
  if (sorted.some((row, i) => row !== body.children[i])) body.append(...sorted);
}

document.addEventListener("click", (event) => {
  const cell = event.target.closest("[data-sorts] [data-by]");
  if (!cell) return;
  const name = cell.closest("[data-sorts]").dataset.sorts;
  const { by } = cell.dataset;
  const first = ["name", "state", "metric", "method"].includes(by) ? "up" : "down";
  const [now, way] = (chosen(`sort-${name}`, "") ?? "").split(" ");
  choose(`sort-${name}`, now !== by ? `${by} ${first}` : way === first ? `${by} ${first === "up" ? "down" : "up"}` : null);
  if (chosen(`sort-${name}`) === null) refresh();
  sort(name);
});
document.querySelectorAll("[data-sorts]").forEach((head) => sort(head.dataset.sorts));

function showMarks() {
  const bar = document.querySelector("[data-selection]");
  if (!bar) return;
  bar.hidden = marked.size === 0;
  find("span", bar).textContent = marked.size === 1 ? "1 run marked: mark another one" : marked.size > MOST ? `${marked.size} runs marked, ${MOST} at most` : `${marked.size} runs marked`;
  const link = find("a", bar);
  const ready = marked.size > 1 && marked.size <= MOST;
  link.toggleAttribute("hidden", !ready);
  link.href = `${pageOf("compare")}?runs=${[...marked].map(encodeURIComponent).join(",")}`;
}

document.addEventListener("change", (event) => {
  const run = event.target.dataset?.compare;
  if (run === undefined) return;
  if (event.target.checked) marked.add(run);
  else marked.delete(run);
  showMarks();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-selection] button")) return;
  marked.clear();
  document.querySelectorAll("[data-compare]").forEach((box) => (box.checked = false));
  showMarks();
});
document.querySelectorAll("[data-compare]:checked").forEach((box) => marked.add(box.dataset.compare)); // kept by the browser
showMarks();

/** Read the page anew, and take over what is another: rows are known by their keys, and others stay as they are. */
export async function refresh() {
  const answer = await fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } });
  if (answer.status === 401) throw Object.assign(new Error("logged out"), { status: 401 });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  if (placesIn(document) !== placesIn(fresh)) {
    // the first project, the last run at work: there are other lists now
    find("main").replaceChildren(...[...find("main", fresh).childNodes].map((node) => document.importNode(node, true)));
    restoreMarks(document);
    fillFilters();
    showMarks();
  }
  for (const place of document.querySelectorAll("[data-live]")) {
    const news = fresh.querySelector(`[data-live="${place.dataset.live}"]`);
    if (!news) continue;
    if (news.children.length) merge(place, news);
    else if (place.textContent !== news.textContent) place.textContent = news.textContent;
    filterAgain(place.dataset.live);
    sort(place.dataset.live);
  }
  showTimes();
}

const placesIn = (page) => [...page.querySelectorAll("[data-live]")].map((place) => place.dataset.live).join();

function restoreMarks(within) {
  within.querySelectorAll("[data-compare]").forEach((box) => (box.checked = marked.has(box.dataset.compare)));
}

function filterAgain(name) {
  if (document.querySelector(`[data-filter="${name}"], [data-filter-state="${name}"]`)) filter(name);
}

function merge(place, news) {
  const old = new Map([...place.children].map((child) => [child.dataset.key, child]));
  const next = [...news.children].map((child) => {
    const known = old.get(child.dataset.key);
    if (known && same(known, child)) return known;
    const made = document.importNode(child, true);
    restoreMarks(made);
    return made;
  });
  const isKnown = next.length === place.children.length && next.every((child) => child.parentElement === place);
  const isSorted = chosen(`sort-${place.dataset.live}`) !== null;
  if (isKnown && (isSorted || next.every((child, i) => child === place.children[i]))) return;
  const focused = place.contains(document.activeElement) ? document.activeElement : null;
  place.replaceChildren(...next);
  if (!focused || document.activeElement === focused) return;
  const { compare } = focused.dataset;
  const again = compare ? `[data-compare="${CSS.escape(compare)}"]` : `a[href="${CSS.escape(focused.getAttribute("href") ?? "")}"]`;
  place.querySelector(again)?.focus();
}

/** Whether two rows say the same; how long ago something was, the page counts by itself. */
function same(one, other) {
  const moments = (element) => [...element.querySelectorAll("time")].map((time) => time.dateTime).join();
  const words = (element) => {
    const copy = element.cloneNode(true);
    copy.querySelectorAll("time").forEach((time) => time.remove());
    copy.querySelectorAll("[data-live]").forEach((live) => live.removeAttribute("data-live"));
    return `${copy.textContent} ${[...copy.querySelectorAll("title, a")].map((a) => a.getAttribute("href") ?? a.textContent).join()}`;
  };
  return moments(one) === moments(other) && words(one) === words(other);
}

onChange(page, refresh);
