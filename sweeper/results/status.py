"""The status of a sweep: the records that tables, `--json` and launches read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sweeper.metric_value import may_aggregate
from sweeper.run import Goal, RunState, StopDecision, SweepState, reaches

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

    def to_json(self) -> dict[str, Any]:
        """Give the object that stands for it in `sweeper status --json`."""
        told = {
            name: getattr(self, name) for name in self.__slots__
        }  # asdict copies each value: of many runs for a second
        return told if self.stop is None else told | {"stop": asdict(self.stop)}


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
    """

    done: int
    total: int | None
    counts: Mapping[str, int]
    elapsed_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which runs lead.

    Attributes:
        best: The run with the best value of those that may lead (`sweeper.run.may_lead`); None before the first.
        front: The runs that no other one beats in all metrics, of a sweep with several.
        prior: How many runs of earlier sweeps are attached; they count nowhere else.
        prior_best: The best value among those.
    """

    best: RunStatus | None = None
    front: tuple[RunStatus, ...] = ()
    prior: int = 0
    prior_best: float | None = None


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
    confirmation: Confirmation | None = None

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
        flat = asdict(replace(self, runs=()))
        flat |= flat["facts"] | flat["progress"] | flat["standing"] | flat["search"]
        return {key: flat[key] for key in JSON_KEYS if key != "runs"}


JSON_KEYS = (
    *("sweep", "name", "url", "state", "method", "metric", "goal", "done", "total", "counts", "best", "model"),
    *("elapsed_s", "runs", "stopped_early", "saved_s", "fallbacks", "importance", "prior", "prior_best", "target"),
    *("launchers", "scheduler", "scheduler_at_work", "metrics", "front", "idle", "missing_metrics"),
    "confirmation",
)
"""What `sweeper status --json` tells, in its order."""
