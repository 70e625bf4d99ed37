"""Launches without a terminal, and logs found again."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from sweeper.errors import LaunchError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.launch.background import BackgroundLaunch, find_log, read_log, start_in_background
from sweeper.ref import SweepRef
from sweeper.settings import Settings
from tests.conftest import clean_environ


@pytest.fixture
def directory(tmp_path) -> SweepDir:
    directory = SweepDir.of(tmp_path, SweepRef("e", "p", "s"))
    directory.path.mkdir(parents=True)
    return directory


def ran(launch: LaunchDir, run_id: str, slot: str, text: str, outcome: AttemptOutcome | None = None) -> Path:
    """Note a run with a log."""
    log = launch.new_run_log(slot)
    log.write_text(text)
    launch.append(Attempt(run_id=run_id, slot=slot, log=str(log), outcome=outcome))
    return log


def test_a_log_is_found_by_its_run_or_its_slot(tmp_path, directory):
    """The newest attempt at a run, and the newest run of a slot, in the newest launch that has one."""
    first = directory.new_launch()
    ran(first, "r1", "gpu0", "an attempt", AttemptOutcome.DIED)
    second = ran(first, "r1", "gpu1", "the next attempt", AttemptOutcome.FINISHED)
    third = ran(directory.new_launch(), "r2", "gpu0", "another run", AttemptOutcome.FINISHED)
    assert find_log(tmp_path, "r1")[0] == second
    assert find_log(tmp_path, "gpu1")[0] == second
    assert find_log(tmp_path, "gpu0")[0] == third


def test_the_newest_launch_counts_whatever_sweep_it_is_of(tmp_path, directory):
    """A slot's name says nothing about a sweep."""
    older = SweepDir.of(tmp_path, SweepRef("e", "p", "z")).new_launch()
    older.path.rename(older.path.with_name("20200101-000000"))
    ran(LaunchDir(older.path.with_name("20200101-000000")), "r1", "cpu0", "old")
    new = ran(directory.new_launch(), "r2", "cpu0", "new")
    assert find_log(tmp_path, "cpu0")[0] == new


def test_what_never_ran_here_has_no_log(tmp_path, directory):
    """A run without a log is none of this machine's."""
    directory.new_launch().append(Attempt(run_id="r1", slot="gpu0"))
    with pytest.raises(LaunchError, match="no run or slot 'r1'"):
        find_log(tmp_path, "r1")
    ran(directory.new_launch(), "abcd1234", "gpu0", "text")
    with pytest.raises(LaunchError, match="no run or slot 'abcd1243'") as raised:
        find_log(tmp_path, "abcd1243")
    assert raised.value.hint.startswith("did you mean abcd1234?")
    with pytest.raises(LaunchError, match=f"{directory.ref.sweep_id} is a sweep"):
        find_log(tmp_path, directory.ref.sweep_id)


def test_a_log_goes_on_as_long_as_its_run_and_its_launch(tmp_path, directory):
    """Neither a run that has ended nor one whose launch was killed writes any more."""
    launch = directory.new_launch()
    ran(launch, "r1", "cpu0", "text")
    _, goes_on = find_log(tmp_path, "r1")
    assert not goes_on()
    with launch.held():
        assert goes_on()
        launch.append(Attempt(run_id="r1", slot="cpu0", outcome=AttemptOutcome.FINISHED))
        assert not goes_on()


def test_following_a_log_ends_with_its_run(tmp_path):
    """What is written while one reads is read; the last words are not lost."""
    log = tmp_path / "log"
    log.write_text("first")
    words = [" second", " third"]

    def goes_on() -> bool:
        going = bool(words)
        with log.open("a") as file:
            file.write(words.pop(0) if words else "")
        return going

    assert "".join(read_log(log, goes_on, follow=True)) == "first second third"
    assert "".join(read_log(log, lambda: True, follow=False)) == "first second third"


def test_a_background_launch_that_ends_at_once_says_why(tmp_path, directory):
    """The terminal is told what its log says."""
    settings = Settings.from_env(clean_environ(tmp_path))
    with pytest.raises(LaunchError, match="the launch ended at once") as failed:
        start_in_background(["no-such-command"], directory, settings)
    assert "no-such-command" in failed.value.message.lower()
    assert len(list(directory.path.glob("detached-*.log"))) == 1


@pytest.fixture
def stands_in(tmp_path, monkeypatch, directory) -> Callable[..., BackgroundLaunch]:
    """Start a process in place of the command: it holds a launch and does what it is told."""
    package = tmp_path / "stand" / "sweeper"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    settings = Settings.from_env({**clean_environ(tmp_path), "PYTHONPATH": str(package.parent)})
    monkeypatch.chdir(package.parent)

    def start(code: str, **watch: float) -> BackgroundLaunch:
        (package / "__main__.py").write_text(HOLD + code)
        return start_in_background([str(directory.new_launch().path)], directory, settings, **watch)

    return start


HOLD = """
import fcntl, json, os, pathlib, sys, time
folder = pathlib.Path(sys.argv[1])
file = (folder / "launcher").open("w")
fcntl.flock(file, fcntl.LOCK_EX)
file.write(str(os.getpid()))
file.flush()

def note(**words):
    with (folder / "cpu0.runs.jsonl").open("a") as file:
        file.write(json.dumps({"run_id": "r1", "slot": "cpu0", "at": time.time(), **words}) + "\\n")
"""


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
@pytest.mark.parametrize(
    ("code", "watch"),
    [("note(at=time.time() - 60)", {}), ("note(outcome='finished')", {}), ("", {"watch_s": 0.0})],
    ids=["a run that works", "a run that ended well", "none can work, as the sweep is paused"],
)
def test_a_background_launch_has_begun_when_a_run_works(directory, stands_in, code, watch):
    """It has a session of its own, which no logout ends; its process is the one that `status` names."""
    started = stands_in(f"{code}\ntime.sleep(30)", **watch)
    process = psutil.Process(started.pid)
    try:
        assert os.getsid(started.pid) == started.pid
        assert directory.launchers() == {started.pid: ()}
        assert not started.over
    finally:
        process.kill()
        process.wait()


def test_a_launch_that_breaks_in_its_first_seconds_is_told_in_the_foreground(stands_in):
    """Its errors, and not all that it printed: a run that failed is no sign of health."""
    with pytest.raises(LaunchError) as failed:
        stands_in(
            "note(outcome='failed'); print('server: x\\nerror: no module\\n  mend it\\nerror: over'); sys.exit(1)"
        )
    assert failed.value.message == "the launch ended at once: no module; over"
    assert failed.value.hint.startswith("mend it; its log: ")


def test_a_launch_that_is_over_within_seconds_has_not_failed(stands_in):
    """Nobody watches it in vain."""
    assert stands_in("sys.exit(0)").over


@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_a_run_that_has_just_begun_is_no_sign_of_health(stands_in):
    """Its first mistakes are still to come."""
    with pytest.raises(LaunchError, match="too early"):
        stands_in("note(); time.sleep(1); print('error: too early'); sys.exit(1)")
