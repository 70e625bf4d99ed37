"""How long a page takes in a real Chromium until it is drawn and answers, and what came over the wire."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from playwright.sync_api import Browser, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ["--no-sandbox", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
OPTIONS += ["--disable-component-update", "--disable-dev-shm-usage"]
EMULATED_GPU = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
LIMIT_S, QUIET_MS = 90.0, 700.0
# A frame after READY holds, the time is taken; LONG are the ends of tasks that kept the page from answering.
WATCH = """(() => {
  window.longTasks = [];
  new PerformanceObserver((list) => {
    for (const one of list.getEntries()) window.longTasks.push([one.startTime, one.startTime + one.duration]);
  }).observe({ type: "longtask", buffered: true });
  const known = new WeakSet(); // looking at a canvas costs: each is looked at until it shows something
  const painted = (canvas) => {
    if (known.has(canvas)) return true;
    const small = document.createElement("canvas");
    small.width = small.height = 24;
    const context = small.getContext("2d", { willReadFrequently: true });
    context.drawImage(canvas, 0, 0, 24, 24);
    const shows = context.getImageData(0, 0, 24, 24).data.some((value) => value > 0);
    if (shows) known.add(canvas);
    return shows;
  };
  const ready = () => { try { return READY; } catch { return false; } };
  const look = () => {
    if (ready()) requestAnimationFrame(() => setTimeout(() => { window.drawnAt = performance.now(); }));
    else requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
})()"""


@dataclass(frozen=True)
class Opening:
    """How one opening of a page went, in milliseconds after its first byte.

    Attributes:
        first_byte: How long the page itself took, from the click on.
        drawn: Until what was waited for was there.
        interactive: Until no task of more than 50 ms kept the page from answering.
        kb: Kilobytes over the wire.
        requests: How many requests.
    """

    first_byte: float
    drawn: float
    interactive: float
    kb: float
    requests: int


@contextmanager
def chromium(*, emulated_gpu: bool = False) -> Iterator[Browser]:
    """Start the machine's Chromium.

    Args:
        emulated_gpu: Whether its own software stands in for a GPU, which WebGL wants; every canvas is slower then.

    Raises:
        SystemExit: There is none.
    """
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("no Chromium here (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=OPTIONS + EMULATED_GPU * emulated_gpu)
        yield browser
        browser.close()


def open_page(browser: Browser, url: str, ready: str, *, session: Any = None, height: int = 800) -> Opening:
    """Open a page in a fresh browser, whose cache is empty, and watch it.

    Args:
        browser: The browser.
        url: The page.
        ready: JavaScript that is true once it is drawn; `painted(canvas)` tells whether a canvas shows anything.
        session: The cookies of a login.
        height: Of the window; what is below may be drawn later.
    """
    context = browser.new_context(viewport={"width": 1280, "height": height}, storage_state=session)
    page = context.new_page()
    wire = context.new_cdp_session(page)
    sizes: list[float] = []
    wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    wire.send("Network.enable")
    page.add_init_script(WATCH.replace("READY", ready))
    page.goto(url, wait_until="commit")
    begin = time.monotonic()
    while (drawn := page.evaluate("window.drawnAt")) is None:
        if time.monotonic() - begin > LIMIT_S:
            raise SystemExit(f"{url} was not drawn within {LIMIT_S:.0f} s: {page.inner_text('body')[:500]}")
        time.sleep(0.1)
    time.sleep(QUIET_MS / 1000)
    byte, tasks = page.evaluate("[performance.getEntriesByType('navigation')[0].responseStart, window.longTasks]")
    busy_until = drawn
    for start, end in tasks:
        if start <= busy_until + QUIET_MS:
            busy_until = max(busy_until, end)
    context.close()
    return Opening(byte, drawn - byte, busy_until - byte, sum(sizes) / 1000, len(sizes))


def middle(openings: list[Opening]) -> Opening:
    """Give the medians."""
    names = ("first_byte", "drawn", "interactive", "kb", "requests")
    return Opening(*(statistics.median(getattr(one, name) for one in openings) for name in names))
