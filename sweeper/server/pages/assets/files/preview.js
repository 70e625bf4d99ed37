// One file: its text, its table, its picture, or its model as Netron draws it.

import { get } from "../api.js";
import { copy, fill, h } from "../dom.js";
import { bytes, moment, number } from "../format.js";

let asked = 0;

/** Show a file in an element; what was asked for before and comes late is left out. */
export async function show(element, file, address) {
  asked += 1;
  const mine = asked;
  const body = h("div", { class: "preview-body" }, h("p", { class: "empty" }, "Reading …"));
  const head = h(
    "div",
    { class: "bar" },
    h("h2", { class: "preview-name" }, file.path),
    h("span", { class: "soft" }, [bytes(file.size), file.updated_at ? moment(file.updated_at) : ""].filter(Boolean).join(" · ")),
    file.url ? h("a", { class: "button", href: file.url, download: file.path.split("/").at(-1) }, "download") : null,
  );
  fill(element, head, body);
  try {
    fill(body, await content(file, address, head));
  } catch (error) {
    if (mine === asked) fill(body, h("p", { class: "error", role: "alert" }, error.message));
  }
}

async function content(file, address, head) {
  if (file.reference) return h("p", {}, "It lies elsewhere, and only its address was kept: ", h("code", {}, file.reference));
  if (file.kind === "model") return model(file, head);
  if (file.kind === "image") return picture(file);
  const found = await get(address, { path: file.path });
  if (found.kind === "table") return table(found);
  if (found.kind === "text") return text(found, head);
  return h("p", { class: "empty" }, "This is no text and no picture: download it to look into it.");
}

function text({ text: words, cut }, head) {
  if (!words) return h("p", { class: "empty" }, "The file is empty.");
  const done = h("button", { type: "button", onClick: () => copy(words).then(() => (done.textContent = "copied")) }, "copy");
  head.append(done);
  return [h("pre", { tabindex: 0, role: "region", "aria-label": "What is in the file" }, words), cut ? h("p", { class: "soft" }, "There is more: download the file to read on.") : null];
}

function table({ columns, rows, count, cut }) {
  const isNumber = columns.map((_, i) => rows.every((row) => row[i] === null || row[i] === undefined || row[i] === "" || Number.isFinite(Number(row[i]))));
  const words = [count === null ? "" : `${count.toLocaleString("en")} rows`, cut ? `the first ${rows.length.toLocaleString("en")} are shown` : ""].filter(Boolean).join("; ");
  return [
    h(
      "div",
      { class: "rows", tabindex: 0, role: "region", "aria-label": "Rows of the table" },
      h(
        "table",
        {},
        h("thead", {}, h("tr", {}, columns.map((name, i) => h("th", { scope: "col", class: isNumber[i] ? "number" : null }, name)))),
        h("tbody", {}, rows.map((row) => h("tr", {}, columns.map((_, i) => h("td", { class: isNumber[i] ? "number" : "value" }, cell(row[i])))))),
      ),
    ),
    words ? h("p", { class: "soft" }, words) : null,
  ];
}

function cell(value) {
  if (value === null || value === undefined) return "";
  return typeof value === "number" ? number(value, 6) : String(value);
}

function picture(file) {
  return h("div", { class: "preview-picture" }, h("img", { src: file.url, alt: `The picture ${file.path}`, loading: "lazy" }));
}

function model(file, head) {
  // the model is a stranger's, and Netron reads it: without an origin its frame can do nothing in the viewer's name
  head.append(h("a", { class: "button", href: file.model, target: "_blank", rel: "noopener" }, "open in a window"));
  return h("iframe", { class: "netron", sandbox: "allow-scripts allow-downloads", src: file.model, title: `The model ${file.path} in Netron`, loading: "lazy" });
}
