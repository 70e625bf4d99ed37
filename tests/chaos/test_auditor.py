"""The auditor finds nothing in a sound world, and each of its checks finds what was doctored."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.chaos.auditor import CHECKS, audit, loss, weights
from tests.chaos.facts import Facts, RunFacts

STEPS = 4
ATTEMPTS = ("a", "b")
"""Of every run: the first was killed after two rows."""


def row(x: Any, step: int, **more: Any) -> dict[str, Any]:
    """A row as the trainer logs it."""
    return {"_step": step, "epoch": step, "loss": loss(x, step), "attempt": ATTEMPTS[min(step // 2, 1)], **more}


def run(number: int, *, state: str = "finished", steps: int = STEPS) -> RunFacts:
    """A run that went well."""
    content = weights(number)
    digest = hashlib.md5(content)  # noqa: S324 as W&B names contents
    artifact = {"name": f"weights-r{number}:v0", "state": "COMMITTED", "files": {"weights.txt": digest.hexdigest()}}
    ended = state == "finished"
    return RunFacts(
        id=f"r{number}",
        state=state,
        x=number,
        rows=[row(number, step) for step in range(steps)],
        summary={"epoch": steps - 1, "loss": loss(number, steps - 1)},
        files={"weights.txt": [len(content), base64.b64encode(digest.digest()).decode()]} if ended else {},
        artifacts=[artifact] if ended else [],
    )


def ledger(number: int) -> list[dict[str, Any]]:
    """What its trainer says: two rows, and after a kill the other two."""
    entries: list[dict[str, Any]] = []
    for number_, attempt in enumerate(ATTEMPTS):
        first = number_ * 2
        entries.append({"what": "begin", "attempt": attempt, "saved": first, "starting": first, "x": number})
        entries += [{"what": "row", "attempt": attempt, "step": step} for step in (first, first + 1)]
    entries.append({"what": "end", "attempt": "b"})
    return [{**entry, "at": float(at)} for at, entry in enumerate(entries)]


def facts_of(runs: list[RunFacts], **more: Any) -> Facts:
    """All there is, made so that it fits these runs."""
    values = {one.id: min(entry["loss"] for entry in one.rows) for one in runs}
    best = min(values, key=lambda id_: values[id_])
    told = [{"id": one.id, "reason": "rung", "iterations": len(one.rows)} for one in runs]
    counts: dict[str, int] = {}
    for one in runs:
        counts[one.state] = counts.get(one.state, 0) + 1
    whole = {"state": "finished", "done": len(runs), "total": len(runs)}
    status = {**whole, "counts": counts, "best": {"id": best, "best": values[best]}, "runs": told}
    ledgers = {one.id: ledger(one.x) for one in runs}
    sent = {one.id: {number: json.dumps(entry) for number, entry in enumerate(one.rows)} for one in runs}
    return Facts(
        **{
            "points": [1, 2],
            "count": len(runs),
            "steps": STEPS,
            "runs": runs,
            "ledgers": ledgers,
            "acknowledged": sent,
            "status": status,
            "best": {"run": best, "value": values[best]},
            "check": [{"check": "database", "verdict": "ok", "found": ""}],
            **more,
        }
    )


SOUND = facts_of([run(1), run(2)])
STOPPED = facts_of([run(1), run(2, state="killed", steps=2)], points=None)


def test_a_sound_world_is_sound():
    """No check finds anything where nothing was lost, whether or not a run was stopped early."""
    assert audit(SOUND) == []
    assert audit(STOPPED) == []


def changed(**fields: Any) -> Callable[[Facts], Facts]:
    """Doctor the facts."""
    return lambda facts: replace(facts, **fields)


def first_run(**fields: Any) -> Callable[[Facts], Facts]:
    """Doctor the first run, and leave all else."""
    return lambda facts: replace(facts, runs=[replace(facts.runs[0], **fields), *facts.runs[1:]])


def rows(*kept: tuple[int, str] | int, **more: Any) -> Callable[[Facts], Facts]:
    """Give the first run other rows: steps, or steps and the attempts that are said to have logged them."""
    pairs = [one if isinstance(one, tuple) else (one, ATTEMPTS[one // 2]) for one in kept]
    return first_run(rows=[row(1, step, attempt=attempt, **more) for step, attempt in pairs])


def status(**fields: Any) -> Callable[[Facts], Facts]:
    """Doctor what `sweeper status` says."""
    return lambda facts: replace(facts, status={**facts.status, **fields})


def first_ledger(*entries: dict[str, Any], without: str = "") -> Callable[[Facts], Facts]:
    """Doctor what the first run's trainer says: add entries, or leave out a kind."""

    def doctor(facts: Facts) -> Facts:
        kept = [entry for entry in facts.ledgers["r1"] if entry["what"] != without]
        return replace(facts, ledgers={**facts.ledgers, "r1": [*kept, *entries]})

    return doctor


