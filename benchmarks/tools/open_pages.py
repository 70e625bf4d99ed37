"""Keep pages open in a Chromium of its own: a login's address, then one page a line; until stdin ends.

It keeps to one core, since viewers sit at other machines: Chromium gives itself a higher priority than a server has.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tools.browser_probe import chromium


def main() -> None:
    """Open them."""
    login, *pages = sys.argv[1:]
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with chromium() as browser:
        context = browser.new_context()
        context.new_page().goto(login)
        session = context.storage_state()
        for page in pages:
            # each as a viewer's own: pages of one context share six connections, and these are all in sight
            own = browser.new_context(viewport={"width": 1280, "height": 800}, storage_state=session)
            own.new_page().goto(page, wait_until="load")
        print("open", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
