// What is said where a chart cannot be drawn.

import { h } from "./dom.js";

/** Say why there is no chart, and what to do. */
export function missing() {
  return h("p", { class: "empty" }, "The chart library is not installed with this server: run ", h("code", {}, "python -m sweeper.server.pages.vendor"), " there once, with a network, and start the server anew. The tables work without it.");
}
