"""Whether the best configurations of a sweep are still the best with other seeds: what a confirmation has shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import combinations
from typing import Any, Literal

from sweeper.readable import number
from sweeper.run import Goal, Params, Run, RunState, SweepState, sign
from sweeper.search.finalists import Finalist, bare, finalists
from sweeper.search.significance import LEVEL, Spread, foreseen, holm, spread, welch
from sweeper.space.parameter_space import params_key
from sweeper.space.values import json_key

Verdict = Literal["best", "first", "noise", "worse", "open", "alone"]
"""What seeds say of a configuration: clearly better than all others; the best mean, but not clearly; not to be told
apart from that one; clearly worse than it; too few seeds to say; no other to compare it with."""
_WORDS: Mapping[Verdict, str] = {
    "best": "clearly best",
    "first": "best mean",
    "noise": "may be noise",
    "worse": "clearly worse",
    "open": "too few seeds",
    "alone": "alone",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmingRuns:
    """A sweep that runs the best configurations of another one again, as it is.

    Attributes:
        sweep: Its id.
        seed: The parameter that is the seed.
        planned: The parameters of each run it is to have, with its seed.
        runs: Its own runs.
        state: Where it is in its life.
    """

    sweep: str
    seed: str
    planned: Sequence[Params]
    runs: Sequence[Run]
    state: SweepState

    @property
    def goes_on(self) -> bool:
        """Whether it has runs to give, or one that lost its process: a launch takes it up."""
        if self.state is SweepState.CANCELED:
            return False
        lost = any(run.state is RunState.CRASHED or not run.state.ended for run in self.runs)
        return lost or not (self.state.ended or len(self.runs) >= len(self.planned))


@dataclass(frozen=True, slots=True, kw_only=True)
class Contender:
    """A configuration that was run again.

    Attributes:
        params: Its parameters, flat and without the seed.
        run: The id of its best run in the sweep; empty if that is gone.
        in_sweep: What it had there: the value for which it was chosen, so a good draw among many. None if it is gone.
        values: What it has reached since, a value for each seed that finished.
        seeds: These seeds.
        planned: How many seeds it is to have.
        failed: How many of them ended without a value.
        n: How many have one.
        mean: The mean of the values; None before the first.
        sd: Their standard deviation; None before the second, as with all of the interval.
        low: Where the 95% interval of the mean begins.
        high: Where it ends.
        verdict: What the seeds say of it.
        p: How likely so large a difference to the one with the best mean would be by chance, all comparisons counted.
        lucky: Whether its value in the sweep was better than 95 of 100 seeds would make it.
    """

    params: Params
    run: str = ""
    in_sweep: float | None = None
    values: tuple[float, ...] = ()
    seeds: tuple[Any, ...] = ()
    planned: int = 0
    failed: int = 0
    n: int = 0
    mean: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    verdict: Verdict = "open"
    p: float | None = None
    lucky: bool = False

    @property
    def words(self) -> str:
        """The verdict as people read it."""
        return _WORDS[self.verdict]

    @property
    def of_seeds(self) -> str:
        """How many seeds count, and of how many if others failed or are to come: `5`, `3 of 5`."""
        return str(self.n) if self.n == self.planned else f"{self.n} of {self.planned}"

    @property
    def interval(self) -> str:
        """The interval of the mean, as people read it; a dash if there is none."""
        return "-" if self.low is None else f"{number(self.low)} to {number(self.high)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """What other seeds have shown of the best configurations of a sweep.

    Attributes:
        sweep: The id of the sweep.
        sweeps: The ids of those that confirm it.
        seed_parameter: What names the seed.
        metric: What is compared: the best value of each run.
        goal: Whether low or high values are good.
        planned: How many runs there are to be.
        ended: How many have ended.
        contenders: The configurations, the best mean first; those without a value last.
        findings: What that means, in sentences that name the configurations by their place, from 1.
    """

    sweep: str
    sweeps: tuple[str, ...]
    seed_parameter: str
    metric: str
    goal: Goal
    planned: int
    ended: int
    contenders: tuple[Contender, ...]
    findings: tuple[str, ...] = field(default=())

    @property
    def varying(self) -> tuple[str, ...]:
        """The parameters in which the configurations differ; all of them, if there is one configuration."""
        every = [one.params for one in self.contenders]
        names = dict.fromkeys(name for params in every for name in params)
        keys = {name: {json_key(params.get(name)) for params in every} for name in names}
        return tuple(name for name in names if len(keys[name]) > 1) or tuple(names)

    def to_json(self) -> dict[str, Any]:
        """Give it as JSON has it."""
        return asdict(self)


def confirmation(
    *, sweep: str, runs: Sequence[Run], confirming: Sequence[ConfirmingRuns], metric: str, goal: Goal
) -> Confirmation | None:
    """Weigh what the confirming sweeps have shown; None if nothing has begun, or is to.

    The configuration with the best mean is compared with each other one. Which one that is the same values decide, so
    all pairs count as tests (Holm): less would find winners where there are none.

    Args:
        sweep: The id of the sweep that is confirmed.
        runs: Its own runs.
        confirming: The sweeps that run its best configurations again, the oldest first.
        metric: What the sweep optimises.
        goal: In which direction.
    """
    if not confirming:
        return None
    # runs with values of another parameter are other configurations: what ran last counts
    seed = next((one.seed for one in reversed(confirming) if one.runs), confirming[-1].seed)
    chosen = [one for one in confirming if one.seed == seed]
    measured = [_measured(one, goal) for one in _contenders(chosen, finalists(runs, goal, seed), goal)]
    ranked = _judged(sorted(measured, key=lambda one: (one.mean is None, sign(goal) * (one.mean or 0.0))))
    if not ranked:  # all of it was canceled before it began
        return None
    return Confirmation(
        sweep=sweep,
        sweeps=tuple(one.sweep for one in chosen),
        seed_parameter=seed,
        metric=metric,
        goal=goal,
        planned=sum(one.planned for one in ranked),
        ended=sum(one.n + one.failed for one in ranked),
        contenders=tuple(ranked),
        findings=tuple(_findings(ranked, seed, goal)),
    )


def _contenders(
    confirming: Sequence[ConfirmingRuns], known_ones: Sequence[Finalist], goal: Goal
) -> Iterable[Contender]:
    """Put the runs of each configuration together; what will not run any more is not planned."""
    known = {params_key(one.params): one for one in known_ones}
    found: dict[str, Contender] = {}
    for one in confirming:
        made = {params_key(run.params): run for run in one.runs}
        over = one.state.ended and not one.goes_on
        for params in one.planned:
            own, run = bare(params, one.seed), made.get(params_key(params))
            if run is None and over:
                continue
            key = params_key(own)
            found[key] = _with_run(found.get(key) or _contender(own, known.get(key)), params.get(one.seed), run, goal)
    return found.values()


def _contender(params: Params, known: Finalist | None) -> Contender:
    return Contender(params=params, run=known.run if known else "", in_sweep=known.value if known else None)


def _with_run(one: Contender, seed: Any, run: Run | None, goal: Goal) -> Contender:
    """Count one of its runs, planned, under way or ended; only one that finished has a value that counts."""
    value = run.best(goal) if run and run.state is RunState.FINISHED else None
    if value is not None:
        return replace(one, planned=one.planned + 1, values=(*one.values, value), seeds=(*one.seeds, seed))
    failed = run is not None and run.state.ended
    return replace(one, planned=one.planned + 1, failed=one.failed + failed)


def _spread(one: Contender) -> Spread:
    return Spread(one.n, one.mean, one.sd, one.low, one.high)


def _measured(one: Contender, goal: Goal) -> Contender:
    found = spread(one.values)
    lucky = False
    if one.in_sweep is not None and (limits := foreseen(found)):
        lucky = one.in_sweep < limits[0] if sign(goal) > 0 else one.in_sweep > limits[1]
    return replace(one, n=found.n, mean=found.mean, sd=found.sd, low=found.low, high=found.high, lucky=lucky)


def _judged(ranked: list[Contender]) -> list[Contender]:
    """Compare the first with each other one."""
    pairs = [
        (one, other, p)
        for one, other in combinations(range(len(ranked)), 2)
        if (p := welch(_spread(ranked[one]), _spread(ranked[other]))) is not None
    ]
    adjusted = zip(pairs, holm([p for _, _, p in pairs]), strict=True)
    against_first = {other: p for (one, other, _), p in adjusted if one == 0}
    judged = [_against(one, against_first.get(place)) for place, one in enumerate(ranked)]
    if ranked and ranked[0].n > 1:
        clear = all(one.verdict == "worse" for one in judged[1:])
        judged[0] = replace(ranked[0], verdict="alone" if len(ranked) == 1 else "best" if clear else "first")
    return judged


def _against(one: Contender, p: float | None) -> Contender:
    if p is None:
        return one
    return replace(one, p=p, verdict="worse" if p < LEVEL else "noise")


def _findings(ranked: Sequence[Contender], seed: str, goal: Goal) -> list[str]:
    """Say what that means, for a person who has not read any of this."""
    by_verdict: dict[Verdict, list[int]] = {}
    for place, one in enumerate(ranked, start=1):
        if one.verdict != "open" or not _to_come(one):
            by_verdict.setdefault(one.verdict, []).append(place)
    found = []
    if open_runs := sum(map(_to_come, ranked)):
        found.append(f"{open_runs} of {sum(one.planned for one in ranked)} runs are still to come: this may change.")
    found += _who_leads(by_verdict)
    if failed := sum(one.failed for one in ranked):
        found.append(f"{failed} {'run' if failed == 1 else 'runs'} ended without a value and count for nothing here.")
    found += _what_the_sweep_said(ranked, goal)
    spreads = [one.sd for one in ranked if one.sd is not None]
    if spreads and not any(spreads):
        found.append(f"Every seed gave exactly the same value: perhaps the trainer does not read `{seed}`.")
    return found


def _to_come(one: Contender) -> int:
    return one.planned - one.n - one.failed


def _who_leads(places: Mapping[Verdict, Sequence[int]]) -> list[str]:
    noise, worse, few = (places.get(verdict, []) for verdict in ("noise", "worse", "open"))
    found = []
    if "best" in places:
        found.append(f"1 is clearly better than {_and(worse)}: not by luck of the seed.")
    elif noise:
        found.append(f"No winner: 1 and {_and(noise)} cannot be told apart, their difference may be noise.")
        if worse:
            found.append(f"Clearly worse than 1: {_and(worse)}.")
    elif worse:
        found.append(f"1 is clearly better than {_and(worse)}.")
    if few:
        found.append(f"Too few seeds to judge {_and(few)}: it takes two that finished.")
    return found


def _what_the_sweep_said(ranked: Sequence[Contender], goal: Goal) -> list[str]:
    """Hold the values of the sweep against those of other seeds: the best of many draws is rarely met again."""
    chosen = [(place, one) for place, one in enumerate(ranked, start=1) if one.in_sweep is not None]
    if not chosen:
        return []
    place, best = min(chosen, key=lambda pair: sign(goal) * (pair[1].in_sweep or 0.0))
    found = []
    if place > 1 and best.mean is not None:
        found.append(f"The best of the sweep is {place} by its mean.")
    if lucky := [place for place, one in chosen if one.lucky]:
        found.append(f"Better in the sweep than other seeds make it, so a lucky run: {_and(lucky)}.")
    return found


def _and(places: Sequence[int]) -> str:
    """Write places: `2`, `2 and 3`, `2, 3 and 4`."""
    *some, last = map(str, places)
    return f"{', '.join(some)} and {last}" if some else last
