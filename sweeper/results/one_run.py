"""All about one run: what its server and this machine know of it, in one record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sweeper.backend.run_facts import FactReader, RunFacts, Steps
from sweeper.errors import ResultError
from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import SweepDir
from sweeper.metric_value import flat, reading
from sweeper.nearest import nearest
from sweeper.ref import RunRef, SweepRef
from sweeper.results.labels import varying
from sweeper.results.status import RunStatus, SweepStatus

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition

CURVES = 4
"""Curves that are shown where nobody asked for one."""
OURS = "_sweeper"
"""Under which key of a summary our server tells what it knows itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneRun:
    """A run.

    Attributes:
        sweep: Its sweep.
        run: What the sweep's status tells of it.
        status: The sweep's status.
        facts: What the server knows of it alone.
        attempts: What this machine saw of its attempts, the last word on each, the oldest first.
        varying: The parameters in which the sweep's runs differ.
        curves: Some points of what it logged, by key.
        rerun: What runs the same configuration again, for a shell; empty where that is not known.
    """

    sweep: SweepRef
    run: RunStatus
    status: SweepStatus
    facts: RunFacts
    attempts: tuple[Attempt, ...] = ()
    varying: tuple[str, ...] = ()
    curves: Mapping[str, Steps] = field(default_factory=dict)
    rerun: str = ""

    @property
    def ref(self) -> RunRef:
        """Its full name."""
        return self.sweep.run(self.run.id)

    @property
    def params(self) -> dict[str, Any]:
        """The parameters that the sweep varies, those in which its runs differ first."""
        first = [name for name in self.varying if name in self.run.params]
        return {name: self.run.params[name] for name in [*first, *(self.run.params.keys() - set(first))]}

    @property
    def other_config(self) -> dict[str, Any]:
        """The rest of its config, by dotted name."""
        return {name: value for name, value in sorted(flat(self.facts.config)) if name not in self.run.params}

    @property
    def summary(self) -> dict[str, Any]:
        """What its summary holds, by dotted name, without what W&B keeps there for itself."""
        return dict(sorted(flat(self.facts.summary)))

    @property
    def suggestion(self) -> Mapping[str, Any]:
        """What suggested it, as our server tells: engine, seed, on how many runs that was based; empty elsewhere."""
        found = self.facts.summary.get(OURS)
        told = found.get("suggestion") if isinstance(found, Mapping) else None
        return told if isinstance(told, Mapping) else {}

    @property
    def page(self) -> str:
        """The address of its page."""
        before, found, _ = self.status.facts.url.rpartition("/sweeps/")
        return f"{before}/runs/{self.run.id}" if found else ""

    def to_json(self) -> dict[str, Any]:
        """Give the object that `sweeper show --json` prints."""
        run, facts, sweep = self.run, self.facts, self.status.facts
        return {
            "id": run.id,
            "name": run.name,
            "sweep": self.sweep.path,
            "path": self.ref.path,
            "page": self.page,
            "state": run.state.value,
            "reason": run.reason,
            "kind": run.kind,
            "gap": run.gap,
            "policy": run.policy,
            "attempts": [_attempt_json(attempt) for attempt in self.attempts],
            "losses": run.losses,
            "slot": run.slot,
            "host": facts.host,
            "user": facts.user,
            "created_at": facts.created_at.isoformat(),
            "heard_at": facts.heard_at.isoformat() if facts.heard_at else None,
            "duration_s": run.duration_s,
            "metric": sweep.metric,
            "goal": sweep.goal,
            "best": run.best,
            "last": run.last,
            "values": dict(run.values),
            "params": self.params,
            "varying": [*self.varying],
            "config": dict(facts.config),
            "summary": self.summary,
            "suggestion": dict(self.suggestion) or None,
            "stop": asdict(run.stop) if run.stop else None,
            "logged": dict(facts.logged),
            "curves": {key: [[step, value] for step, value in steps] for key, steps in self.curves.items()},
            "files": [{"name": name, "size_bytes": size} for name, size in facts.files],
            "log": run.log,
            "rerun": self.rerun,
            "tags": [*facts.tags],
            "notes": facts.notes,
        }


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "attempt": attempt.attempt,
        "slot": attempt.slot,
        "outcome": attempt.outcome.value if attempt.outcome else None,
        "reason": attempt.reason,
        "kind": attempt.kind.value if attempt.kind else "",
        "policy": attempt.policy.value if attempt.policy else "",
        "noted_at": datetime.fromtimestamp(attempt.at, UTC).isoformat(),
        "duration_s": attempt.spent_s or None,
        "log": attempt.log,
    }


