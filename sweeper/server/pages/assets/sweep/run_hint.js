// What a run is, beside the pointer that rests on it: its name, its value, and what it was given.

import { fill, h } from "../dom.js";
import { duration, number, value } from "../format.js";
import { varied } from "./parameters.js";

const MOST = 12;
let box = null;

/** Show it beside a point of the window. */
export function showRun(run, model, x, y) {
  box ??= document.body.appendChild(h("div", { class: "run-hint", "aria-hidden": "true" }));
  fill(box, told(run, model));
  box.hidden = false;
  const { width, height } = box.getBoundingClientRect();
  const left = x + 16 + width > window.innerWidth ? x - width - 12 : x + 16;
  box.style.left = `${Math.max(4, left)}px`;
  box.style.top = `${Math.max(4, Math.min(y + 12, window.innerHeight - height - 4))}px`;
}

/** Take it away. */
export function hideRun() {
  if (box) box.hidden = true;
}

/** What it says, as elements. */
export function told(run, model) {
  const objectives = model.sweep.objectives;
  const metrics = model.sweep.several ? objectives.map((one, i) => [one.name, run.values[i]]) : objectives.map((one) => [`${one.name}, best`, run.value]);
  const known = varied(model.sweep).filter((name) => name in run.params);
  const names = known.length ? known : Object.keys(run.params);
  return [
    h("p", {}, h("strong", {}, run.name), " ", h("span", { class: `state ${run.state}` }, run.state)),
    h(
      "dl",
      {},
      metrics.map(([name, one]) => [h("dt", {}, name), h("dd", {}, number(one))]),
      names.slice(0, MOST).map((name) => [h("dt", {}, name), h("dd", {}, value(run.params[name]))]),
      h("dt", {}, "took"),
      h("dd", {}, duration(run.duration_s)),
    ),
    names.length > MOST ? h("p", { class: "soft" }, `and ${names.length - MOST} more`) : null,
    run.reason ? h("p", { class: "soft" }, run.reason.slice(0, 200)) : null,
  ];
}
