"""The end of a launch, on a real sweep: its words, its JSON, its exit code."""

from __future__ import annotations

import contextlib
import json
import os
import sys

import pytest
import typer

from sweeper.cli.launch_end import conclude
from sweeper.cli.target import find_target
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.launch.launch_result import LaunchResult
from sweeper.launch.prepare import Launch
from sweeper.worker.spec import Rules, Slot
from tests.documented_json import assert_documented

WELL = Attempt(run_id="a", slot="cpu0", outcome=AttemptOutcome.FINISHED, wall_s=2.5, log="/logs/a.log")
FAILED = Attempt(run_id="b", slot="cpu0", outcome=AttemptOutcome.FAILED, reason="ValueError: no")


@pytest.fixture
def end(embedded, environ, monkeypatch, capsys):
    """End a launch of a sweep with two runs; give its exit code and what it printed."""
    monkeypatch.setenv("SWEEPER_HOME", str(embedded.home))
    assert environ
    ref, _ = embedded.sweep(0, 1)
    target = find_target(ref.path, "local")
    reader = target.reader()
    directory = SweepDir.of(embedded.home, ref).new_launch()
    slots = (Slot(name="cpu0", device="", threads=1),)
    before = reader.read()
    launch = Launch(
        ref=ref,
        trainer="toy:train",
        script=False,
        slots=slots,
        directory=directory,
        count=None,
        rules=Rules(),
        environ={},
        before=before,
    )

    def run(*runs: Attempt, as_json: bool = False, **more) -> tuple[int, str, str]:
        result = LaunchResult(runs=runs, **({"interrupted": False, "errors": {}} | more))
        capsys.readouterr()
        try:
            conclude(launch, result, reader, target, as_json=as_json)
        except typer.Exit as ended:
            return ended.exit_code, *capsys.readouterr()
        return 0, *capsys.readouterr()

    return run


@pytest.mark.parametrize(
    ("runs", "more", "code", "says"),
    [
        ((WELL,), {}, 0, ""),
        ((WELL, FAILED), {}, 1, "error: 1 of 2 runs failed: b"),
        ((WELL,), {"errors": {"cpu1": "no memory"}}, 1, "error: cpu1 gave up: no memory"),
        ((WELL,), {"ended": "the disk is full"}, 1, "error: the launch ended early: the disk is full"),
        ((WELL,), {"ended": "the time budget is used up", "planned": True}, 0, "the time budget is used up"),
        ((WELL,), {"interrupted": True}, 130, ""),
    ],
)
def test_the_exit_code_says_how_it_ended(end, runs, more, code, says):
    """0 only if all went well, 130 after a Ctrl-C; why is said on stderr, with `--json` too."""
    found, stdout, stderr = end(*runs, **more)
    assert (found, says in stderr) == (code, True)
    assert stdout.splitlines()[-1].startswith("next: sweeper ")
    found, stdout, same = end(*runs, as_json=True, **more)
    assert (found, same) == (code, stderr)
    told = json.loads(stdout)
    assert_documented("launch", told)
    assert (told["ok"], told["interrupted"]) == (code == 0, code == 130)
    assert [run["id"] for run in told["runs"]] == [run.run_id for run in runs]


def test_the_json_has_the_sweep_as_it_is_afterwards(end):
    """And what its workers saw of each run."""
    _, stdout, _ = end(WELL, FAILED, as_json=True)
    told = json.loads(stdout)
    assert [run["state"] for run in told["status"]["runs"]] == ["finished", "failed"]
    assert [(run["outcome"], run["duration_s"], run["log"]) for run in told["runs"]] == [
        ("finished", 2.5, "/logs/a.log"),
        ("failed", None, ""),
    ]
    assert told["runs"][1]["reason"] == "ValueError: no"


def test_a_reader_that_has_seen_enough_hides_no_failure(end, monkeypatch):
    """`sweeper launch | head`: the exit code is still that of the runs."""
    read, write = os.pipe()
    os.close(read)
    with contextlib.suppress(BrokenPipeError), os.fdopen(write, "w", buffering=1, encoding="utf-8") as closed:
        monkeypatch.setattr(sys, "stdout", closed)
        assert end(WELL, FAILED)[0] == 1
        assert end(WELL, interrupted=True, as_json=True)[0] == 130
        assert end(WELL)[0] == 0