def gather(
    sweep: SweepRef,
    run: RunStatus,
    status: SweepStatus,
    *,
    reader: FactReader,
    directory: SweepDir,
    definition: SweepDefinition | None,
    keys: Sequence[str] = (),
    everything: bool = False,
    points: int,
) -> OneRun:
    """Put together what is known of a run.

    Args:
        sweep: Its sweep.
        run: The run.
        status: The sweep's status.
        reader: What asks the server.
        directory: What this machine keeps of the sweep.
        definition: The sweep's file; None where it cannot be read.
        keys: Whose curves are wanted; the metric's and some more if none.
        everything: Whether all curves are wanted.
        points: Of each curve, about.

    Raises:
        ResultError: It logged no number under one of the keys.
        BackendError: The server does not answer.
    """
    facts = reader.facts(sweep.run(run.id))
    for key in keys:
        _check_key(key, facts, run.id)
    metrics = [*(status.facts.metrics or [status.facts.metric])]
    shown = tuple(keys) or (numbers_of(facts) if everything else chosen_keys(facts, metrics))
    return OneRun(
        sweep=sweep,
        run=run,
        status=status,
        facts=facts,
        attempts=_attempts(directory, run.id),
        varying=varying(one.params for one in status.runs),
        curves=reader.curves(sweep.run(run.id), shown, points, facts) if shown else {},
        rerun=run_again(definition, facts.config, run.id) if definition else "",
    )


def numbers_of(facts: RunFacts) -> tuple[str, ...]:
    """List what a run logged as numbers."""
    return tuple(key for key, kind in facts.logged.items() if kind == "number")


def _check_key(key: str, facts: RunFacts, run_id: str) -> None:
    known = numbers_of(facts)
    if key in known:
        return
    meant = nearest(key, known)
    what = (
        f"run {run_id} logged {facts.logged[key]} as {key}" if key in facts.logged else f"run {run_id} logged no {key}"
    )
    there = f"it logged: {', '.join(known) or 'no number'}"
    raise ResultError(f"--key {key}: {what}", f"did you mean {meant}? {there}" if meant else there)


def chosen_keys(facts: RunFacts, metrics: Sequence[str]) -> tuple[str, ...]:
    """Choose whose curves to show: the sweep's metrics first, then what is called alike, then the rest, some in all."""
    numbers = numbers_of(facts)
    first = [key for metric in metrics if (key := reading(metric, numbers).key) in numbers]
    plain = [key for key in numbers if not _counts(key)]
    return tuple(dict.fromkeys([*first, *plain]))[: max(CURVES, len(first))]


def _counts(key: str) -> bool:
    """Whether a key counts something up, so that its curve is a slope and no news."""
    return key.rpartition("/")[2].rpartition(".")[2].lower() in {"epoch", "step", "global_step", "batch", "iteration"}


def _attempts(directory: SweepDir, run_id: str) -> tuple[Attempt, ...]:
    """Give the last word on each attempt; each has a log of its own."""
    words = [attempt for attempt in directory.history() if attempt.run_id == run_id]
    last = {attempt.log or (attempt.slot, attempt.attempt): attempt for attempt in words}
    return tuple(sorted(last.values(), key=lambda attempt: attempt.at))


def run_again(definition: SweepDefinition, config: Mapping[str, Any], run_id: str) -> str:
    """Write what runs the same configuration again: a script's command line, else commands that make a sweep of it."""
    from sweeper.definition import rerun  # with YAML, for which no other verb waits

    return rerun.shortest(definition, definition.space.flatten(config), run_id)
