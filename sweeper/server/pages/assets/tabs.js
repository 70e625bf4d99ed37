// Tabs: links that a server without scripts follows, moved through by arrow keys, the open one in the address.

import { choose, chosen } from "./url_state.js";

/**
 * Make a list of links into tabs.
 * @param {HTMLElement} list - Has an `a[role=tab]` for each, with `aria-controls` and the id `tab-NAME`.
 * @param {function(string)} opened - Hears the name of each tab that is opened, the first one too.
 * @param {string} key - The name of the choice in the address.
 * @returns {function(string)} Opens a tab by its name.
 */
export function tabs(list, opened, key = "tab") {
  const all = [...list.querySelectorAll("[role=tab]")];
  const nameOf = (tab) => tab.id.slice("tab-".length);
  const open = (tab, keep = true) => {
    for (const other of all) {
      const is = other === tab;
      other.setAttribute("aria-selected", String(is));
      other.tabIndex = is ? 0 : -1;
      document.getElementById(other.getAttribute("aria-controls")).hidden = !is;
    }
    if (keep) choose(key, tab === all[0] ? null : nameOf(tab));
    opened(nameOf(tab));
  };
  const move = (event) => {
    const at = all.indexOf(document.activeElement);
    const place = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: all.length - 1 }[event.key];
    if (at < 0 || place === undefined) return;
    event.preventDefault();
    const next = all[(place + all.length) % all.length];
    next.focus();
    open(next);
  };
  list.addEventListener("keydown", move);
  list.addEventListener("click", (event) => {
    const tab = event.target.closest("[role=tab]");
    // a click that opens another window is the browser's
    if (!tab || event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    open(tab);
  });
  const first = all.find((tab) => nameOf(tab) === chosen(key)) ?? all[0];
  open(first, false);
  return (name) => open(all.find((tab) => nameOf(tab) === name) ?? all[0]);
}
