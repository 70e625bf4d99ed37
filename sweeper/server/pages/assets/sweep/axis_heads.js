// The names above the axes: each is a button that is dragged, or moved by arrow keys, to another place; it opens what
// else can be done with an axis.

import { fill, h } from "../dom.js";
import { chosenAxes } from "./axes.js";
import { BEYOND } from "./brushing.js";
import { axisAt } from "./parallel_lines.js";

const DRAG_PX = 5;
let menu = null;

/** Put a name above each axis; made anew only where axes have changed, so that the focus stays. */
export function axisHeads(element, axes, parallel) {
  const width = () => element.getBoundingClientRect().width;
  const key = JSON.stringify(axes.map((one) => [one.axis, one.title, one.scale?.log, one.scale === null]));
  const brushed = (axis) => parallel.wanted.has(axis);
  if (element.dataset.key !== key) {
    const focused = document.activeElement?.dataset.axis;
    element.dataset.key = key;
    fill(element, axes.map((one) => head(one, parallel)));
    [...element.children].find((one) => one.dataset.axis === focused)?.focus();
    new ResizeObserver(() => lay(element, width())).observe(element);
  }
  for (const one of element.children) one.classList.toggle("brushed", brushed(one.dataset.axis));
  lay(element, width());
}

function lay(element, width) {
  const heads = [...element.children];
  const room = heads.length > 1 ? axisAt(1, heads.length, width) - axisAt(0, heads.length, width) : 160;
  for (const [i, one] of heads.entries()) {
    one.style.left = `${axisAt(i, heads.length, width)}px`;
    one.style.maxWidth = `${Math.max(60, Math.min(room - 6, 170))}px`;
  }
}

function head({ axis, title, scale }, parallel) {
  const more = scale === null ? "…" : scale.log ? "log" : "";
  const button = h("button", { type: "button", class: "axis-head", dataset: { axis }, title: "Drag or use the arrow keys to move, click for more", "aria-haspopup": "dialog" }, h("span", {}, title), more ? [" ", h("small", {}, more)] : null);
  dragged(button, axis, parallel);
  button.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (by) {
      event.preventDefault();
      move(axis, by, parallel);
    }
    if (event.key === "Delete") parallel.setAxes(chosenAxes(parallel.model).filter((one) => one !== axis));
  });
  return button;
}

/** Move an axis by so many places. */
function move(axis, by, parallel) {
  const axes = chosenAxes(parallel.model);
  const from = axes.indexOf(axis);
  const to = Math.max(0, Math.min(axes.length - 1, from + by));
  axes.splice(to, 0, ...axes.splice(from, 1));
  parallel.setAxes(axes);
}

function dragged(button, axis, parallel) {
  let from = null;
  button.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    from = { x: event.clientX, moved: false };
    button.setPointerCapture(event.pointerId);
  });
  button.addEventListener("pointermove", (event) => {
    if (!from) return;
    from.moved ||= Math.abs(event.clientX - from.x) > DRAG_PX;
    if (from.moved) button.style.transform = `translateX(calc(-50% + ${event.clientX - from.x}px))`;
  });
  const end = (event) => {
    const started = from;
    from = null;
    button.style.transform = "";
    if (!started) return;
    if (!started.moved) return;
    const count = button.parentElement.children.length;
    const { width } = button.parentElement.getBoundingClientRect();
    const gap = count > 1 ? axisAt(1, count, width) - axisAt(0, count, width) : width;
    button.dataset.dragged = "1";
    move(axis, Math.round((event.clientX - started.x) / gap), parallel);
  };
  button.addEventListener("pointerup", end);
  button.addEventListener("pointercancel", end);
  button.addEventListener("click", () => {
    const was = button.dataset.dragged;
    delete button.dataset.dragged;
    if (!was) openMenu(button, axis, parallel);
  });
}

/** A small window: limits or listed values to select, and where the axis goes. */
function openMenu(button, axis, parallel) {
  menu?.remove();
  const one = parallel.drawn.axes.find((other) => other.axis === axis);
  if (!one) return;
  const close = () => {
    menu.close();
    button.isConnected ? button.focus() : [...parallel.heads.children].find((other) => other.dataset.axis === axis)?.focus();
  };
  const act = (text, what) => h("button", { type: "button", onclick: () => [what(), close()] }, text);
  menu = h(
    "dialog",
    { class: "axis-window", "aria-label": `Axis ${one.title}` },
    h("h3", {}, one.title),
    one.scale ? limits(one, parallel, close) : null,
    h("div", { class: "bar" }, act("Move left", () => move(axis, -1, parallel)), act("Move right", () => move(axis, 1, parallel)), act("Remove", () => parallel.setAxes(chosenAxes(parallel.model).filter((other) => other !== axis)))),
    h("div", { class: "bar" }, h("button", { type: "button", onclick: close }, "Close")),
  );
  menu.addEventListener("click", (event) => event.target === menu && close());
  document.body.append(menu);
  menu.showModal();
}

function limits({ axis, scale }, parallel, close) {
  const now = parallel.wanted.get(axis);
  const inputs = scale.kind === "list" ? listed(scale, now) : span(now);
  const take = (event) => {
    event.preventDefault();
    parallel.setBrush(axis, inputs.read());
    close();
  };
  return h("form", { onsubmit: take }, inputs.fields, h("div", { class: "bar" }, h("button", { class: "primary" }, "Show only these"), h("button", { type: "button", onclick: () => [parallel.setBrush(axis, null), close()] }, "Show all")));
}

function listed(scale, now) {
  const boxes = scale.values.map((value) => h("input", { type: "checkbox", value: JSON.stringify(value), checked: !now || now.includes(JSON.stringify(value)) }));
  const fields = h("fieldset", {}, scale.ticks().length === boxes.length ? boxes.map((box, i) => h("label", {}, box, " ", scale.ticks()[i].text)) : boxes.map((box) => h("label", {}, box, " ", box.value)));
  return { fields, read: () => boxes.filter((box) => box.checked).map((box) => box.value) };
}

function span(now) {
  const there = (limit) => (typeof limit === "number" && Math.abs(limit) < BEYOND ? String(Number(limit.toPrecision(4))) : "");
  const [low, high] = [h("input", { type: "text", inputmode: "decimal", value: there(now?.[0]) }), h("input", { type: "text", inputmode: "decimal", value: there(now?.[1]) })];
  const number = (input, none) => (input.value.trim() === "" || Number.isNaN(Number(input.value)) ? none : Number(input.value));
  return { fields: [h("label", {}, "from ", low), h("label", {}, " to ", high)], read: () => [number(low, -BEYOND), number(high, BEYOND)] };
}
