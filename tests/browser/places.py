"""Every page there is and every tab in it, for tests that hold for all of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.browser.browsing import Tab
from tests.browser.world import World

NAMES = (
    "home",
    "entity",
    "project",
    "sweep",
    "trade",
    "empty",
    "run",
    "swept run",
    "failed run",
    "compare",
    "artifact",
)
MISSING = "nothing/is/here"


def pages_of(world: World) -> dict[str, str]:
    """Give the address of every page, by its name."""
    first, second = world.finished()[:2]
    return {
        "home": "/",
        "entity": f"/{world.entity}",
        "project": world.page(),
        "sweep": world.page("sweeps", world.sweep),
        "trade": world.page("sweeps", world.trade),
        "empty": world.page("sweeps", world.empty),
        "run": world.page("runs", world.run),
        "swept run": world.page("runs", first),
        "failed run": world.page("runs", world.failed()[0]),
        "compare": f"{world.page('compare')}?runs={first},{second}",
        "artifact": world.page("artifacts", "model", "net"),
    }


def tabs_of(tab: Tab) -> Iterator[str]:
    """Open one tab of a page after the other, as a person would with the mouse; a page without tabs is one."""
    found: Any = tab.page.get_by_role("tab")
    if not found.count():
        yield ""
    for place in range(found.count()):
        one = found.nth(place)
        if one.is_visible():
            one.click()
            tab.settle()
            yield one.inner_text()
