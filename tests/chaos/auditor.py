"""Whether anything was lost: judges facts, and says in words what is wrong. It knows nothing of how they came about."""

from __future__ import annotations

import base64
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.chaos.facts import Facts, RunFacts

STOPPED = frozenset({"killed", "stopped"})
"""How a run ends that early termination has stopped."""


def loss(x: Any, step: int) -> float:
    """What files/chaos_trainer.py logs."""
    return round(x * 0.37 % 1 + 1 / (1 + step), 6)


def weights(x: Any) -> bytes:
    """What it saves."""
    return (f"weights of {x}\n" * 100).encode()


def audit(facts: Facts) -> list[str]:
    """Say what is wrong, each line with the check that found it; nothing if all is well."""
    return [f"{check.__name__}: {fault}" for check in CHECKS for fault in check(facts)]


def each_point_once(facts: Facts) -> Iterator[str]:
    """Every point of a grid has one run; a search has as many as it may have."""
    if facts.points is None:
        if len(facts.runs) != facts.count:
            yield f"{len(facts.runs)} runs, not {facts.count}"
        return
    made = Counter(run.x for run in facts.runs)
    for x in facts.points:
        if made[x] != 1:
            yield f"x={x} has {made[x]} runs"
    yield from (f"x={x} is no point of the grid" for x in made if x not in facts.points)


def each_run_ended_well(facts: Facts) -> Iterator[str]:
    """Every run has finished; or was stopped, with a reason, where runs may be."""
    told = {run["id"]: run for run in facts.status.get("runs", [])}
    for run in facts.runs:
        why = told.get(run.id, {}).get("reason", "")
        if run.state == "finished" or (facts.points is None and run.state in STOPPED and why):
            continue
        yield f"run {run.id} (x={run.x}) is {run.state}: {why or 'no reason given'}"


def rows_are_whole(facts: Facts) -> Iterator[str]:
    """A finished run has every row once and in order, or says that some are missing; a stopped one up to its stop."""
    gaps = _gaps(facts)
    for run in facts.runs:
        steps = [row.get("epoch") for row in run.rows]
        expected = list(range(facts.steps if run.state == "finished" else len(steps)))
        said = gaps.get(run.id) and steps == sorted(set(steps))
        if steps != expected and not said:
            yield f"run {run.id} (x={run.x}, {run.state}) has the rows {_ranges(steps)}, not {_ranges(expected)}"
        if not steps:
            yield f"run {run.id} (x={run.x}, {run.state}) has no row"


def gaps_are_true(facts: Facts) -> Iterator[str]:
    """No run that has all its rows says that some are missing."""
    for run in facts.runs:
        gap = _gaps(facts).get(run.id)
        if gap and [row.get("epoch") for row in run.rows] == list(range(facts.steps)):
            yield f"run {run.id} (x={run.x}) has every row, and status says: {gap}"


def _gaps(facts: Facts) -> dict[str, str]:
    """Give what `sweeper status` says of runs' gaps, by run."""
    return {run["id"]: run.get("gap", "") for run in facts.status.get("runs", [])}


def rows_are_numbered(facts: Facts) -> Iterator[str]:
    """The steps of W&B are those of the trainer."""
    for run in facts.runs:
        wrong = [(row.get("_step"), row.get("epoch")) for row in run.rows if row.get("_step") != row.get("epoch")]
        if wrong:
            yield f"run {run.id} has steps that are not its epochs: {wrong[:5]}"


def values_are_right(facts: Facts) -> Iterator[str]:
    """Each row has the value that its run logs at this step: none is another run's."""
    for run in facts.runs:
        wrong = [row.get("epoch") for row in run.rows if row.get("loss") != loss(run.x, row.get("epoch", -1))]
        if wrong:
            yield f"run {run.id} (x={run.x}) has wrong values at {_ranges(wrong)}"


