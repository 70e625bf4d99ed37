// Asks before something is done that others will feel: what happens, why if you like, and what came of it.

import { fill, h } from "./dom.js";

const LONGEST = 500;

/**
 * Ask, and do it.
 * @param {object} about - `title` a question; `text` what happens, a string or elements; `verb` on the button that does
 *   it; `danger` if it cannot be taken back; `act(reason)` does it, and throws an error whose message says to a person
 *   why not.
 * @returns {Promise<boolean>} Whether it was done.
 */
export function ask({ title, text, verb, danger = false, act }) {
  const reason = h("input", { type: "text", name: "reason", id: "ask-reason", maxlength: LONGEST, autocomplete: "off", "aria-describedby": "ask-note" });
  const fault = h("p", { class: "error ask-fault", role: "alert" });
  const yes = h("button", { type: "submit", class: danger ? "danger" : "primary" }, verb);
  const no = h("button", { type: "button" }, "Not now");
  const form = h(
    "form",
    { class: "ask" },
    h("h2", { id: "ask-title" }, title),
    h("p", { id: "ask-text" }, text),
    h("label", { for: "ask-reason" }, "Why (if you like)"),
    reason,
    h("p", { class: "soft", id: "ask-note" }, "Kept with your name, for whoever wonders later."),
    fault,
    h("div", { class: "ask-buttons" }, no, yes),
  );
  const dialog = h("dialog", { "aria-labelledby": "ask-title", "aria-describedby": "ask-text" }, form);
  document.body.append(dialog);
  return new Promise((resolve) => {
    let done = false;
    no.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(done);
    });
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      yes.disabled = true;
      fill(fault);
      try {
        await act(reason.value);
        done = true;
        dialog.close();
      } catch (error) {
        fill(fault, error.message);
        yes.disabled = false;
      }
    });
    dialog.showModal();
    reason.focus();
  });
}
