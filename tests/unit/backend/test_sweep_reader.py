"""The SDK's runs, made ours."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest

from sweeper.backend.sweep_reader import _read_run, utc
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import SweeperError
from sweeper.run import Run, RunState, StopDecision

DEFINITION = SweepDefinition.from_yaml(
    "method: random\nmetric: {name: acc, goal: maximize}\nparameters: {opt: {parameters: {lr: {min: 0.0, max: 1.0}}}}"
)


@dataclass
class SdkRun:
    """A run as `wandb.Api` gives it."""

    id: str = "r1"
    name: str | None = "run-1"
    created_at: str = "2026-01-01T00:00:00Z"
    config: dict[str, Any] = field(default_factory=lambda: {"opt": {"lr": 0.1}, "_wandb": {}})
    summary_metrics: dict[str, Any] = field(default_factory=dict)
    rows: list[dict[str, Any]] = field(default_factory=list)

    def history(self, *, samples: int, keys: list[str], pandas: bool) -> list[dict[str, Any]]:
        """Read what was logged."""
        assert not pandas
        return [row for row in self.rows if keys[0] in row][:samples]


def read(state: RunState = RunState.FINISHED, definition: SweepDefinition = DEFINITION, **fields) -> Run:
    return _read_run(SdkRun(**fields), definition, state, prior=False)


def test_a_run_is_read_whole():
    """Flat parameters, the metric in logged order, times in UTC."""
    run = read(rows=[{"acc": 0.5}, {"acc": 0.9}, {"other": 1}], summary_metrics={"_runtime": 12.5, "acc": 0.9})
    assert (run.id, run.name, run.params, run.history) == ("r1", "run-1", {"opt.lr": 0.1}, (0.5, 0.9))
    assert (run.created_at, run.duration_s) == (datetime(2026, 1, 1, tzinfo=UTC), 12.5)
    assert (run.reason, run.stop, run.fallback, run.losses) == ("", None, "", 0)


def test_a_servers_run_is_no_path():
    """Its id becomes the name of folders here, so it is checked as soon as it is read."""
    with pytest.raises(SweeperError, match="cannot be the id of a run"):
        read(id="../../victim")


def test_nan_counts_apart():
    """As number or as the word that JSON has for it: the search learns nothing from it, a person does."""
    run = read(rows=[{"acc": "NaN"}, {"acc": math.inf}, {"acc": 0.5}, {"acc": "nancy"}])
    assert (run.history, run.nonfinite) == ((0.5,), 2)


def test_a_run_that_logged_no_row_may_have_a_summary():
    """A trainer may write its metric there alone."""
    assert read(summary_metrics={"acc": 0.7}).history == (0.7,)
    assert read(summary_metrics={}).history == ()


def test_a_run_that_waits_is_not_asked_for_its_history():
    """It has none, and a question costs the server time."""
    assert read(RunState.PENDING, rows=[{"acc": 0.5}]).history == ()


def test_our_server_says_why():
    """Why a run was stopped and with which numbers, who drew it, how often it was lost; W&B's says nothing of it."""
    told = {
        "reason": "asha rung 1",
        "stop": {"rule": "asha", "rung": 1, "value": 0.1, "threshold": 0.5, "n": 4},
        "suggestion": {"fallback": "the search takes longer"},
        "losses": 2,
    }
    run = read(RunState.KILLED, summary_metrics={"_sweeper": told})
    assert run.stop == StopDecision("r1", "asha rung 1", "asha", 1, 0.1, 0.5, 4)
    assert (run.reason, run.fallback, run.losses) == ("asha rung 1", "the search takes longer", 2)


def test_a_file_without_parameters_leaves_them_to_its_scheduler():
    """What is flat and not W&B's own may be one."""
    definition = SweepDefinition.from_yaml(
        "method: custom\nmetric: {name: acc, goal: maximize}\n"
        "scheduler: {engine: optuna, source: study.py, search_space: draw}"
    )
    assert read(definition=definition, config={"lr": 0.1, "_wandb": 1, "nested": {"a": 1}}).params == {"lr": 0.1}


@pytest.mark.parametrize("text", ["2026-01-01T00:00:00", "2026-01-01T00:00:00Z", "2026-01-01T02:00:00+02:00"])
def test_times_are_aware(text):
    """One that does not say where it is meant is UTC."""
    assert utc(text) == datetime(2026, 1, 1, tzinfo=UTC)
