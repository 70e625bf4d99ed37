"""Keep pages open in a Chromium of its own: a login's address, then one page a line; until stdin ends."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.browser_probe import chromium


def main() -> None:
    """Open them."""
    login, *pages = sys.argv[1:]
    with chromium() as browser:
        context = browser.new_context(viewport={"width": 1280, "height": 800})
        context.new_page().goto(login)
        for page in pages:
            context.new_page().goto(page, wait_until="load")
        print("open", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
