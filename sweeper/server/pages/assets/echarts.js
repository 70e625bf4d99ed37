// ECharts, as all our charts use it: our colours and type, resized with the page, drawn anew with the theme.

import { fill } from "./dom.js";
import { missing } from "./missing.js";
import { colour, onTheme } from "./theme.js";

/**
 * Draw into an element, and draw again whenever `show` is called, the theme changes or the element is resized.
 * @param {HTMLElement} element - Its height is set by its class.
 * @param {string} label - What a person who does not see it is told it is.
 * @returns {{show: function(object), chart: object|null, dispose: function()}} `show` takes ECharts' options.
 */
export function draw(element, label) {
  element.setAttribute("role", "img");
  element.setAttribute("aria-label", label);
  if (!window.echarts) {
    fill(element, missing());
    return { show() {}, chart: null, dispose() {} };
  }
  const chart = window.echarts.init(element, null, { renderer: "canvas" });
  let last = null;
  const show = (option) => {
    last = option;
    chart.setOption({ ...base(), ...(typeof option === "function" ? option() : option) }, { notMerge: true });
  };
  const sizes = new ResizeObserver(() => chart.resize());
  sizes.observe(element);
  onTheme(() => last && show(last));
  return {
    show,
    chart,
    dispose() {
      sizes.disconnect();
      chart.dispose();
    },
  };
}

function base() {
  return {
    animation: false,
    textStyle: { fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif", fontSize: 12, color: colour("ink") },
    grid: { left: 56, right: 16, top: 16, bottom: 36 },
  };
}

/** An axis in our style: `axis("value", "val_loss", {...more})`. */
export function axis(type, name, more = {}) {
  const line = { color: colour("line") };
  return {
    type,
    name,
    nameLocation: "middle",
    nameGap: 28,
    nameTextStyle: { color: colour("soft") },
    axisLine: { onZero: false, lineStyle: line },
    axisTick: { show: false },
    axisLabel: { color: colour("soft"), hideOverlap: true },
    splitLine: { lineStyle: line },
    splitNumber: 4,
    scale: true,
    ...more,
  };
}

/** A tooltip in our style; `formatter` must give an element, never HTML made of a run's words. */
export function tooltip(formatter, more = {}) {
  return {
    confine: true,
    renderMode: "html",
    backgroundColor: colour("card"),
    borderColor: colour("line"),
    textStyle: { color: colour("ink"), fontSize: 12 },
    extraCssText: "",
    formatter,
    ...more,
  };
}
