"""A page that is open while a real sweep runs: it follows without a reload, to the last run."""

from __future__ import annotations

import pytest

TRAINER = """
import time, wandb

def train():
    with wandb.init() as run:
        for step in range(4):
            run.log({"loss": run.config["x"] + 1 / (1 + step)})
            time.sleep(0.3)
"""
SWEEP = """
method: grid
project: live
program: slow:train
metric: {name: loss, goal: minimize}
parameters: {x: {values: [0.3, 0.1, 0.2, 0.4]}}
"""


@pytest.fixture
def sweep(world):
    """A sweep of four runs, none of which has begun; gives its page."""
    world.user.write("slow.py", TRAINER)
    told = world.user.told("create", world.user.write("live.yaml", SWEEP))
    return f"/{world.entity}/live/sweeps/{told['sweep'].rpartition('/')[2]}"


def test_a_sweep_is_watched_from_its_first_run_to_its_last(open_tab, world, sweep):
    """State, progress, best run and table follow, and so do the project's page and the first one, unreloaded."""
    name = sweep.rpartition("/")[2]
    tab, project, home = (open_tab().goto(page) for page in (sweep, f"/{world.entity}/live", "/"))
    tab.until_text("0 of 4 runs")
    for one in (tab, project, home):
        one.page.evaluate("window.neverReloaded = true")
    launch = world.user.start("launch", f"live/{name}", "--workers", 1)
    tab.until_text("1 running", timeout_s=60)
    home.until_text("live", "[data-live=at-work]", 30)
    tab.until_text("4 of 4 runs", timeout_s=60)
    tab.until_text("finished", "[data-live=state]")
    assert tab.text(".best-value").split()[0] == "0.35"
    assert launch.wait(timeout=60) == 0
    project.until_text("0.35", timeout_s=30)
    tab.page.locator("#runs").scroll_into_view_if_needed()
    tab.until("document.querySelectorAll('#runs tr[data-run]').length === 4", "four rows of the table")
    assert all(one.page.evaluate("window.neverReloaded") for one in (tab, project, home))
