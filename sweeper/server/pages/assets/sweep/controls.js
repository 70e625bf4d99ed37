// The few controls that bands have: a list to choose from, tied to the address.

import { h } from "../dom.js";
import { choose, chosen, onChoice } from "../url_state.js";

/**
 * A list to choose from.
 * @param {string} label - What is chosen.
 * @param {string} key - Its name in the address.
 * @param {Array<[string, string]>} options - Words for the address and for people; the first is the usual.
 * @param {function(string)} changed - Hears of a choice.
 */
export function select(label, key, options, changed) {
  const list = h("select", { "aria-label": label, onchange: () => choose(key, list.value === options[0]?.[0] ? null : list.value) });
  const element = h("label", { class: "choice" }, `${label} `, list);
  const control = {
    element,
    get value() {
      return list.value;
    },
    /** Offer other words; what was chosen stays if it is among them. */
    offer(others) {
      options = others;
      const wanted = chosen(key, options[0]?.[0]);
      list.replaceChildren(...options.map(([word, text]) => h("option", { value: word, selected: word === wanted }, text)));
    },
    show(shown) {
      element.hidden = !shown;
    },
  };
  control.offer(options);
  onChoice(key, () => {
    const wanted = chosen(key, options[0]?.[0]);
    if (options.some(([word]) => word === wanted)) list.value = wanted;
    changed(list.value);
  });
  return control;
}

/** Call a function once things are quiet: `soon()` as often as one likes. */
export function quiet(act, wait = 250) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(act, wait);
  };
}

/**
 * Draw a band when what it shows has changed, once things are quiet and somebody sees it: one that is scrolled away, or in
 * a tab that is closed, is drawn when it comes back.
 * @param {HTMLElement} element - The band.
 * @param {function()} act - Draws it.
 * @returns {function()} Says that something has changed.
 */
export function whenSeen(element, act, wait = 250) {
  const soon = quiet(act, wait);
  let seen = true;
  let stale = false;
  const watch = new IntersectionObserver(
    (entries) => {
      seen = entries.at(-1).isIntersecting;
      if (!seen || !stale) return;
      stale = false;
      soon();
    },
    { rootMargin: "300px" },
  );
  watch.observe(element);
  return () => {
    if (seen) soon();
    else stale = true;
  };
}
