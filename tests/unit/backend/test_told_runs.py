"""Runs as sweeper's own server tells of them."""

from __future__ import annotations

from sweeper.backend.told_runs import plain_config, told_run
from sweeper.run import Digest, RunState


def test_a_config_is_the_trainers():
    """Values without their wrapping, and nothing of the SDK's own."""
    text = '{"lr": {"value": 0.1}, "plain": 2, "opt": {"value": {"name": "adam"}}, "_wandb": {"value": {}}}'
    assert plain_config(text) == {"lr": 0.1, "plain": 2, "opt": {"name": "adam"}}


def test_what_is_left_out_is_as_in_every_run():
    """A run's name is its id, if it was given none; a state younger than this code belongs to a run that goes on."""
    run = told_run({"id": "r1", "state": "hibernating", "params": {"lr": 0.1}, "digest": [2, 0.5, 0.4, 0.9]})
    assert (run.id, run.name, run.state, run.stop) == ("r1", "r1", RunState.RUNNING, None)
    assert run.digest == Digest(2, 0.5, 0.4, 0.9)
