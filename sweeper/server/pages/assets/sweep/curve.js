// How the search goes: a dot for each run, and the line of the best so far.

import { duration, number } from "../format.js";
import { colour } from "../theme.js";
import { canvasIn, FONT } from "./canvas.js";
import { better } from "./run_columns.js";
import { hideRun, showRun } from "./run_hint.js";
import { numberScale, robust } from "./scales.js";

const ROOM = { left: 52, right: 14, top: 10, bottom: 30 };
const NEAR = 14;

/** What may be below: how each is called, and where a run stands. `started_at` may be null. */
export const BELOW = {
  number: { title: "runs, in their order", at: (run) => run.number },
  time: { title: "time since the first run", at: (run, first) => (run.ended_at ?? run.heard_at ?? run.created_at) - first, text: duration },
  compute: { title: "compute time of all runs", text: duration },
};

/** The best so far, with the runs that bettered it: `[{x, run}]`. Runs come in the order of `x`. */
export function records(points, goal) {
  const found = [];
  for (const point of points) if (point.run.leads && better(goal, point.run.value, found.at(-1)?.run.value ?? null)) found.push(point);
  return found;
}

/** Give each run its place below: `[{x, run}]`, in the order of x. */
export function placed(runs, mode) {
  const own = runs.filter((run) => !run.prior && run.value !== null);
  if (mode === "compute") {
    let sum = 0;
    const used = new Map(byEnd(runs).map((run) => [run.id, (sum += run.duration_s ?? 0)]));
    return byEnd(own).map((run) => ({ x: used.get(run.id), run }));
  }
  const first = mode === "time" ? Math.min(...runs.map((run) => run.started_at ?? run.created_at)) : 0;
  const points = own.map((run) => ({ x: BELOW[mode].at(run, first), run }));
  return points.sort((a, b) => a.x - b.x);
}

function byEnd(runs) {
  const end = (run) => run.ended_at ?? run.heard_at ?? run.created_at;
  return [...runs].sort((a, b) => end(a) - end(b));
}

/** Draw it into an element, for whatever the model has; gives what draws it again: `show(mode)`. */
export function curve(element, model) {
  let [points, best, scales, shown] = [[], [], null, "number"];
  const { canvas, again, label } = canvasIn(element, (pen, width, height) => paint(pen, width, height));
  const x = (point, width) => ROOM.left + scales.x.place(point.x) * (width - ROOM.left - ROOM.right);
  const y = (value, height) => height - ROOM.bottom - scales.y.place(value) * (height - ROOM.top - ROOM.bottom);

  function paint(pen, width, height) {
    frame(pen, width, height, scales, BELOW[shown], model.goal);
    const selected = new Set(model.selected);
    const shades = Object.fromEntries(["finished", "running", "stopped", "failed", "waiting"].map((fate) => [fate, colour(fate)]));
    pen.save();
    pen.beginPath();
    pen.rect(ROOM.left - 6, 0, width - ROOM.left - ROOM.right + 12, height - ROOM.bottom + 6);
    pen.clip();
    for (const point of points) {
      pen.globalAlpha = selected.has(point.run) ? (points.length > 500 ? 0.45 : 0.8) : 0.1;
      dot(pen, x(point, width), y(point.run.value, height), point.run.fate, shades);
    }
    pen.globalAlpha = 1;
    line(pen, best, (point) => x(point, width), (point) => y(point.run.value, height), width - ROOM.right);
    const hovered = points.find((point) => point.run.id === model.hovered);
    if (hovered) ring(pen, x(hovered, width), y(hovered.run.value, height));
    pen.restore();
  }

  function nearest(event) {
    const box = element.getBoundingClientRect();
    let found = null;
    let least = NEAR * NEAR;
    for (const point of points) {
      const [dx, dy] = [x(point, box.width) - (event.clientX - box.left), y(point.run.value, box.height) - (event.clientY - box.top)];
      if (dx * dx + dy * dy < least) [found, least] = [point.run, dx * dx + dy * dy];
    }
    return found;
  }

  canvas.addEventListener("pointermove", (event) => {
    const run = nearest(event);
    canvas.style.cursor = run ? "pointer" : "";
    model.hover(run?.id ?? null);
    if (run) showRun(run, model, event.clientX, event.clientY);
    else hideRun();
  });
  canvas.addEventListener("pointerleave", () => {
    model.hover(null);
    hideRun();
  });
  canvas.addEventListener("click", (event) => {
    const run = nearest(event);
    if (run) model.open(run.id);
  });
  model.on("hover", again);

  function show(mode) {
    shown = Object.hasOwn(BELOW, mode) ? mode : "number";
    points = placed(model.runs, shown);
    best = records(points, model.goal);
    const values = points.map((point) => point.run.value);
    const last = shown === "number" ? model.runs.length : points.at(-1)?.x;
    scales = { x: numberScale(shown === "number" ? 1 : 0, Math.max(last ?? 1, shown === "number" ? 2 : 1e-3), { whole: shown === "number" }), y: robust(values, best.slice(-1).map((point) => point.run.value)) };
    label(best.length ? `${points.length} runs with a value; the best is ${number(best.at(-1).run.value)} by ${best.at(-1).run.name}, the ${best.length}. to better all before it` : "No run has a value yet");
    again();
  }
  return { show };
}

