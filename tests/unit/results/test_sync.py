"""What a sync would send, what it holds, and how it is judged."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from sweeper.backend.run_reader import ServerRun
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.sync import Destination, RunSync, Sync, SyncResult, _locked
from sweeper.results.sync_staging import Staged
from sweeper.run import RunState
from sweeper.settings import Backend, Settings

DEFINITION = SweepDefinition.from_yaml("method: random\nparameters: {lr: {min: 0.0, max: 1.0}}")
THERE = Destination(backend=Backend(kind="wandb", base_url="https://w.org/"), entity="e", project="p")


def server_run(name: str, state: RunState, last_step: int | None = 3) -> ServerRun:
    known = {"sweep": "s", "config": {}, "summary": {}, "notes": "", "tags": (), "handle": None}
    return ServerRun(
        id=name, name=name, state=state, created_at=datetime(2026, 1, 1, tzinfo=UTC), last_step=last_step, **known
    )


class ServerThere:
    """The other server, which has some runs."""

    def __init__(self, *runs: ServerRun):
        self.runs = {run.id: run for run in runs}

    def find(self, ref):
        """Read one."""
        return self.runs.get(ref.run_id)


@pytest.fixture
def sync(tmp_path):
    def make(*runs: ServerRun, there: ServerThere | None = None) -> Sync:
        ref = SweepRef("local", "p", "s")
        directory = SweepDir.of(tmp_path, ref)
        (directory.path / "sync").mkdir(parents=True)
        return Sync(ref, DEFINITION, runs, THERE, directory, Settings.from_env({}), there or ServerThere(), {})

    return make


def test_what_has_ended_and_was_not_sent_is_to_be_sent(sync):
    """Each run once; one that goes on is left for another time."""
    prepared = sync(*(server_run(name, state) for name, state in
                      [("a", RunState.FINISHED), ("b", RunState.KILLED), ("c", RunState.RUNNING)]))  # fmt: skip
    prepared.ledger.sent("a")
    planned = prepared.plan()
    assert [(run.run, run.outcome) for run in planned.runs] == [
        ("a", "sent before"),
        ("b", "to be sent"),
        ("c", "not ended"),
    ]
    assert (planned.source, planned.to, planned.sweep) == ("local/p/s", "https://w.org/e/p", "")


def test_a_run_has_arrived_when_its_last_row_is_there(sync, tmp_path, monkeypatch):
    """And its end; a server that still takes it for crashed, or lacks rows, has not taken it all."""
    monkeypatch.setattr("sweeper.results.sync.ARRIVAL_TIMEOUT_S", 0.0)
    runs = [server_run("whole", RunState.FINISHED), server_run("crashed", RunState.CRASHED)]
    runs += [server_run("short", RunState.FINISHED, 2), server_run("running", RunState.RUNNING)]
    prepared, staged = sync(there=ServerThere(*runs)), Staged(folder=tmp_path, last_step=3, notes=())
    prepared._check_arrival("whole", staged)
    for name, says in [("crashed", "crashed"), ("short", "step 2"), ("running", "running"), ("none", "not there")]:
        with pytest.raises(BackendError, match=says):
            prepared._check_arrival(name, staged)


def test_a_killed_sync_holds_the_lock_as_long_as_its_command_lives(tmp_path):
    """`wandb sync` inherits it: another sync would otherwise send the same run beside it."""
    with _locked(tmp_path) as lock:
        command = [sys.executable, "-c", "input()"]
        child = subprocess.Popen(command, pass_fds=[lock], stdin=subprocess.PIPE, stderr=subprocess.DEVNULL)
    with (tmp_path / "lock").open() as file:
        with pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        child.communicate(b"\n")
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_sync_is_well_if_nothing_failed():
    """Runs that have not ended are no failure; one that was not sent is, and so are runs that hang in the air."""
    done = [RunSync(run="a", outcome="sent"), RunSync(run="b", outcome="not ended")]
    assert SyncResult(source="s", to="t", runs=tuple(done)).ok
    assert not SyncResult(source="s", to="t", runs=tuple(done), error="refused").ok
    assert not SyncResult(source="s", to="t", runs=(*done, RunSync(run="c", outcome="failed"))).ok