DAMAGED = {"name": "weights-r1:v0", "state": "COMMITTED", "files": {"weights.txt": "0"}}
PENDING = {**SOUND.runs[0].artifacts[0], "state": "PENDING"}
ANEW = {"what": "begin", "attempt": "c", "saved": 0, "starting": 0, "x": 1, "at": 20.0}
DOCTORED: tuple[tuple[str, Facts, Callable[[Facts], Facts]], ...] = (
    ("each_point_once", SOUND, changed(points=[1, 2, 3])),
    ("each_point_once", SOUND, changed(points=[1])),
    ("each_point_once", SOUND, changed(runs=[run(1), run(1), run(2)])),
    ("each_point_once", SOUND, changed(points=None, count=3)),
    ("each_run_ended_well", SOUND, first_run(state="failed")),
    ("each_run_ended_well", SOUND, first_run(state="crashed")),
    ("each_run_ended_well", SOUND, first_run(state="running")),
    ("each_run_ended_well", SOUND, first_run(state="killed")),
    ("each_run_ended_well", STOPPED, first_run(state="failed")),
    ("each_run_ended_well", STOPPED, status(runs=[])),
    ("rows_are_whole", SOUND, rows(0, 1, 2)),
    ("rows_are_whole", SOUND, rows(0, 1, 3)),
    ("rows_are_whole", SOUND, rows(0, 1, 1, 2, 3)),
    ("rows_are_whole", SOUND, rows(0, 2, 1, 3)),
    ("rows_are_whole", SOUND, rows()),
    ("rows_are_whole", STOPPED, changed(runs=[run(1), replace(run(2, state="killed"), rows=[row(2, 1)])])),
    ("rows_are_whole", STOPPED, changed(runs=[run(1), replace(run(2, state="killed"), rows=[])])),
    ("gaps_are_true", SOUND, status(runs=[{"id": "r1", "iterations": 4, "gap": "the row 3"}])),
    ("rows_are_numbered", SOUND, rows(0, 1, 2, 3, _step=7)),
    ("values_are_right", SOUND, rows(0, 1, 2, 3, loss=0.123)),
    ("attempts_do_not_mix", SOUND, rows((0, "a"), (1, "b"), (2, "a"), (3, "b"))),
    ("attempts_do_not_mix", SOUND, rows((0, "b"), (1, "b"), (2, "a"), (3, "a"))),
    ("attempts_do_not_mix", SOUND, rows((0, "a"), (1, "a"), (2, "z"), (3, "z"))),
    ("what_was_acknowledged_is_there", SOUND, rows(0, 1, 2)),
    ("trainers_agree", SOUND, first_ledger(without="end")),
    ("trainers_agree", SOUND, first_ledger({"what": "begin", "attempt": "c", "starting": 4, "x": 2, "at": 20.0})),
    ("trainers_agree", SOUND, first_ledger({"what": "row", "attempt": "b", "step": 3, "at": 20.0})),
    ("trainers_agree", SOUND, changed(runs=[run(1)])),
    ("no_two_trained_at_once", SOUND, first_ledger({"what": "row", "attempt": "a", "step": 1, "at": 20.0})),
    ("summaries_are_right", SOUND, first_run(summary={"epoch": 2, "loss": loss(1, 3)})),
    ("summaries_are_right", SOUND, first_run(summary={"epoch": 3, "loss": loss(1, 2)})),
    ("files_are_whole", SOUND, first_run(files={})),
    ("files_are_whole", SOUND, first_run(files={"weights.txt": [1, "x"]})),
    ("artifacts_are_whole", SOUND, first_run(artifacts=[])),
    ("artifacts_are_whole", SOUND, first_run(artifacts=[DAMAGED])),
    ("artifacts_are_whole", SOUND, first_run(artifacts=[PENDING])),
    ("the_best_is_the_best", SOUND, changed(best={"run": "r1", "value": 0.5})),
    ("the_best_is_the_best", SOUND, changed(best={})),
    ("the_best_is_the_best", SOUND, status(best={"id": "r2", "best": SOUND.status["best"]["best"]})),
    ("the_best_is_the_best", SOUND, status(best=None)),
    ("counts_are_right", SOUND, status(state="running")),
    ("counts_are_right", SOUND, status(done=1)),
    ("counts_are_right", SOUND, status(counts={"finished": 3})),
    ("counts_are_right", SOUND, status(counts={"finished": 1, "failed": 1})),
    ("counts_are_right", SOUND, status(runs=[{"id": "r1", "iterations": 4}, {"id": "r2", "iterations": 3}])),
    ("data_are_sound", SOUND, changed(check=[{"check": "files", "verdict": "error", "found": "one is damaged"}])),
    ("data_are_sound", SOUND, changed(check=[])),
    ("nobody_complained", SOUND, changed(words=["server.log: Traceback"])),
    ("nothing_is_left", SOUND, changed(left=["process 1: init"])),
)


