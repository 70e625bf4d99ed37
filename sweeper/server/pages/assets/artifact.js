// The page of a version of an artifact: its tabs, and its files.

import { context, dataOf, get } from "./api.js";
import { fill, find, h } from "./dom.js";
import { tree } from "./files/tree.js";
import { tabs } from "./tabs.js";

let isFilled = false;

async function opened(name) {
  if (name !== "files" || isFilled) return;
  isFilled = true;
  const element = find('[data-tab="files"]');
  const address = (what) => dataOf("artifacts", context.artifact, context.version, what);
  try {
    tree(element, { ...(await get(address("files"))), preview: address("preview"), empty: "This artifact holds no files." });
  } catch (error) {
    isFilled = false;
    fill(element, h("p", { class: "error", role: "alert" }, `${error.message} `, h("button", { type: "button", onClick: () => opened(name) }, "Try again")));
  }
}

tabs(find(".tabs"), opened);
