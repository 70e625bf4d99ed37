"""A browser that is watched: whatever goes wrong in it unseen makes the test fail."""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass, field
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
OPTIONS += ["--disable-component-update", "--disable-sync", "--disable-dev-shm-usage"]
DESK, PHONE = (1280, 800), (390, 844)


def chromium() -> str | None:
    """Find a browser on this machine."""
    return next(filter(None, map(shutil.which, BROWSERS)), None)


@dataclass
class Tab:
    """One page in a browser, logged in, at a server.

    Attributes:
        page: Playwright's, for whatever has no method here.
        url: The server's address.
        faults: Errors of the console and of scripts, violations of the policy, requests to elsewhere.
    """

    page: Any
    url: str
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.page.on("console", self._hear)
        self.page.on("pageerror", lambda error: self.faults.append(f"error in a script: {error}"))
        self.page.on("request", self._see)

    def _hear(self, message: Any) -> None:
        if message.type in {"error", "warning"}:
            self.faults.append(f"console: {message.text} ({message.location.get('url', '')})")

    def _see(self, request: Any) -> None:
        if not request.url.startswith((f"{self.url}/", "data:", f"blob:{self.url}/", "blob:null/")):
            self.faults.append(f"request to elsewhere: {request.url}")

    def goto(self, path: str) -> Tab:
        """Open a page of the server's; its scripts have run, its data may still be under way."""
        self.page.goto(self.url + path, wait_until="load")
        return self

    def text(self, selector: str = "body") -> str:
        """Read what a person sees of an element."""
        return str(self.page.locator(selector).first.inner_text())

    def until(self, script: str, what: str = "", timeout_s: float = 15) -> Any:
        """Wait until a JavaScript expression is true; give it. The policy refuses Playwright's own way to wait."""
        deadline = time.monotonic() + timeout_s
        while not (found := self.page.evaluate(script)):
            if time.monotonic() > deadline:
                said = self.text()[:1500]
                raise AssertionError(f"waited {timeout_s} s for {what or script}\n{self.faults}\n{said}")
            self.page.wait_for_timeout(50)
        return found

    def until_text(self, words: str, selector: str = "body", timeout_s: float = 15) -> None:
        """Wait until an element shows some words."""
        deadline = time.monotonic() + timeout_s
        while words not in self.text(selector):
            assert time.monotonic() < deadline, f"waited for {words!r} in {selector}: {self.text(selector)[:1500]}"
            self.page.wait_for_timeout(50)

    def settle(self, quiet_s: float = 0.6) -> None:
        """Wait until nothing is asked for and nothing has changed for a moment, so that a picture shows all."""
        # an open stream of events never ends, so "networkidle" may never come
        count = "document.querySelectorAll('*').length + performance.getEntriesByType('resource').length"
        last, since, begin = None, time.monotonic(), time.monotonic()
        while time.monotonic() - since < quiet_s and time.monotonic() - begin < 15:
            now = self.page.evaluate(count)
            if now != last:
                last, since = now, time.monotonic()
            self.page.wait_for_timeout(100)

    def show_all(self) -> None:
        """Scroll through the page once, since parts of it are drawn when they come near; then back to its top."""
        height = self.page.evaluate("document.documentElement.scrollHeight")
        for place in range(0, int(height) + 1, 600):
            self.page.evaluate(f"window.scrollTo(0, {place})")
            self.page.wait_for_timeout(60)
        self.settle()
        self.page.evaluate("window.scrollTo(0, 0)")

    def check(self) -> None:
        """Fail if anything went wrong unseen."""
        assert self.faults == [], self.page.url
