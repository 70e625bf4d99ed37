"""Take a picture of every page and tab, at two widths and in both themes: `python -m tests.browser.pictures FOLDER`.

`BROWSER_WORLD=/tmp/world` looks at the server that the tests have kept there, instead of filling one first.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

from tests.browser import browsing, places, world
from tests.browser.browsing import DESK, PHONE, Tab


def take(browser: Any, there: world.World, folder: Path, names: list[str]) -> None:
    """Take them.

    Args:
        browser: A Chromium.
        there: The server.
        folder: Where the pictures go, as `PAGE-TAB-WIDTH-THEME.png`.
        names: Which pages; all if it is empty.
    """
    context = browser.new_context()
    context.new_page().goto(there.login())
    session = context.storage_state()
    for name, address in places.pages_of(there).items():
        if names and name not in names:
            continue
        for size in (DESK, PHONE):
            for theme in ("light", "dark"):
                viewport = {"width": size[0], "height": size[1]}
                opened = browser.new_context(viewport=viewport, color_scheme=theme, storage_state=session)
                tab = Tab(opened.new_page(), there.url).goto(address)
                for shown in places.tabs_of(tab):
                    tab.show_all()
                    words = re.sub(r"[^a-z0-9]+", "-", f"{name} {shown}".lower()).strip("-")
                    tab.page.screenshot(path=folder / f"{words}-{size[0]}-{theme}.png", full_page=True)
                for fault in tab.faults:
                    print(f"{name}: {fault}")
                opened.close()


def main() -> None:
    """Fill a server, or take the one that is kept, and look at it."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, sync_playwright() as playwright:
        there = world.make(world.kept_folder() or Path(name))
        try:
            browser = playwright.chromium.launch(executable_path=browsing.chromium(), args=browsing.OPTIONS)
            take(browser, there, folder, sys.argv[2:])
            browser.close()
        finally:
            there.user.run("server", "stop")
            there.user.end()


if __name__ == "__main__":
    main()