def attempts_do_not_mix(facts: Facts) -> Iterator[str]:
    """The rows of an attempt stand together, and attempts follow in the order in which they began."""
    for run in facts.runs:
        began = [entry["attempt"] for entry in facts.ledgers.get(run.id, []) if entry["what"] == "begin"]
        order = [row.get("attempt") for row in run.rows]
        unknown = [attempt for attempt in order if attempt not in began]
        if unknown:
            yield f"run {run.id} has rows of attempts that its trainer never began: {sorted(set(map(str, unknown)))}"
        elif [began.index(str(attempt)) for attempt in order] != sorted(began.index(str(one)) for one in order):
            yield f"run {run.id} has rows of attempts in another order: {order}"


def what_was_acknowledged_is_there(facts: Facts) -> Iterator[str]:
    """A row that the server said yes to is in the history; but for attempts before one that began anew."""
    for run in facts.runs:
        lineage = _lineage(facts, run)
        have = Counter((row.get("epoch"), row.get("attempt")) for row in run.rows)
        sent = [json.loads(line) for line in facts.acknowledged.get(run.id, {}).values()]
        lost = [row["epoch"] for row in sent if row["attempt"] in lineage and not have[row["epoch"], row["attempt"]]]
        # logged again by a later attempt, under the same number: it is there, as that one's
        lost = [epoch for epoch in lost if epoch not in {row.get("epoch") for row in run.rows}]
        if lost:
            yield f"run {run.id} (x={run.x}) lacks rows that were acknowledged: {_ranges(lost)}"


def _lineage(facts: Facts, run: RunFacts) -> list[str]:
    """List a run's attempts since it began anew for the last time."""
    begun = [entry for entry in facts.ledgers.get(run.id, []) if entry["what"] == "begin"]
    anew = max((number for number, entry in enumerate(begun) if not entry["starting"]), default=0)
    return [entry["attempt"] for entry in begun[anew:]]


def trainers_agree(facts: Facts) -> Iterator[str]:
    """What has finished for the server has ended for its trainer, which was given the same parameter."""
    for run in facts.runs:
        ledger = facts.ledgers.get(run.id, [])
        if {entry["x"] for entry in ledger if entry["what"] == "begin"} - {run.x}:
            yield f"run {run.id} was trained with other parameters than x={run.x}"
        if run.state == "finished" and not any(entry["what"] == "end" for entry in ledger):
            yield f"run {run.id} (x={run.x}) is finished, and its trainer never came to its end"
        rows = [(entry["attempt"], entry["step"]) for entry in ledger if entry["what"] == "row"]
        if len(set(rows)) != len(rows):
            yield f"run {run.id} logged a step twice in one attempt"
    known = {run.id for run in facts.runs}
    yield from (f"run {id_} was trained, and the sweep does not have it" for id_ in facts.ledgers if id_ not in known)


def no_two_trained_at_once(facts: Facts) -> Iterator[str]:
    """A run has one process that trains: when another has begun, the one before logs nothing more that counts."""
    for run in facts.runs:
        rows = {(row.get("attempt"), row.get("epoch")) for row in run.rows}
        last: dict[str, float] = {}
        for entry in facts.ledgers.get(run.id, []):
            if entry["what"] == "begin":
                last[entry["attempt"]] = entry["at"]
        order = sorted(last, key=last.__getitem__)
        for entry in facts.ledgers.get(run.id, []):
            later = [one for one in order[order.index(entry["attempt"]) + 1 :] if last[one] < entry["at"]]
            if entry["what"] == "row" and later and (entry["attempt"], entry["step"]) in rows:
                yield f"run {run.id}: attempt {entry['attempt']} logged step {entry['step']} after {later[0]} had begun"
                break


def summaries_are_right(facts: Facts) -> Iterator[str]:
    """A finished run's summary has its last row."""
    for run in facts.runs:
        last = {"epoch": facts.steps - 1, "loss": loss(run.x, facts.steps - 1)}
        if run.state == "finished" and any(run.summary.get(key) != value for key, value in last.items()):
            yield f"run {run.id} (x={run.x}) has the summary {dict(run.summary)}, not {last}"


def files_are_whole(facts: Facts) -> Iterator[str]:
    """What a finished run saved is there, with its size and its MD5."""
    for run in facts.runs:
        content = weights(run.x)
        digest = base64.b64encode(hashlib.md5(content).digest()).decode()  # noqa: S324 as W&B names contents
        found = run.files.get("weights.txt")
        if run.state == "finished" and list(found or []) != [len(content), digest]:
            yield f"run {run.id} (x={run.x}) has the file {found}, not {[len(content), digest]}"


