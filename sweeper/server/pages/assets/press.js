// Whether the viewer is pressing something: a button that is drawn anew before the release hears no click.

const LONGEST_MS = 1000; // the release of a press on a list of choices may never be told

let held = Promise.resolve();
let letGo = () => {};

/** Wait until nothing is pressed, a second at most. */
export function released() {
  return held;
}

function press(event) {
  if (!event.isPrimary || event.button !== 0) return;
  letGo();
  held = new Promise((resolve) => (letGo = resolve));
  setTimeout(letGo, LONGEST_MS);
}

// while they capture, before anybody can stop them; and the click comes right behind the release
window.addEventListener("pointerdown", press, true);
for (const end of ["pointerup", "pointercancel"]) window.addEventListener(end, () => setTimeout(letGo), true);
