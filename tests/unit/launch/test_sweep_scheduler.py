"""A sweep's own scheduler, as far as it goes without a server."""

from __future__ import annotations

import ast
import importlib
import subprocess
import sys

import pytest

from sweeper.definition.metric import Scheduler
from sweeper.errors import LaunchError
from sweeper.launch.sweep_scheduler import _WANDB, SchedulerProcess, check
from sweeper.ref import SweepRef


def process(log, code: str = "") -> SchedulerProcess:
    """A scheduler that has run this, or was never started."""
    scheduler = SchedulerProcess(SweepRef("e", "p", "s"), {}, log, runs=2)
    if code:
        scheduler.process = subprocess.Popen([sys.executable, "-c", code])
        scheduler.process.wait()
    return scheduler


def test_what_its_process_imports_is_there():
    """Its program is a text, in which no tool would follow a module that moves."""
    for node in ast.walk(ast.parse(_WANDB)):
        if isinstance(node, ast.ImportFrom):
            assert all(hasattr(importlib.import_module(node.module), alias.name) for alias in node.names)


def test_an_engine_whose_package_is_missing_is_refused_with_the_way_to_get_it(tmp_path, monkeypatch):
    """A folder of that name, such as the sweep files', is no package."""
    (tmp_path / "ax").mkdir()
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(LaunchError, match="needs the package ax") as refused:
        check(Scheduler(engine="ax"))
    assert "pip install ax-platform" in refused.value.hint


def test_a_source_that_is_not_here_is_refused(tmp_path, monkeypatch):
    """Its path starts from where the user stands."""
    monkeypatch.chdir(tmp_path)
    scheduler = Scheduler(engine="optuna", source="study.py")
    with pytest.raises(LaunchError, match=r"the scheduler's source study\.py is not in"):
        check(scheduler)
    (tmp_path / "study.py").touch()
    check(scheduler)


@pytest.mark.parametrize(
    ("code", "said", "why"),
    [
        ("", "", ""),
        ("pass", "wandb: ERROR old\n", ""),
        ("exit(1)", "wandb: ERROR no such study\nwandb: bye\n", "no such study"),
        ("exit(1)", "Killed\n", "Killed"),
        ("exit(1)", "", "it said nothing"),
    ],
)
def test_a_scheduler_that_gave_up_says_why(tmp_path, code, said, why):
    """The SDK's last error, else the last line; one that ended well or was never started has not given up."""
    log = tmp_path / "scheduler.log"
    log.write_text(said)
    failure = process(log, code).failure()
    assert (f"the scheduler gave up: {why} (log: {log})" == failure) if why else (failure == "")


def test_a_scheduler_whose_log_was_deleted_has_still_given_up(tmp_path):
    """The launch ends as it would have; only the reason is lost."""
    failure = process(tmp_path / "gone.log", "exit(1)").failure()
    assert failure == f"the scheduler gave up: it said nothing (log: {tmp_path / 'gone.log'})"


def test_one_that_was_never_started_has_nothing_to_end(tmp_path):
    """The server is not told of the end of what it never heard of."""
    scheduler = process(tmp_path / "log")
    assert scheduler.pids == ()
    scheduler.close()
