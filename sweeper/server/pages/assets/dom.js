// Elements, made of text: nothing that a run sent is ever read as HTML.

/**
 * Make an element.
 * @param {string} tag - Its tag; `svg:path` for one of SVG.
 * @param {object} attributes - Attributes by name; `class`, `dataset` (an object), and `on…` (a function that hears an
 *   event) too. What is null, undefined or false is left out; true is an attribute without a value.
 * @param {...(Node|string|number|null|Array)} children - What is in it.
 */
export function h(tag, attributes = {}, ...children) {
  const [space, name] = tag.includes(":") ? tag.split(":") : ["", tag];
  const element = space === "svg" ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2).toLowerCase(), value);
    else if (key === "dataset") Object.assign(element.dataset, value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Put other children into an element. The one of the same name as that which had the keyboard's focus has it then. */
export function fill(element, ...children) {
  const { activeElement: focused } = document;
  const name = focused !== element && element.contains(focused) ? nameOf(focused) : null;
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  if (name) [...element.querySelectorAll(focused.localName)].find((one) => nameOf(one) === name)?.focus({ preventScroll: true });
  return element;
}

function nameOf(element) {
  return element.id || element.dataset.chip || element.getAttribute("aria-label") || element.textContent;
}

/** Find an element by a selector; an error names it if it is not there. */
export function find(selector, within = document) {
  const found = within.querySelector(selector);
  if (!found) throw new Error(`the page has no ${selector}`);
  return found;
}

/** Put text on the clipboard, also where the page is not served over TLS. */
export async function copy(text) {
  if (navigator.clipboard && window.isSecureContext) return navigator.clipboard.writeText(text);
  const area = h("textarea", { class: "off-screen", readonly: true });
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
  return undefined;
}
