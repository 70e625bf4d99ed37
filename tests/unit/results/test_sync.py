"""What a sync would send, what it holds, how it is judged, and how it goes on wherever it was killed."""

from __future__ import annotations

import contextlib
import fcntl
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sweeper.backend import transaction_log
from sweeper.backend.run_reader import ServerRun
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError, SweeperError
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.sync import RunSync, Sync, SyncResult, _locked
from sweeper.results.sync_staging import Staged, step_of
from sweeper.results.sync_target import Destination
from sweeper.run import RunState
from sweeper.settings import Backend

DEFINITION = SweepDefinition.from_yaml("method: random\nparameters: {lr: {min: 0.0, max: 1.0}}")
THERE = Destination(backend=Backend(kind="wandb", base_url="https://w.org/"), entity="e", project="p")


@dataclass
class Handle:
    """The history that the SDK would read from the server."""

    steps: range

    def scan_history(self, min_step: int = 0, max_step: int = 10**9, **_page: Any):
        """Read rows."""
        return iter([{"_step": step, "loss": step / 10} for step in self.steps if min_step <= step < max_step])


def server_run(name: str, state: RunState = RunState.FINISHED, last_step: int | None = 3) -> ServerRun:
    known = {"sweep": "s", "config": {}, "summary": {}, "notes": "", "tags": ()}
    created = datetime(2026, 1, 1, tzinfo=UTC)
    handle = Handle(range((last_step if last_step is not None else -1) + 1))
    return ServerRun(id=name, name=name, state=state, created_at=created, last_step=last_step, handle=handle, **known)


class Killed(BaseException):
    """The end of the process: nothing after it is done."""


@dataclass
class ServerThere:
    """The other server: it keeps rows and sweeps, shows runs, and may be where the sync is killed.

    Attributes:
        runs: Its runs.
        rows: The steps of each, in the order in which they came.
        sweeps: The runs that were attached to each sweep, in order.
        asked: What it was asked to do.
        refuses: What it does not do.
        hidden: How often it does not show a run that it has.
        killed_at: At which moment: each thing that it does has one before and one behind it.
    """

    runs: dict[str, ServerRun] = field(default_factory=dict)
    rows: dict[str, list[int]] = field(default_factory=dict)
    sweeps: dict[str, list[str]] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    hidden: int = 0
    killed_at: int | None = None
    moments: int = 0

    def _moment(self) -> None:
        self.moments += 1
        if self.moments == self.killed_at:
            raise Killed

    def _begin(self, what: str, of: Any) -> None:
        self._moment()
        self.asked.append((what, of))
        if self.refuses & {what, str(of)}:
            raise BackendError(f"{what} is refused")

    def find(self, run_id: str) -> ServerRun | None:
        """Show a run."""
        self._moment()
        if self.hidden and run_id in self.runs:
            self.hidden -= 1
            return None
        return self.runs.get(run_id)

    def send(self, folder: Path, run_id: str, lock: int) -> None:
        """Take a log: row after row, then its end, and each of them may be the last."""
        self._begin("send", run_id)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        known = self.runs.get(run_id)
        if known is None or known.state.ended:
            self.rows[run_id] = []
        for record in transaction_log.read(folder / f"run-{run_id}.wandb"):
            if record.HasField("history"):
                self.rows[run_id].append(step_of(record.history))
            state = RunState.FINISHED if record.HasField("exit") else RunState.RUNNING
            self.runs[run_id] = server_run(run_id, state, max(self.rows[run_id], default=None))
            self._moment()

    def register(self, _definition: SweepDefinition, runs: list[str]) -> SweepRef:
        """Make a sweep."""
        self._begin("register", list(runs))
        sweep = SweepRef("e", "p", f"s{len(self.sweeps)}")
        self.sweeps[sweep.path] = list(runs)
        self._moment()
        return sweep

    def attach(self, sweep: SweepRef, _definition: SweepDefinition, runs: list[str]) -> None:
        """Attach runs; one that is attached stays so."""
        self._begin("attach", list(runs))
        self.sweeps[sweep.path] += [run for run in runs if run not in self.sweeps[sweep.path]]
        self._moment()

    def page(self, sweep: SweepRef) -> str:
        """Name a page."""
        return f"https://w.org/{sweep.path}"


@pytest.fixture
def sync(tmp_path):
    def make(*runs: ServerRun, there: ServerThere | None = None) -> Sync:
        directory = SweepDir.of(tmp_path, SweepRef("local", "p", "s"))
        directory.sync.mkdir(parents=True, exist_ok=True)
        return Sync(directory_ref, DEFINITION, runs, THERE, directory, there or ServerThere(), {}, 0.0)

    directory_ref = SweepRef("local", "p", "s")
    return make


def outcomes(result: SyncResult) -> list[str]:
    return [run.outcome for run in result.runs]


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


