"""The status of a sweep: the records that tables, `--json` and launches read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sweeper.metric_value import may_aggregate
from sweeper.results.slot_status import SlotStatus
from sweeper.run import Curve, Goal, RunState, StopDecision, SweepState, may_lead, reaches

if TYPE_CHECKING:
    from sweeper.search.confirmation import Confirmation
    from sweeper.search.importance import Importance
    from sweeper.search.missing_metric import MissingMetric


@dataclass(frozen=True, slots=True, kw_only=True)
class RunStatus:
    """One run, as shown.

    Attributes:
        id: Its run id.
        name: Its display name.
        state: Where it is in its life.
        params: The parameters that the sweep varies.
        best: Its best value of the metric.
        last: Its last value of the metric.
        duration_s: How long it took, or has taken.
        slot: Where it ran; empty if this machine did not run it.
        reason: Why it was stopped or failed.
        log: The file with what it printed; empty if it is not on this machine.
        kind: What went wrong with its last attempt, if this machine saw it.
        policy: What was done about that.
        attempts: How often it was started here.
        log_tail: The last lines of the log of one that failed.
        told_to_stop: Whether the server wants it to end and it has not yet.
        stop: The decision of early termination that ended it, if one did.
        losses: How often the server took it from a silent agent.
        values: Its last value of each metric, of a sweep with several.
        lacks: The metrics of which it has no value, if it finished so.
        iterations: How many values of the metric it has logged.
        created_at: When the server made it (aware).
        ended_at: When it ended, by its worker's clock or else by its server's (aware); None as long as it has not.
        heard_at: When its server last heard of it, as long as it goes on (aware).
        gap: What its history lacks although it finished; empty if nothing is known to be missing.
    """

    id: str
    name: str
    state: RunState
    params: Mapping[str, Any]
    best: float | None
    last: float | None
    duration_s: float | None
    slot: str
    reason: str
    log: str
    kind: str = ""
    policy: str = ""
    attempts: int = 1
    log_tail: tuple[str, ...] = ()
    told_to_stop: bool = False
    stop: StopDecision | None = None
    losses: int = 0
    values: Mapping[str, float] = field(default_factory=dict)
    lacks: tuple[str, ...] = ()
    iterations: int = 0
    created_at: datetime | None = None
    ended_at: datetime | None = None
    heard_at: datetime | None = None
    gap: str = ""

    @property
    def stopped_early(self) -> bool:
        """Whether early termination ended it."""
        return self.stop is not None and self.state is RunState.KILLED

    @property
    def may_lead(self) -> bool:
        """Whether it may be the best of its sweep; one that failed is not."""
        return may_lead(self.state, stopped_early=self.stop is not None)

    @property
    def at_work(self) -> bool:
        """Whether something trains it, as far as its server knows."""
        return self.state is RunState.RUNNING or self.state is RunState.PREEMPTING

    def to_json(self) -> dict[str, Any]:
        """Give the object that stands for it in `sweeper status --json`."""
        told = {
            name: getattr(self, name) for name in self.__slots__
        }  # asdict copies each value: of many runs for a second
        for name in ("created_at", "ended_at", "heard_at"):
            told[name] = _moment(told[name])
        return told if self.stop is None else told | {"stop": asdict(self.stop)}


def _moment(when: datetime | None) -> str | None:
    return None if when is None else when.isoformat(timespec="milliseconds")


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepFacts:
    """What a sweep is, whatever has become of it.

    Attributes:
        sweep: `entity/project/id`.
        name: Its name, if it was given one.
        url: Its page.
        state: Where it is in its life.
        method: How it searches.
        metric: What it optimises; empty if nothing, or if it has several metrics.
        goal: In which direction.
        target: The value of the metric at which the sweep has what it is for; None if there is none.
        metrics: What it optimises and in which direction, of a sweep with several metrics.
        run_cap: How many runs its file allows; None if it does not say.
        steered: Whether what runs log decides which runs there are, how far they go, or when the sweep is over.
    """

    sweep: str
    name: str
    url: str
    state: SweepState
    method: str
    metric: str
    goal: Goal
    target: float | None = None
    metrics: Mapping[str, Goal] = field(default_factory=dict)
    run_cap: int | None = None
    steered: bool = False

    @property
    def aim(self) -> str:
        """What it optimises, in words; empty if nothing."""
        goals = self.metrics or ({self.metric: self.goal} if self.metric else {})
        return ", ".join(f"{goal} {name}" for name, goal in goals.items())

    @property
    def metric_names(self) -> str:
        """The name of the metric, or of all: the heading of what runs are compared by; empty if there is none."""
        return " / ".join(self.metrics) or self.metric


@dataclass(frozen=True, slots=True, kw_only=True)
class RunCounts:
    """How far a sweep is; runs attached from earlier sweeps count nowhere here.

    Attributes:
        done: Runs that ended.
        total: Runs expected; None if unbounded.
        counts: Runs by state.
        elapsed_s: Since the first run was made, until now or the end of the last; None before the first.
        planned: Runs there will be when the launches under way on this machine are done, with their `--count`; None if
            they go on until the sweep is stopped.
        eta_s: Seconds until then, by how long runs have taken; None where nobody can tell.
        gpu_hours_used: Hours of a GPU that all runs took together, or of a slot where there is no GPU.
    """

    done: int
    total: int | None
    counts: Mapping[str, int]
    elapsed_s: float | None
    planned: int | None = None
    eta_s: float | None = None
    gpu_hours_used: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which runs lead.

    Attributes:
        best: The run with the best value of those that may lead (`sweeper.run.may_lead`); None before the first.
        front: The runs that no other one beats in all metrics, of a sweep with several.
        prior: How many runs of earlier sweeps are attached; they count nowhere else.
        prior_best: The best value among those.
        best_since: Since when the best run has been the best: its end (aware); None while it goes on.
        climb: The best value so far, after each run that had one; of many runs a part.
    """

    best: RunStatus | None = None
    front: tuple[RunStatus, ...] = ()
    prior: int = 0
    prior_best: float | None = None
    best_since: datetime | None = None
    climb: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchStatus:
    """What the search and early termination did.

    Attributes:
        stopped_early: Runs that early termination ended.
        saved_s: GPU seconds that it saved, by `saved_seconds`; None as long as that is unknown.
        fallbacks: Why runs got random draws where the search had nothing ready, with how many did.
        importance: How much each parameter mattered, if that was asked for.
        scheduler: The engine of the sweep's own scheduler; empty if the server searches.
        scheduler_at_work: Whether that was heard of lately.
    """

    stopped_early: int = 0
    saved_s: float | None = None
    fallbacks: Mapping[str, int] = field(default_factory=dict)
    importance: tuple[Importance, ...] | None = None
    scheduler: str = ""
    scheduler_at_work: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureGroup:
    """Runs that failed alike.

    Attributes:
        cause: What went wrong with the latest of them, in one line.
        kind: What that is, if this machine saw it.
        count: How many there are.
        runs: Their ids, the latest first.
        log: The log of the latest that has one on this machine; empty if none has.
        log_run: Whose log that is.
    """

    cause: str
    kind: str
    count: int
    runs: tuple[str, ...]
    log: str = ""
    log_run: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepStatus:
    """One sweep, as shown.

    Attributes:
        facts: What it is.
        progress: How far it is.
        standing: Which runs lead.
        search: What the search did.
        runs: All runs it made, oldest first.
        model: The best run's ONNX file on this machine; empty if it was not downloaded.
        launchers: The slots of each launch under way on this machine, by its process.
        idle: Whether it goes on and nobody works on it; None where the server does not tell who does.
        closing: Ids of runs that have ended, and whose workers have yet to say why and how long they took.
        missing_metrics: The metrics that no run has logged, although one has finished.
        failures: The runs that failed or crashed, grouped by cause, the most frequent first.
        slots: The slots of launches under way on this machine.
        curves: Some points of the metric of runs that are shown, by their ids; only where they were asked for.
        read_at: When the server was asked (aware): nothing of this is older.
        confirmation: What other seeds have shown of its best configurations; None if nobody ran them again, or asked.
    """

    facts: SweepFacts
    progress: RunCounts
    standing: Standing = Standing()
    search: SearchStatus = SearchStatus()
    runs: tuple[RunStatus, ...] = ()
    model: str = ""
    launchers: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    idle: bool | None = None
    closing: frozenset[str] = frozenset()
    missing_metrics: tuple[MissingMetric, ...] = ()
    failures: tuple[FailureGroup, ...] = ()
    slots: tuple[SlotStatus, ...] = ()
    curves: Mapping[str, Curve] = field(default_factory=dict)
    read_at: datetime | None = None
    confirmation: Confirmation | None = None

    @property
    def gpu_hours_saved(self) -> float | None:
        """Hours of a GPU that early termination saved; None as long as that is unknown."""
        if self.search.saved_s is None:
            return None
        trained_s = sum(run.duration_s or 0.0 for run in self.runs)
        gpus = 3600 * self.progress.gpu_hours_used / trained_s if trained_s else 0.0  # of a run, in the mean
        return self.search.saved_s * (gpus or 1.0) / 3600

    @property
    def reached_target(self) -> bool:
        """Whether a run has reached the metric's target."""
        facts, best = self.facts, self.standing.best
        if best and may_aggregate(facts.metric) and not best.state.ended:
            return False  # what `loss.max` is, its last value decides
        value = best.best if best else None
        return facts.target is not None and value is not None and reaches(facts.goal, value, facts.target)

    def to_json(self) -> dict[str, Any]:
        """Give the object that `sweeper status --json` prints.

        Scripts read it, so it stays one flat object with these keys however the records here are cut.
        """
        flat = self.summary_json() | {"runs": [run.to_json() for run in self.runs]}
        return {key: flat[key] for key in JSON_KEYS}

    def summary_json(self) -> dict[str, Any]:
        """Give the same object without its runs."""
        standing = self.standing
        flat = asdict(replace(self, runs=(), curves={}, standing=replace(standing, best=None, front=())))
        flat |= flat["facts"] | flat["progress"] | flat["standing"] | flat["search"]
        flat |= {
            "state": self.facts.state.word,
            "best": standing.best and standing.best.to_json(),
            "front": [run.to_json() for run in standing.front],
            "best_since": _moment(standing.best_since),
            "gpu_hours_saved": self.gpu_hours_saved,
        }
        return {key: flat[key] for key in JSON_KEYS if key != "runs"}


JSON_KEYS = (
    *("sweep", "name", "url", "state", "method", "metric", "goal", "done", "total", "counts", "best", "model"),
    *("elapsed_s", "runs", "stopped_early", "saved_s", "fallbacks", "importance", "prior", "prior_best", "target"),
    *("launchers", "scheduler", "scheduler_at_work", "metrics", "front", "idle", "missing_metrics"),
    *("planned", "eta_s", "best_since", "gpu_hours_used", "gpu_hours_saved", "failures", "slots"),
    "confirmation",
)
"""What `sweeper status --json` tells, in its order."""
