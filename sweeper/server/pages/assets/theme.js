// Colours for what is drawn on a canvas: those of style.css, in the theme that the viewer's system prefers.

const dark = window.matchMedia("(prefers-color-scheme: dark)");

/** Give a colour of style.css by its name, without the dashes. */
export function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

/** The scale for values, worst first: the steps of viridis that stand out on this ground. */
export function scale() {
  return Array.from({ length: 8 }, (_, i) => colour(`v${i}`));
}

/** Hear that the theme has changed; what is given back ends that. */
export function onTheme(listener) {
  dark.addEventListener("change", listener);
  return () => dark.removeEventListener("change", listener);
}
