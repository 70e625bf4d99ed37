"""Rounds of random faults in real sweeps of the real SDK: nothing is lost, and nothing is left.

`make chaos CHAOS_ROUNDS=200 CHAOS_SEED=7` plays two hundred from seed 7 on; without, rounds begin for 75 seconds.
"""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.chaos.round import Outcome, play

pytestmark = [pytest.mark.e2e, pytest.mark.rounds, pytest.mark.timeout(0)]

FIRST = 13
"""The seed of the first round: those from here on are of several kinds."""
SLICE_S = 75.0
"""A round that has begun by then is played to its end."""
KEPT = Path(__file__).parents[2] / ".cache" / "chaos"
"""Where the folders of failed rounds are kept."""


def test_nothing_is_lost_in_any_round(tmp_path, capsys):
    """Whatever strikes, at whatever moment, the auditor finds nothing; what it does find is told with its seed."""
    first, rounds = int(os.environ.get("CHAOS_SEED") or FIRST), int(os.environ.get("CHAOS_ROUNDS") or 0)
    began, outcomes = time.monotonic(), list[Outcome]()
    while len(outcomes) < rounds or (not rounds and time.monotonic() - began < SLICE_S):
        seed = first + len(outcomes)
        folder = tmp_path / f"r{seed}"
        outcome = play(seed, folder)
        outcomes.append(outcome)
        told = f"{len(outcome.findings)} findings" if outcome.findings else "well"
        lines = [f"round {seed} ({outcome.title}, {sum(outcome.faults.values())} faults): {told}"]
        if outcome.findings:
            lines += [str(outcome), f"kept: {_keep(folder)}"]
        _say(capsys, *lines)
        shutil.rmtree(folder, ignore_errors=True)
    total = sum((outcome.faults for outcome in outcomes), Counter[str]())
    _say(capsys, *(f"{times:5} {name}" for name, times in sorted(total.items())))
    assert [str(outcome) for outcome in outcomes if outcome.findings] == []


def _say(capsys: pytest.CaptureFixture[str], *lines: str) -> None:
    """Tell whoever waits, at once."""
    with capsys.disabled():
        print("", *lines, sep="\n", end="", flush=True)  # noqa: T201


def _keep(folder: Path) -> Path:
    """Move what a failed round left to where it stays."""
    place = KEPT / f"{folder.name}-{time.strftime('%Y%m%d-%H%M%S')}"
    shutil.copytree(folder, place, symlinks=True, ignore_dangling_symlinks=True)
    return place
