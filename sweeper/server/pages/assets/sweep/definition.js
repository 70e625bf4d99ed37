// The sweep's file, to read, to copy and to save.

import { dataOf, get } from "../api.js";
import { copy, fill, h } from "../dom.js";

const KEY = /^(\s*(?:- )*)([^\s#'"[{][^:#]*|"[^"]*"|'[^']*')(:)(?=\s|$)/;
const COMMENT = /(^|\s)#.*$/;

export function mount(element, model) {
  const text = h("pre", { class: "yaml", tabindex: "0", "aria-label": "The sweep's file" });
  const copied = h("span", { class: "soft", role: "status" });
  let yaml = "";
  const bar = h(
    "div",
    { class: "bar" },
    h("button", { type: "button", onclick: () => copy(yaml).then(() => (copied.textContent = "Copied.")) }, "Copy"),
    h("a", { class: "button", download: `${model.sweep.name}.yaml`, href: "#", onclick: (event) => (event.currentTarget.href = `data:application/yaml;charset=utf-8,${encodeURIComponent(yaml)}`) }, "Download"),
    copied,
  );
  fill(element, bar, text, h("p", { class: "soft" }, "To begin another sweep like it: ", h("code", {}, `sweeper create ${model.sweep.name}.yaml`)));

  async function read() {
    const told = await get(dataOf("sweeps", model.sweep.name, "definition"));
    if (told.yaml === yaml) return;
    yaml = told.yaml;
    copied.textContent = "";
    fill(text, yaml.replace(/\n$/, "").split("\n").map(line));
  }
  read().catch((error) => fill(text, error.message));
}

/** A line with its key and comment marked; all of it is text. */
function line(text) {
  const comment = COMMENT.exec(text)?.[0] ?? "";
  const code = comment && !/['"]/.test(text) ? text.slice(0, -comment.length) : text;
  const key = KEY.exec(code);
  const rest = code === text ? "" : comment;
  const parts = key ? [key[1], h("span", { class: "yaml-key" }, key[2]), code.slice(key[1].length + key[2].length)] : [code];
  return h("span", { class: "yaml-line" }, parts, rest ? h("span", { class: "soft" }, rest) : null, "\n");
}
