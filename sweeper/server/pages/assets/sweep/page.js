// The sweep's page: reads the model, and mounts each band when it comes near the window.
//
// A band is a module `NAME.js` in this folder with `export function mount(element, model)`, for an element with
// `data-band="NAME"`. One within a tab is mounted when its tab is opened.

import { fill, h } from "../dom.js";
import { onChange } from "../live.js";
import { choose, chosen } from "../url_state.js";
import { model } from "./model.js";

/** Bands that draw by themselves: the others wait for the library of charts. */
const WITHOUT_LIBRARY = new Set(["overview", "filter", "parallel", "table", "actions", "definition", "confirmation", "importance", "failures"]);
const NEAR = "100px";

let asked = null;

/** Fetch the library of charts when the first band needs it: most of what the page would weigh. */
function charts() {
  const { charts: address } = document.body.dataset;
  asked ??= new Promise((resolve) => {
    if (!address) return resolve();
    const script = h("script", { src: address, onload: resolve, onerror: resolve });
    return document.head.append(script);
  });
  return asked;
}

async function mount(element) {
  const name = element.dataset.band;
  if (element.dataset.mounted) return;
  element.dataset.mounted = "1";
  try {
    const [band] = await Promise.all([import(`./${name}.js`), first, WITHOUT_LIBRARY.has(name) ? null : charts()]);
    if (model.sweep) band.mount(element, model);
    else fill(element, h("p", { class: "empty" }, "This part is shown when the server answers."));
  } catch (error) {
    fill(element, h("p", { class: "error" }, `This part could not be drawn: ${error.message}. The others are not touched by it.`));
    throw error;
  } finally {
    element.removeAttribute("aria-busy");
  }
}

function whenNear(elements) {
  const seen = new IntersectionObserver(
    (entries) => {
      for (const entry of entries.filter((one) => one.isIntersecting)) {
        seen.unobserve(entry.target);
        mount(entry.target);
      }
    },
    { rootMargin: NEAR },
  );
  elements.forEach((element) => seen.observe(element));
}

/** Tabs: one is open; arrow keys move; which one is in the address. */
function tabs(list) {
  const all = [...list.querySelectorAll("[role=tab]")];
  const panelOf = (tab) => document.getElementById(tab.getAttribute("aria-controls"));
  const open = (tab) => {
    for (const one of all) {
      one.setAttribute("aria-selected", String(one === tab));
      one.tabIndex = one === tab ? 0 : -1;
      panelOf(one).hidden = one !== tab;
    }
    whenNear([...panelOf(tab).querySelectorAll("[data-band]")]);
  };
  const usual = all.find((tab) => tab.dataset.tab === chosen("tab")) ?? all[0];
  for (const [i, tab] of all.entries()) {
    tab.addEventListener("click", () => {
      open(tab);
      choose("tab", tab.dataset.tab);
    });
    tab.addEventListener("keydown", (event) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: all.length - 1 }[event.key];
      if (to === undefined) return;
      event.preventDefault();
      const next = all[(to + all.length) % all.length];
      next.focus();
      next.click();
    });
  }
  if (usual) open(usual);
}

const first = model.load();
whenNear([...document.querySelectorAll("[data-band]")].filter((element) => !element.closest("[role=tabpanel]")));
document.querySelectorAll("[role=tablist]").forEach(tabs);
onChange("sweep", () => model.load());
