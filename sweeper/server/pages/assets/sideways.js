// On a narrow screen: says of what scrolls sideways that it does, above it. A shadow at its edge says so, too (style.css).

const PLACES = ".card, .rows, .parallel-scroller, .run-table-box, .importance-body, .front-table, .logged-table, .preview pre";
const PAUSE_MS = 300;
const narrow = window.matchMedia("(max-width: 800px)");

let timer = 0;
let frame = 0;

function look() {
  for (const place of document.querySelectorAll(PLACES)) {
    if (!place.clientWidth) continue;
    const wider = narrow.matches && place.scrollWidth > place.clientWidth + 8 && getComputedStyle(place).overflowX !== "visible" && getComputedStyle(place).overflowX !== "hidden";
    if (wider !== place.hasAttribute("data-sideways")) place.toggleAttribute("data-sideways", wider);
  }
}

/** Look once things are quiet, and no more often than a few times a second. */
function soon() {
  if (timer) return;
  timer = setTimeout(() => {
    timer = 0;
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(look);
  }, PAUSE_MS);
}

const changes = new MutationObserver(soon);

function watch() {
  changes.disconnect();
  if (narrow.matches) changes.observe(document.querySelector("main"), { childList: true, subtree: true, attributeFilter: ["hidden", "open"] });
  soon();
}

narrow.addEventListener("change", watch);
window.addEventListener("resize", soon);
look();
watch();
