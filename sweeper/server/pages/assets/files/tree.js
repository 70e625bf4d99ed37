// Files as a tree, and beside it the one that was chosen: of a run, or of an artifact.

import { fill, h } from "../dom.js";
import { bytes } from "../format.js";
import { choose, chosen } from "../url_state.js";
import { show } from "./preview.js";

const FIND_FROM = 12;
const MOST_FOUND = 500;
const OPEN_UP_TO = 40;

/**
 * Show files.
 * @param {HTMLElement} element - Where.
 * @param {object} about - `files` (each `path`, `size`, `url`, `kind`), `more` (how many are not listed), `preview` (the
 *   address that tells what is in one), `empty` (what to say where there is none), `note` (under the tree).
 * @returns {function(object)} Shows other files in the place of these.
 */
export function tree(element, about) {
  const list = h("div", { class: "tree", role: "group", "aria-label": "Files" });
  const beside = h("div", { class: "card preview" });
  const find = h("input", { type: "search", placeholder: "find a file", "aria-label": "Find a file", autocomplete: "off", spellcheck: "false" });
  const findBar = h("div", { class: "bar" }, find);
  const note = h("p", { class: "soft" });
  const place = h("div", { class: "files" }, h("div", { class: "card" }, findBar, list, note), beside);
  let now = about;
  let paths = "";
  let at = chosen("file");

  function choice(file) {
    at = file.path;
    choose("file", file.path);
    mark();
    show(beside, file, now.preview);
    beside.scrollIntoView({ block: "nearest" });
  }

  function mark() {
    for (const link of list.querySelectorAll("a")) {
      if (link.dataset.path === at) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }

  function draw() {
    const words = find.value.toLowerCase();
    if (words) {
      const found = now.files.filter((file) => file.path.toLowerCase().includes(words));
      fill(list, found.length ? h("ul", {}, found.slice(0, MOST_FOUND).map((file) => item(file, file.path, choice))) : h("p", { class: "empty" }, "No file has that in its name."));
    } else {
      fill(list, branch(grown(now.files), choice, now.files.length <= OPEN_UP_TO, at));
    }
    mark();
  }

  function update(next) {
    now = next;
    const named = next.files.map((file) => `${file.path} ${file.size} ${file.updated_at ?? ""}`).join("\n");
    if (named === paths) return;
    paths = named;
    if (!next.files.length) {
      fill(element, h("p", { class: "empty" }, next.empty));
      return;
    }
    if (!place.isConnected) fill(element, place);
    findBar.hidden = next.files.length < FIND_FROM;
    const count = next.files.length + next.more;
    note.textContent = [`${count.toLocaleString("en")} ${count === 1 ? "file" : "files"}, ${bytes(next.bytes)}`, next.more ? `the first ${next.files.length.toLocaleString("en")} are listed` : "", next.note ?? ""].filter(Boolean).join("; ");
    draw();
    const file = next.files.find((one) => one.path === at);
    if (file) show(beside, file, next.preview);
    else if (!beside.childNodes.length) fill(beside, h("p", { class: "empty" }, "Choose a file to see what is in it."));
  }

  find.addEventListener("input", draw);
  update(about);
  return update;
}

/** Arrange files into folders. */
function grown(files) {
  const root = { folders: new Map(), files: [], bytes: 0, count: 0 };
  for (const file of files) {
    const parts = file.path.split("/");
    let folder = root;
    for (const part of parts.slice(0, -1)) {
      if (!folder.folders.has(part)) folder.folders.set(part, { folders: new Map(), files: [], bytes: 0, count: 0 });
      folder = folder.folders.get(part);
      folder.bytes += file.size;
      folder.count += 1;
    }
    folder.files.push([parts.at(-1), file]);
  }
  return root;
}

/** Make the list of a folder; one that is shut is filled when it is opened. */
function branch(folder, choice, isOpen, at, above = "") {
  const folders = [...folder.folders].map(([name, inner]) => {
    const path = `${above}${name}/`;
    const details = h("details", {}, h("summary", {}, `${name}/ `, h("span", { class: "soft" }, `${inner.count} · ${bytes(inner.bytes)}`)));
    const grow = () => details.childNodes.length < 2 && details.append(branch(inner, choice, isOpen, at, path));
    details.addEventListener("toggle", () => details.open && grow());
    if (isOpen || at?.startsWith(path)) {
      grow();
      details.open = true;
    }
    return h("li", {}, details);
  });
  return h("ul", {}, folders, folder.files.map(([name, file]) => item(file, name, choice)));
}

function item(file, name, choice) {
  const open = (event) => {
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.button) return;
    event.preventDefault();
    choice(file);
  };
  const link = h("a", { href: file.url, dataset: { path: file.path }, onClick: open }, name);
  return h("li", { class: "tree-file" }, link, h("span", { class: "soft number" }, bytes(file.size)));
}
