"""A worker's orders, on their way through a file."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sweeper.worker.spec import Rules, Slot, WorkerSpec

SLOT = Slot(name="gpu1", device="GPU-1", threads=2)


def test_orders_survive_the_way_through_their_file(tmp_path):
    """A worker reads what the launcher wrote, whole: no rule has the default's value here."""
    rules = Rules(
        grace_s=5.0,
        retries=7,
        max_failures=3,
        initial_failures=4,
        guess_broken=False,
        timeout_s=60.0,
        time_budget_s=600.0,
        stop_at_target=True,
        isolated=False,
        without_metric=True,
    )
    spec = WorkerSpec(
        sweep="e/p/s",
        trainer="a.b:c",
        slot=SLOT,
        count=3,
        directory=str(tmp_path),
        rules=rules,
        script=True,
        varied=("lr", "optimizer.name"),
    )
    spec.save(tmp_path / "spec.json")
    assert WorkerSpec.load(tmp_path / "spec.json") == spec


def test_orders_of_an_older_launch_are_read(tmp_path):
    """Its rules stand beside the rest: it goes on over an upgrade, and starts workers of the new version."""
    old = {
        "sweep": "e/p/s",
        "trainer": "a.b:c",
        "slot": {"name": "gpu1", "device": "GPU-1", "threads": 2},
        "count": None,
        "directory": "/somewhere",
        "grace_s": 5.0,
        "retries": 1,
        "max_failures": None,
        "timeout_s": 90.0,
        "script": False,
        "isolated": False,
    }
    (tmp_path / "spec.json").write_text(json.dumps(old))
    assert WorkerSpec.load(tmp_path / "spec.json") == WorkerSpec(
        sweep="e/p/s",
        trainer="a.b:c",
        slot=SLOT,
        count=None,
        directory="/somewhere",
        rules=Rules(grace_s=5.0, retries=1, timeout_s=90.0, isolated=False),
    )


@pytest.mark.parametrize(
    ("environ", "rules"),
    [
        ({}, Rules()),
        ({"WANDB_AGENT_DISABLE_FLAPPING": "true"}, Rules(guess_broken=False)),
        ({"WANDB_AGENT_DISABLE_FLAPPING": "false"}, Rules()),
        ({"WANDB_AGENT_MAX_INITIAL_FAILURES": "7"}, Rules(guess_broken=False, initial_failures=7)),
        ({"WANDB_AGENT_MAX_INITIAL_FAILURES": "-1"}, Rules(guess_broken=False)),
        ({"WANDB_AGENT_MAX_INITIAL_FAILURES": "many"}, Rules()),
    ],
)
def test_what_the_sdks_agent_heeds_a_launch_heeds(environ, rules):
    """Who has set it for `wandb agent` means it here, too."""
    assert Rules().heeding(environ) == rules
    assert rules.limits.guess is rules.guess_broken


def test_a_launch_counts_its_own_runs_unless_the_server_counts_a_groups():
    """The tickets of one machine would stop it short of what the group still has to do, or let it go beyond."""
    spec = WorkerSpec(sweep="e/p/s", trainer="a:b", slot=SLOT, count=7, directory="/somewhere")
    assert spec.tickets == 7
    assert replace(spec, group="worker").tickets is None