function frame(pen, width, height, scales, below, goal) {
  pen.strokeStyle = colour("line");
  pen.fillStyle = colour("soft");
  pen.lineWidth = 1;
  pen.textAlign = "right";
  pen.textBaseline = "middle";
  pen.font = `12px ${FONT}`;
  for (const tick of scales.y.ticks()) {
    const at = Math.round(height - ROOM.bottom - tick.at * (height - ROOM.top - ROOM.bottom)) + 0.5;
    stroke(pen, ROOM.left, at, width - ROOM.right, at);
    pen.fillText(tick.text, ROOM.left - 8, at);
  }
  pen.textAlign = "center";
  pen.textBaseline = "top";
  const ticks = below.text ? [0, 0.25, 0.5, 0.75].map((at) => ({ at, text: below.text(scales.x.value(at)) })) : scales.x.ticks();
  for (const tick of ticks) {
    const half = pen.measureText(tick.text).width / 2;
    pen.fillText(tick.text, Math.min(ROOM.left + tick.at * (width - ROOM.left - ROOM.right), width - half), height - ROOM.bottom + 5);
  }
  pen.textAlign = "right";
  // where the best so far is not: its line ends at the lower edge, or at the upper one
  pen.textBaseline = goal === "minimize" ? "top" : "bottom";
  pen.fillText(below.title, width - ROOM.right, goal === "minimize" ? ROOM.top : height - ROOM.bottom - 3);
}

function stroke(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function dot(pen, x, y, fate, shades) {
  pen.fillStyle = pen.strokeStyle = shades[fate];
  if (fate === "failed") {
    pen.lineWidth = 1.2;
    stroke(pen, x - 3, y - 3, x + 3, y + 3);
    stroke(pen, x - 3, y + 3, x + 3, y - 3);
    return;
  }
  pen.beginPath();
  pen.arc(x, y, fate === "stopped" ? 2 : 2.6, 0, 2 * Math.PI);
  pen.fill();
}

function line(pen, best, x, y, right) {
  if (!best.length) return;
  pen.strokeStyle = colour("ink");
  pen.lineWidth = 2;
  pen.lineJoin = "round";
  pen.beginPath();
  pen.moveTo(x(best[0]), y(best[0]));
  for (const [place, point] of best.slice(1).entries()) {
    pen.lineTo(x(point), y(best[place]));
    pen.lineTo(x(point), y(point));
  }
  pen.lineTo(right, y(best.at(-1)));
  pen.stroke();
  ring(pen, x(best.at(-1)), y(best.at(-1)));
}

function ring(pen, x, y) {
  pen.strokeStyle = colour("ink");
  pen.fillStyle = colour("card");
  pen.lineWidth = 2;
  pen.beginPath();
  pen.arc(x, y, 5, 0, 2 * Math.PI);
  pen.fill();
  pen.stroke();
}