def test_a_run_has_arrived_when_its_last_row_is_there(sync, tmp_path):
    """And its end; a server that still takes it for crashed, or lacks rows, has not taken it all."""
    runs = [server_run("whole", RunState.FINISHED), server_run("crashed", RunState.CRASHED)]
    runs += [server_run("short", RunState.FINISHED, 2), server_run("running", RunState.RUNNING)]
    runs += [server_run("long", RunState.FINISHED, 4)]
    there = ServerThere({run.id: run for run in runs})
    prepared, staged = sync(there=there), Staged(folder=tmp_path, last_step=3, notes=())
    prepared._check_arrival("whole", staged)
    for name, says in [
        ("crashed", "crashed"),
        ("short", "step 2"),
        ("running", "running"),
        ("long", "step 4"),
        ("none", "not there"),
    ]:
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


def test_every_run_is_sent_once_and_attached_in_order(sync):
    """Each is told as it is done with; what goes on and what was sent before is left, so a second sync does nothing."""
    there, told = ServerThere(), []
    runs = [
        server_run("a"),
        server_run("b", RunState.RUNNING),
        server_run("c", RunState.FAILED),
        server_run("d", last_step=None),
    ]
    result = sync(*runs, there=there).run(told.append)
    assert outcomes(result) == ["sent", "not ended", "sent", "sent"]
    assert told == list(result.runs)
    assert there.rows == {"a": [0, 1, 2, 3], "c": [0, 1, 2, 3], "d": []}
    assert there.sweeps == {"e/p/s0": ["a", "c", "d"]}
    assert (result.sweep, result.url, result.error, result.ok) == ("e/p/s0", "https://w.org/e/p/s0", "", True)
    assert "no transaction log" in result.runs[0].notes[0]
    asked = list(there.asked)
    again = sync(*runs, there=there).run(told.append)
    assert outcomes(again) == ["sent before", "not ended", "sent before", "sent before"]
    assert (there.asked, again.sweep, again.url) == (asked, "e/p/s0", "https://w.org/e/p/s0")
    later = sync(*runs, server_run("e"), there=there)
    assert outcomes(later.plan()) == [*outcomes(again), "to be sent"]
    assert later.plan().sweep == "e/p/s0"
    assert outcomes(later.run(told.append))[-1] == "sent"
    assert there.asked[len(asked) :] == [("send", "e"), ("attach", ["e"])]
    assert there.sweeps == {"e/p/s0": ["a", "c", "d", "e"]}


def abc(sync, there: ServerThere, *killed_at: int) -> SyncResult:
    """Sync three runs, killed so often at these moments, and then to the end."""
    for there.killed_at in killed_at:
        there.moments = 0
        with contextlib.suppress(Killed):
            sync(*map(server_run, "abc"), there=there).run(lambda _: None)
    there.killed_at = None
    return sync(*map(server_run, "abc"), there=there).run(lambda _: None)


def test_wherever_it_is_killed_it_goes_on_and_sends_each_row_once(sync):
    """Before and behind every request, within every delivery, and twice: at worst a sweep there is made anew."""
    ledger, undisturbed = sync().ledger.file, ServerThere()
    assert abc(sync, undisturbed).ok
    assert undisturbed.moments > 25
    moments = range(1, undisturbed.moments + 1)
    for killed_at in [
        *((moment,) for moment in moments),
        *((first, second) for first in moments for second in (2, 5, 9)),
    ]:
        ledger.unlink()
        there = ServerThere()
        result = abc(sync, there, *killed_at)
        assert (result.ok, set(outcomes(result)) <= {"sent", "sent before"}) == (True, True), killed_at
        assert there.rows == {"a": [0, 1, 2, 3], "b": [0, 1, 2, 3], "c": [0, 1, 2, 3]}, killed_at
        assert [run.state for run in there.runs.values()] == [RunState.FINISHED] * 3
        assert there.sweeps[result.sweep] == ["a", "b", "c"]
        assert len(there.sweeps) <= 1 + len(killed_at)
        again = abc(sync, there)
        assert (outcomes(again), again.sweep) == (["sent before"] * 3, result.sweep)


def test_a_run_that_is_under_way_there_is_gone_on_with(sync):
    """Behind its last row; one that has ended there is written over, as W&B does."""
    there = ServerThere({"a": server_run("a", RunState.RUNNING, 1), "b": server_run("b", RunState.CRASHED, 1)})
    there.rows = {"a": [0, 1], "b": [0, 1]}
    prepared = sync(server_run("a"), server_run("b"), there=there)
    prepared.ledger.begin("a")
    prepared.ledger.begin("b")
    assert outcomes(prepared.run(lambda _: None)) == ["sent", "sent"]
    assert there.rows == {"a": [0, 1, 2, 3], "b": [0, 1, 2, 3]}


def test_a_strangers_run_is_left_alone(sync):
    """One of the same id that was not begun from here: it fails in words, and the others go on."""
    there = ServerThere({"a": server_run("a", RunState.RUNNING, 7)}, {"a": [7]})
    prepared = sync(server_run("a"), server_run("b"), there=there)
    result = prepared.run(lambda _: None)
    assert outcomes(result) == ["failed", "sent"]
    assert result.runs[0].error == "a run a is there already and was not sent from here"
    assert not result.ok
    assert (there.rows["a"], there.sweeps) == ([7], {"e/p/s0": ["b"]})
    assert (prepared.ledger.runs("begun"), prepared.ledger.runs("sent")) == (["b"], ["b"])


