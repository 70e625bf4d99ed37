// Charts of the machine: GPU, CPU, memory, disk and network, as the SDK measured them.

import { context, dataOf, get } from "../api.js";
import { fill, h } from "../dom.js";
import { missing } from "../missing.js";
import { live } from "../live.js";
import { timeChart } from "./time_chart.js";

/** Show them in a tab. */
export async function mount(element) {
  const drawn = new Map();
  let names = "";

  async function refresh() {
    const { charts } = await get(dataOf("runs", context.run, "system"));
    const now = charts.map((chart) => [chart.title, chart.unit, ...chart.lines.map((line) => line.name)].join("\n")).join("\n\n");
    if (now !== names) {
      names = now;
      drawn.forEach((chart) => chart.dispose());
      drawn.clear();
      lay(element, charts, drawn);
    }
    for (const chart of charts) drawn.get(keyOf(chart))?.show(chart);
  }

  await refresh();
  live.onChange("run", refresh);
}

function keyOf(chart) {
  return `${chart.title} ${chart.unit}`;
}

function lay(element, charts, drawn) {
  if (!charts.length) {
    fill(element, h("p", { class: "empty" }, "Nothing was measured yet. The SDK measures the machine every 15 seconds while a run goes on; ", h("code", {}, "wandb.Settings(x_disable_stats=True)"), " keeps it from that."));
    return;
  }
  if (!window.uPlot) {
    fill(element, missing());
    return;
  }
  const groups = [...new Set(charts.map((chart) => chart.group))];
  fill(
    element,
    groups.map((group) =>
      h("section", { "aria-label": group }, h("h2", {}, group), h("div", { class: "grid2" }, charts.filter((chart) => chart.group === group).map((chart) => card(chart, drawn)))),
    ),
  );
}

function card(chart, drawn) {
  const place = h("div", { class: "chart small" });
  const legend = h("p", { class: "chart-legend soft" });
  drawn.set(keyOf(chart), timeChart(place, legend, chart));
  return h("div", { class: "card" }, h("h3", {}, chart.title, chart.unit && chart.unit !== "bytes" ? h("span", { class: "soft" }, ` ${chart.unit}`) : null), place, legend);
}