@pytest.mark.parametrize(("check", "world", "doctor"), DOCTORED)
def test_each_check_finds_what_was_doctored(check, world, doctor):
    """The check that is there for it, whatever the others say."""
    assert any(finding.startswith(f"{check}: ") for finding in audit(doctor(world)))


def test_no_check_is_without_such_a_test():
    """A check that cannot fail is worth nothing."""
    assert {check.__name__ for check in CHECKS} == {name for name, _, _ in DOCTORED}


def test_rows_of_attempts_before_one_that_began_anew_may_be_gone():
    """A run without a checkpoint starts with an empty history: what it had logged before is not missed."""
    began = [ANEW, *({"what": "row", "attempt": "c", "step": step, "at": 21.0 + step} for step in range(STEPS))]
    anew = first_ledger(*began)(rows(*((step, "c") for step in range(STEPS)))(SOUND))
    sent = {"r1": {9: json.dumps(row(1, 9, attempt="a"))}}
    assert audit(replace(anew, acknowledged=sent)) == []
    again = {"r1": {9: json.dumps(row(1, 9, attempt="c"))}}
    assert [one.split(":")[0] for one in audit(replace(anew, acknowledged=again))] == ["what_was_acknowledged_is_there"]


def test_a_row_that_a_later_attempt_logged_again_is_there():
    """The server had it acknowledged to an attempt that was cut off; the next one logged it under the same number."""
    sent = {"r1": {1: json.dumps(row(1, 1, attempt="b"))}}
    assert audit(replace(SOUND, acknowledged=sent)) == []


@pytest.mark.parametrize(("kept", "excused"), [((0, 1, 3), True), ((0, 1, 1, 3), False), ((1, 0, 3), False)])
def test_a_run_may_say_that_rows_are_missing_but_none_comes_twice_or_late(kept, excused):
    """The history of a run that tells of its gap is not whole, and is in order all the same."""
    told = status(runs=[{"id": "r1", "iterations": len(kept), "gap": "the row 2"}])
    found = [finding.split(":")[0] for finding in audit(told(rows(*kept)(SOUND)))]
    assert ("rows_are_whole" not in found) is excused
    assert "gaps_are_true" not in found
