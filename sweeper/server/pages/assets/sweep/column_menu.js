// The chooser of columns: a box that drops from a button, with a search and the columns by groups.

import { fill, h } from "../dom.js";
import { ALWAYS, columnOf, groups } from "./table_columns.js";

const MOST = 60;

/**
 * Make the chooser.
 * @param {object} model - The model.
 * @param {function(): string[]} shown - Gives the ids of the columns that are shown.
 * @param {function(string[]|null)} choose - Takes others; null for the usual ones.
 */
export function columnMenu(model, shown, choose) {
  const search = h("input", { type: "search", placeholder: "find a column", "aria-label": "Find a column", onInput: () => list() });
  const lists = h("div", { class: "column-lists" });
  const reset = h("button", { type: "button", class: "plain", onClick: () => pick(null) }, "the usual columns");
  const panel = h("div", { class: "column-panel" }, h("div", { class: "bar" }, search, reset), lists);
  const menu = h("details", { class: "column-menu" }, h("summary", { class: "button" }, "columns"), panel);

  const pick = (ids) => {
    choose(ids);
    list();
  };
  const list = () => {
    const word = search.value.trim().toLowerCase();
    const now = new Set(shown());
    fill(lists, groups(model).map(([title, ids]) => group(title, ids.filter((id) => matches(id, word)), now)));
    if (!lists.children.length) fill(lists, h("p", { class: "empty" }, `No column has “${search.value}” in its name.`));
  };
  const matches = (id, word) => !word || `${id} ${columnOf(id, model)?.about ?? ""}`.toLowerCase().includes(word);
  const group = (title, ids, now) => {
    if (!ids.length) return null;
    // those that are shown can always be taken away, however many there are
    const first = [...ids.filter((id) => now.has(id)), ...ids.filter((id) => !now.has(id))].slice(0, Math.max(MOST, now.size));
    const boxes = ids.filter((id) => first.includes(id)).map((id) => box(id, now));
    const more = ids.length - boxes.length;
    return h("fieldset", {}, h("legend", {}, title), boxes, more > 0 ? h("p", { class: "soft" }, `and ${more} more: type a part of the name`) : null);
  };
  const box = (id, now) => {
    const input = h("input", { type: "checkbox", onChange: () => toggle(id, input.checked) });
    input.checked = now.has(id);
    return h("label", {}, input, columnOf(id, model)?.about ?? id);
  };
  const toggle = (id, isOn) => {
    const now = new Set(shown());
    if (isOn) now.add(id);
    else now.delete(id);
    // in the order of the groups, so that what belongs together stands together; the reason is the widest, and last
    const order = ["number", ...ALWAYS, "state", ...groups(model).flatMap(([, ids]) => ids)].filter((one, i, all) => all.indexOf(one) === i && one !== "reason");
    choose([...order, "reason"].filter((one) => now.has(one)));
  };
  menu.addEventListener("toggle", () => {
    if (!menu.open) return;
    search.value = "";
    list();
    search.focus();
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key !== "Escape" || !menu.open) return;
    event.stopPropagation();
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("pointerdown", (event) => {
    if (menu.open && !menu.contains(event.target)) menu.open = false;
  });
  return menu;
}
