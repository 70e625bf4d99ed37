// A canvas of ours: as sharp as the screen, drawn anew when its size or the theme changes, at most once a frame.

import { h } from "../dom.js";
import { onTheme } from "../theme.js";

/**
 * Put a canvas into an element, whose height its class sets.
 * @param {HTMLElement} element - Where.
 * @param {function(CanvasRenderingContext2D, number, number)} draw - Draws, in CSS pixels; called after `again()`.
 * @param {{hidden: boolean}} about - Whether another canvas over it says what both show.
 * @returns {{canvas: HTMLCanvasElement, again: function(), label: function(string)}} `label` says what it shows.
 */
export function canvasIn(element, draw, { hidden = false } = {}) {
  const canvas = h("canvas", hidden ? { "aria-hidden": "true" } : { role: "img", "aria-label": "being drawn" });
  element.append(canvas);
  let asked = false;
  const paint = () => {
    asked = false;
    const { width, height } = element.getBoundingClientRect();
    if (!width || !height) return;
    const ratio = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
      canvas.width = Math.round(width * ratio);
      canvas.height = Math.round(height * ratio);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const pen = canvas.getContext("2d");
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    pen.clearRect(0, 0, width, height);
    pen.font = `12px ${FONT}`;
    draw(pen, width, height);
  };
  const again = () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(paint);
  };
  new ResizeObserver(again).observe(element);
  onTheme(again);
  window.addEventListener("beforeprint", paint);
  return { canvas, again, label: (text) => canvas.setAttribute("aria-label", text) };
}

export const FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif";

/** Cut a text so that it fits. */
export function fitted(pen, text, room) {
  if (pen.measureText(text).width <= room) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (pen.measureText(`${text.slice(0, middle)}…`).width <= room) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : "";
}