def test_what_fails_stops_no_other_run_and_is_sent_next_time(sync):
    """Nothing of it is left here, it is not noted as sent, and not attached."""
    there = ServerThere(refuses={"a"})
    prepared = sync(server_run("a"), server_run("b"), there=there)
    result = prepared.run(lambda _: None)
    assert [(run.outcome, run.error) for run in result.runs] == [("failed", "send is refused"), ("sent", "")]
    assert [path.name for path in (prepared.directory.sync / "staging").iterdir()] == []
    assert (prepared.ledger.runs("begun"), prepared.ledger.runs("sent")) == (["a", "b"], ["b"])
    assert there.sweeps == {"e/p/s0": ["b"]}
    there.refuses = set()
    assert outcomes(sync(server_run("a"), server_run("b"), there=there).run(lambda _: None)) == ["sent", "sent before"]
    assert there.sweeps == {"e/p/s0": ["b", "a"]}


def test_what_lies_in_the_way_is_a_failure_in_words(sync):
    """A file where its folder would be, of which a sync that was killed would clear a folder."""
    prepared = sync(server_run("a"))
    (prepared.directory.sync / "staging").write_text("no folder")
    (run,) = prepared.run(lambda _: None).runs
    assert run.outcome == "failed"
    assert "staging" in run.error


def test_what_a_killed_sync_left_is_cleared_away(sync):
    """Its links lead to files that may be gone."""
    prepared = sync(server_run("a"))
    left = prepared.directory.sync / "staging" / "run-a" / "files"
    left.mkdir(parents=True)
    (left / "model.ckpt").symlink_to("nowhere")
    assert outcomes(prepared.run(lambda _: None)) == ["sent"]
    assert not left.exists()


def test_runs_that_cannot_be_attached_are_sent_all_the_same(sync):
    """The fault is told, and the next sync attaches them."""
    there = ServerThere(refuses={"register"})
    result = sync(server_run("a"), there=there).run(lambda _: None)
    assert (outcomes(result), result.sweep, result.error, result.ok) == (["sent"], "", "register is refused", False)
    there.refuses = set()
    later = sync(server_run("a"), there=there).run(lambda _: None)
    assert (outcomes(later), later.sweep, later.ok) == (["sent before"], "e/p/s0", True)


def test_a_sweep_that_takes_no_more_runs_is_followed_by_another(sync):
    """With all of them: somebody changed it there."""
    there = ServerThere()
    sync(server_run("a"), there=there).run(lambda _: None)
    there.refuses = {"attach"}
    result = sync(server_run("a"), server_run("b"), there=there).run(lambda _: None)
    assert (result.sweep, result.ok) == ("e/p/s1", True)
    assert there.sweeps == {"e/p/s0": ["a"], "e/p/s1": ["a", "b"]}


def test_nothing_sent_makes_no_sweep(sync):
    """An empty one would only stand in the way."""
    there = ServerThere()
    result = sync(server_run("a", RunState.RUNNING), there=there).run(lambda _: None)
    assert (outcomes(result), result.sweep, result.url, there.asked) == (["not ended"], "", "", [])


def test_many_runs_are_attached_two_hundred_at_a_time(sync):
    """A request may take 20 s; what a kill left off is attached by the next sync, in the same portions."""
    names = [f"r{number}" for number in range(401)]
    there = ServerThere()
    prepared = sync(*(server_run(name, last_step=None) for name in names), there=there)
    for name in names:
        prepared.ledger.sent(name)
    result = prepared.run(lambda _: None)
    assert there.asked == [("register", names[:200]), ("attach", names[200:400]), ("attach", names[400:])]
    assert there.sweeps == {result.sweep: names}
    more = [f"s{number}" for number in range(200)]
    for name in more:
        prepared.ledger.sent(name)
    sync(*(server_run(name) for name in names), there=there).run(lambda _: None)
    assert there.asked[3:] == [("attach", more)]


def test_a_server_may_show_a_run_a_moment_later(sync):
    """As W&B's cloud does; it is asked again until the time is up."""
    prepared = sync(server_run("a"), there=ServerThere(hidden=1))
    prepared.arrival_timeout_s = 30.0
    assert outcomes(prepared.run(lambda _: None)) == ["sent"]


def test_one_sync_at_a_time_works_on_a_sweep(tmp_path):
    """Another waits, and says for whom when it has waited long enough; afterwards the lock is free."""
    folder = tmp_path / "sync"
    with _locked(folder):
        assert folder.stat().st_mode & 0o777 == 0o700
        with (
            pytest.raises(SweeperError, match="another `sweeper sync` of this sweep") as caught,
            _locked(folder, timeout_s=0.0),
        ):
            pass
        assert "wait" in caught.value.hint
    with _locked(folder, timeout_s=0.0):
        pass


def test_a_destination_is_an_address_an_entity_and_a_project():
    """However the address ends: it is what the ledger knows it by."""
    assert str(THERE) == "https://w.org/e/p"
    assert THERE.run("r").path == "e/p/r"
