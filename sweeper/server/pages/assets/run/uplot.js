// uPlot, as our charts of a run use it: one curve with the range of its values, our colours and type, drawn anew with the
// theme and resized with the page.

import { fill } from "../dom.js";
import { duration, moment, number } from "../format.js";
import { missing } from "../missing.js";
import { colour, onTheme } from "../theme.js";
import { positive, smoothed } from "./smoothing.js";

const FONT = "11px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";
const FAINT = 0.45;

/** Write a place on an axis in words: a step, seconds since the start, a moment, or a number. */
export function place(axis, x) {
  if (axis === "_runtime") return duration(x);
  if (axis === "_timestamp") return moment(x);
  return number(x, 6);
}

/**
 * A curve in an element whose height is set by its class.
 * @param {HTMLElement} element - Where it is drawn.
 * @param {object} hears - `cursor(index|null)` where the viewer points, and `zoom(from, to)` what they chose.
 * @returns {object} `show(points, look)`, `move(by)` of the cursor, and `dispose()`.
 */
export function curve(element, hears) {
  let plot = null;
  let last = null;
  const themes = onTheme(() => last && make());
  const sizes = new ResizeObserver(() => {
    if (!element.clientWidth) return;
    if (plot) plot.setSize({ width: element.clientWidth, height: element.clientHeight });
    else if (last) make();
  });
  sizes.observe(element);

  function make() {
    if (!window.uPlot) {
      fill(element, missing());
      return;
    }
    if (!element.clientWidth) return; // its tab or group is shut: drawn when it is opened
    plot?.destroy();
    fill(element);
    plot = new window.uPlot(options(element, last, hears), series(last.points, last.look), element);
  }

  return {
    show(points, look) {
      const isOther = !last || JSON.stringify(last.look) !== JSON.stringify(look) || !last.points.low !== !points.low;
      last = { points, look };
      if (isOther || !plot) make();
      else plot.setData(series(points, look));
    },
    move(by) {
      if (!plot) return;
      const at = Math.max(0, Math.min(plot.data[0].length - 1, (plot.cursor.idx ?? (by > 0 ? -1 : plot.data[0].length)) + by));
      plot.setCursor({ left: plot.valToPos(plot.data[0][at], "x"), top: plot.bbox.height / 2 / devicePixelRatio });
    },
    get at() {
      return plot?.cursor.idx ?? null;
    },
    dispose() {
      sizes.disconnect();
      themes?.();
      plot?.destroy();
      plot = null;
    },
  };
}

/** Columns for uPlot: places, lowest, highest, values, and the smoothed ones on top. */
function series(points, look) {
  const seen = look.log ? positive : (values) => values;
  const values = seen(points.y);
  return [points.x, look.band && points.low ? seen(points.low) : values, look.band && points.high ? seen(points.high) : values, values, smoothed(values, look.smooth)];
}

function options(element, { points, look }, hears) {
  const hasRange = look.band && Boolean(points.low);
  const line = colour("hue");
  const axis = { stroke: colour("soft"), grid: { stroke: colour("line"), width: 1 }, ticks: { show: false }, font: FONT };
  // the rim of the range has a line of its own: a single peak is narrower than a pixel
  const rim = { stroke: translucent(line, 45), width: hasRange ? 1 : 0, points: { show: false } };
  return {
    width: element.clientWidth,
    height: element.clientHeight,
    padding: [8, 8, 0, 0],
    legend: { show: false },
    cursor: { y: false, points: { size: 6 }, drag: { x: true, y: false, setScale: false } },
    select: { show: true },
    hooks: {
      setCursor: [(from) => hears.cursor(from.cursor.idx ?? null)],
      setSelect: [
        (from) => {
          const { left, width } = from.select;
          if (width < 3) return;
          hears.zoom(from.posToVal(left, "x"), from.posToVal(left + width, "x"));
          from.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
        },
      ],
    },
    scales: { x: { time: look.axis === "_timestamp" }, y: look.log ? { distr: 3 } : { range: (_, low, high) => range(low, high) } },
    axes: [
      { ...axis, size: 24, space: 72, ...(look.axis === "_timestamp" ? {} : { values: (_, ticks) => ticks.map((tick) => short(look.axis, tick)) }) },
      { ...axis, size: 54, space: 34, values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : number(tick))) },
    ],
    bands: hasRange ? [{ series: [2, 1], fill: translucent(line, 20) }] : [],
    series: [{}, rim, rim, { stroke: line, width: look.smooth ? 1 : 1.5, alpha: look.smooth ? FAINT : 1, points: { show: look.single } }, { show: look.smooth > 0, stroke: line, width: 1.75, points: { show: false } }],
  };
}

function short(axis, tick) {
  if (axis !== "_runtime") return Math.abs(tick) >= 1e4 ? number(tick, 3) : number(tick);
  return tick ? duration(tick).replace(/\.0s$/, "s").replace(/ 00[sm]$/, "") : "0";
}

/** Room around the values, and around a single one. */
function range(low, high) {
  if (low === null || high === null) return [0, 1];
  const room = (high - low) * 0.06 || Math.abs(high) * 0.1 || 1;
  return [low - room, high + room];
}

function translucent(colour, share) {
  return `color-mix(in srgb, ${colour} ${share}%, transparent)`;
}