def artifacts_are_whole(facts: Facts) -> Iterator[str]:
    """A finished run has its artifact, committed, and each can be downloaded as it was logged."""
    for run in facts.runs:
        digest = hashlib.md5(weights(run.x)).hexdigest()  # noqa: S324 as above
        own = [artifact for artifact in run.artifacts if artifact["name"].startswith(f"weights-{run.id}:")]
        if run.state == "finished" and not own:
            yield f"run {run.id} (x={run.x}) has no artifact"
        for artifact in own:
            if artifact["state"] != "COMMITTED" or artifact["files"] != {"weights.txt": digest}:
                yield f"run {run.id} (x={run.x}) has the artifact {artifact}"


def the_best_is_the_best(facts: Facts) -> Iterator[str]:
    """`sweeper best` and `status` name a run that has the lowest value of all."""
    values = {run.id: min((row["loss"] for row in run.rows), default=float("inf")) for run in facts.runs}
    lowest = min(values.values(), default=None)
    for command, id_, value in (
        ("best", facts.best.get("run"), facts.best.get("value")),
        ("status", (facts.status.get("best") or {}).get("id"), (facts.status.get("best") or {}).get("best")),
    ):
        if value != lowest or values.get(id_) != lowest:
            yield f"`sweeper {command}` says {id_} with {value}; the lowest is {lowest}"


def counts_are_right(facts: Facts) -> Iterator[str]:
    """`sweeper status` counts as many runs, of as many rows, as the API has, and the sweep is over."""
    status = facts.status
    if (status.get("state"), status.get("done"), status.get("total")) != ("finished", facts.count, facts.count):
        yield f"the sweep is {status.get('state')} with {status.get('done')} of {status.get('total')} runs"
    if sum(status.get("counts", {}).values()) != len(facts.runs):
        yield f"status counts {status.get('counts')}, and there are {len(facts.runs)} runs"
    if status.get("counts", {}).get("finished", 0) != sum(run.state == "finished" for run in facts.runs):
        yield f"status counts {status.get('counts')}, and the API has {dict(Counter(run.state for run in facts.runs))}"
    shown = {run["id"]: run["iterations"] for run in status.get("runs", [])}
    have = {run.id: len(run.rows) for run in facts.runs}
    if shown != have:
        yield f"status shows the rows {shown}, and there are {have}"


def data_are_sound(facts: Facts) -> Iterator[str]:
    """`sweeper server check --deep` finds nothing."""
    if not facts.check:
        yield "`sweeper server check` said nothing"
    yield from (f"{one['check']}: {one['found']}" for one in facts.check if one["verdict"] != "ok")


def nobody_complained(facts: Facts) -> Iterator[str]:
    """No log has a traceback of sweeper's own, or says that it is at fault."""
    yield from facts.words


def nothing_is_left(facts: Facts) -> Iterator[str]:
    """No process, port, lock, temporary folder or shared memory."""
    yield from facts.left


def _ranges(steps: list[Any]) -> str:
    """Write 0, 1, 2, 5 as 0-2 5."""
    parts: list[list[Any]] = []
    for step in steps:
        if parts and isinstance(step, int) and step == parts[-1][-1] + 1:
            parts[-1].append(step)
        else:
            parts.append([step])
    return " ".join(f"{part[0]}-{part[-1]}" if len(part) > 1 else str(part[0]) for part in parts) or "none"


CHECKS: tuple[Callable[[Facts], Iterator[str]], ...] = (
    each_point_once,
    each_run_ended_well,
    rows_are_whole,
    gaps_are_true,
    rows_are_numbered,
    values_are_right,
    attempts_do_not_mix,
    what_was_acknowledged_is_there,
    trainers_agree,
    no_two_trained_at_once,
    summaries_are_right,
    files_are_whole,
    artifacts_are_whole,
    the_best_is_the_best,
    counts_are_right,
    data_are_sound,
    nobody_complained,
    nothing_is_left,
)
