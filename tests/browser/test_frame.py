"""What every page has: it opens, says what it is about, and does nothing unseen."""

from __future__ import annotations

import pytest


def pages_of(world) -> dict[str, str]:
    """Every page, by a name."""
    return {
        "home": "/",
        "entity": f"/{world.entity}",
        "project": world.page(),
        "sweep": world.page("sweeps", world.sweep),
        "trade": world.page("sweeps", world.trade),
        "empty": world.page("sweeps", world.empty),
        "run": world.page("runs", world.run),
    }


@pytest.mark.parametrize("name", ["home", "entity", "project", "sweep", "trade", "empty", "run"])
def test_a_page_opens_without_a_fault(tab, world, name):
    """No error in the console, nothing that the policy refuses, and no request to anywhere else."""
    tab.goto(pages_of(world)[name])
    tab.show_all()
    assert tab.page.locator("main").is_visible()
