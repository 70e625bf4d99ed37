"""Whole runs: what is asked of the SDK's object, and what `wandb sync` says."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from sweeper.backend.run_reader import _server_run, sync_log
from sweeper.errors import BackendError
from sweeper.ref import RunRef
from sweeper.run import RunState


@dataclass
class Handle:
    """The SDK's run, which reads its history from the server."""

    asked: list[dict[str, Any]] = field(default_factory=list)

    def scan_history(self, **question):
        """Read rows."""
        self.asked.append(question)
        rows = [{"_step": step, "loss": step / 10} for step in range(10)]
        return iter(rows[question.get("min_step", 0) : question.get("max_step", 10)])


def sdk_run(**more):
    known = {"id": "r1", "name": None, "state": "finished", "sweep_name": None, "config": {"lr": 0.1}, "notes": None}
    known |= {"summary_metrics": {"loss": 0.9}, "created_at": "2026-01-01T00:00:00", "tags": None}
    return SimpleNamespace(**{**known, "lastHistoryStep": -1, "scan_history": Handle().scan_history, **more})


def test_what_a_run_lacks_is_empty():
    """No name, notes, tags, sweep or rows: the SDK has None for some and -1 for others."""
    run = _server_run(sdk_run())
    assert (run.name, run.notes, run.tags, run.sweep, run.last_step) == ("r1", "", (), "", None)
    assert run.created_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert _server_run(sdk_run(lastHistoryStep=0)).last_step == 0


def test_a_state_that_is_not_known_goes_on():
    """W&B may have new ones; such a run is not taken for ended."""
    assert _server_run(sdk_run(state="hibernating")).state is RunState.RUNNING
    assert _server_run(sdk_run(state="crashed")).state is RunState.CRASHED


def test_rows_are_read_between_the_steps_that_are_wanted():
    """The server is asked for that stretch alone, and for nothing where none is wanted."""
    handle = Handle()
    run = _server_run(sdk_run(scan_history=handle.scan_history))
    assert [row["_step"] for row in run.rows({3, 5})] == [3, 5]
    assert (handle.asked[0]["min_step"], handle.asked[0]["max_step"]) == (3, 6)
    assert list(run.rows(set())) == []
    assert len(handle.asked) == 1
    assert len(list(run.rows())) == 10
    assert list(run.steps()) == list(range(10))


def test_what_was_not_synced_is_an_error(tmp_path):
    """`wandb sync` (0.31) exits with 0 whatever happens; its own words say why, the log's mark says whether."""
    environ = {**os.environ, "WANDB_BASE_URL": "http://127.0.0.1:1", "WANDB_API_KEY": "k" * 40}
    with (tmp_path / "lock").open("w") as lock, pytest.raises(BackendError, match="`wandb sync` failed: No runs"):
        sync_log(tmp_path, RunRef("e", "p", "r1"), environ, lock.fileno())
