"""A stock agent's heartbeat is answered when its run ends, and what an agent at its `count` drops is taken back."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

AGENT = """
import json, time, wandb

def train():
    with wandb.init() as run:
        time.sleep(6.5)  # longer than the 5 s that an agent sleeps after each answer
        run.log({"loss": 1})

grid = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"x": {"values": [1, 2, 3]}}}
sweep = wandb.sweep(grid, project="p")
wandb.agent(sweep, function=train, project="p", count=1)
print(json.dumps(sweep))
"""
STATES = """
import json, wandb
print(json.dumps(sorted(run.state for run in wandb.Api().sweep("p/{sweep}").runs)))
"""


def test_what_an_agent_at_its_count_drops_is_taken_back(sdk, user):
    """The next run is there in the moment the last one ends; the agent that exits instead leaves no trace of it."""
    sweep = sdk.says(AGENT)

    def states() -> list[str]:
        return sdk.says(STATES.format(sweep=sweep))

    assert states() == ["finished", "pending"]
    user.wait(lambda: states() == ["finished"], "the dropped run's end")
