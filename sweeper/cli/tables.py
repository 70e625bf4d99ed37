"""A sweep's status as text for a terminal of 80 columns or more."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from shlex import quote

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sweeper.readable import duration, number, parameters, runs_word, share
from sweeper.results.foremost import foremost
from sweeper.results.status import RunCounts, RunStatus, SearchStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState, sign
from sweeper.search.importance import MIN_RUNS, Importance

_STYLES = {
    RunState.FINISHED: "green",
    RunState.RUNNING: "cyan",
    RunState.FAILED: "red",
    RunState.CRASHED: "red",
    RunState.KILLED: "yellow",
    SweepState.FINISHED: "green",
    SweepState.RUNNING: "cyan",
    SweepState.PAUSED: "yellow",
    SweepState.CANCELED: "red",
}
BAR_WIDTH = 24
SHOWN_REASONS = 10
SHOWN_LINES = 3
# A guess at what a live view takes, so that it need not be laid out twice to be measured.
HEAD_LINES = 15
LINES_PER_RUN = 3


def status_view(status: SweepStatus, *, every_run: bool = False) -> RenderableType:
    """Lay out a status to be printed: the runs, then the sweep, so that the best run stands where the eye is.

    Args:
        status: What to show.
        every_run: A row for each of them, however many there are.
    """
    weighed = [] if status.search.importance is None else [importance_table(status.search.importance), Text()]
    shown = status.runs if every_run else foremost(status)
    return Group(runs_table(status, shown), *_more(status, shown), Text(), *weighed, sweep_view(status))


def _more(status: SweepStatus, shown: Sequence[RunStatus]) -> list[RenderableType]:
    more = len(status.runs) - len(shown)
    return [Text(f"… {more:,} more runs: sweeper status --all, or --json", style="dim")] if more else []


def importance_table(rows: Sequence[Importance]) -> RenderableType:
    """Lay out how much each parameter mattered, or say that it is too early to tell."""
    most = max((row.n for row in rows), default=0)
    if most < MIN_RUNS:
        return Text(f"importance: {most} runs with a value are too few, it takes {MIN_RUNS}", style="dim")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("importance", overflow="fold")
    for heading in ("PED-ANOVA", "forest", "correlation", "runs"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in rows:
        table.add_row(Text(row.name), share(row.ped_anova), share(row.forest), correlation(row), str(row.n))
    return table


def correlation(row: Importance) -> str:
    """Write a correlation with its sign: `+0.81`."""
    return "-" if row.correlation is None else f"{row.correlation:+.2f}"


def live_view(status: SweepStatus, *, height: int) -> RenderableType:
    """Lay out a status to be drawn again and again: the sweep, then as many of the latest runs as fit below it.

    Args:
        status: What to show.
        height: Lines of the terminal; what is taller is cut off below.
    """
    latest = status.runs[-max(3, (height - HEAD_LINES) // LINES_PER_RUN) :]
    return Group(sweep_view(status, live=True), Text(), runs_table(replace(status, runs=latest), latest))


def sweep_view(status: SweepStatus, *, live: bool = False) -> RenderableType:
    """Lay out the sweep: state, progress, what is wrong, best run.

    Args:
        status: What to show.
        live: Whether it is drawn again and again, where a line that is too long would be cut.
    """
    facts, search, standing = status.facts, status.search, status.standing
    title = f"{facts.sweep}  ({facts.name})" if facts.name else facts.sweep
    lines: list[RenderableType] = [
        _fact("sweep", title),
        _fact("page", facts.url),
        _fact("method", ", ".join(filter(None, [facts.method, facts.aim]))),
        _fact("state", *_state(status)),
        _fact("runs", progress(status.progress)),
        *(_warning(missing.message, live=live) for missing in status.missing_metrics),
    ]
    if search.scheduler:
        lines += _scheduler(facts, search)
    if search.stopped_early:
        lines.append(_fact("stopped", stopped(search)))
    for why, count in search.fallbacks.items():
        lines.append(_fact("random", f"{runs_word(count)} drawn at random: {why}"))
    for pid, slots in status.launchers.items():
        lines.append(_fact("launch", f"process {pid} on {', '.join(slots)}"))
    if standing.prior:
        lines.append(_fact("prior", _prior(facts, standing)))
    if standing.best:
        lines += _best(facts, standing.best)
    if status.model:
        lines.append(_fact("model", status.model))
    if facts.metrics:
        lines += [Text(), front_table(status)]
    return Group(*lines)


def front_table(status: SweepStatus) -> RenderableType:
    """Lay out the runs that no other run beats, each with its value of every metric."""
    if not status.standing.front:
        return Text("front: no run has finished with a value of every metric yet", style="dim")
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("front", no_wrap=True)
    for name, goal in status.facts.metrics.items():
        table.add_column(Text(f"{name} {'↓' if sign(goal) > 0 else '↑'}"), justify="right", overflow="fold")
    table.add_column("parameters", overflow="fold", ratio=1)
    for run in status.standing.front:
        numbers = [number(value) for value in run.values.values()]
        table.add_row(Text(run.id, style="green"), *numbers, Text(parameters(run.params)))
    return table


def _fact(label: str, value: str, style: str = "") -> Text:
    """Write one line that is never broken: addresses and paths are there to be copied."""
    return Text.assemble((f"{label:8}", "bold"), (value, style), no_wrap=True, overflow="ignore")


def _state(status: SweepStatus) -> tuple[str, str]:
    """Write the sweep's state with its style; of one on which nobody works, that it waits for somebody."""
    facts = status.facts
    text = facts.state.word
    if status.idle:
        return f"{text}, but nobody works on it: sweeper launch {quote(facts.sweep)}", "yellow"
    if facts.state is SweepState.PAUSED:
        text += f": sweeper resume {quote(facts.sweep)}"
    return text, _STYLES.get(facts.state, "")


def _warning(what: str, *, live: bool) -> Text:
    return Text.assemble(
        ("warning ", "bold yellow"), (what, "yellow"), no_wrap=not live, overflow="fold" if live else "ignore"
    )


def _scheduler(facts: SweepFacts, search: SearchStatus) -> list[RenderableType]:
    """Say who searches, and what to do if nobody does."""
    if search.scheduler_at_work or facts.state.ended:
        return [_fact("search", f"by {search.scheduler}, in a scheduler of its own")]
    hint = "no scheduler is at work: `sweeper launch` starts one, and so does"
    return [_fact("search", hint, "yellow"), _fact("", f"wandb sweep-scheduler {quote(facts.sweep)}")]


def _prior(facts: SweepFacts, standing: Standing) -> str:
    runs = runs_word(standing.prior)
    return runs if standing.prior_best is None else f"{runs}, best {facts.metric} {number(standing.prior_best)}"


def _best(facts: SweepFacts, best: RunStatus) -> list[RenderableType]:
    value = f"{facts.metric} {number(best.best)}  {best.name} ({best.id})"
    return [_fact("best", value, "green"), Padding(Text(parameters(best.params)), (0, 0, 0, 8))]


def progress(made: RunCounts) -> str:
    """Write done/total with a bar, the counts by state, and the time: `4/6 [####  ] 1 failed, 2 running, 1m 03s`."""
    total = "?" if made.total is None else str(made.total)
    filled = 0 if not made.total else min(BAR_WIDTH, BAR_WIDTH * made.done // made.total)
    bar = "" if made.total is None else f" {'━' * filled}{'╌' * (BAR_WIDTH - filled)}"
    counts = ", ".join(f"{count} {state}" for state, count in sorted(made.counts.items()))
    time = f", {duration(made.elapsed_s)}" if made.elapsed_s else ""
    return f"{made.done}/{total}{bar} {counts or 'none yet'}{time}"


def stopped(search: SearchStatus) -> str:
    """Write what early termination did: `3 runs early, about 4m 10s of GPU time saved`."""
    runs = f"{runs_word(search.stopped_early)} early"
    return runs if search.saved_s is None else f"{runs}, about {duration(search.saved_s)} of GPU time saved"


def runs_table(status: SweepStatus, shown: Sequence[RunStatus]) -> RenderableType:
    """Lay out some of the runs, one or two lines each, and why the latest of all did not finish."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold", expand=False)
    table.add_column("run", no_wrap=True)
    table.add_column("parameters", overflow="fold", ratio=1)
    table.add_column(Text(status.facts.metric_names or "metric"), justify="right", overflow="fold")
    table.add_column("state", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    table.add_column("slot", no_wrap=True)
    # with several metrics each run of the front is marked: none of them is the best
    best = {run.id for run in (status.standing.front or (status.standing.best,)) if run}
    for run in shown:
        table.add_row(*_cells(run, best=run.id in best))
    notes = _reasons(status.runs)
    return Group(table, *notes) if status.runs else Text("no run yet")


def _cells(run: RunStatus, *, best: bool) -> list[RenderableType]:
    value = Text(measured(run) + (" *" if best else ""), style="bold green" if best else "")
    state = Text(run.state.value, style=_STYLES.get(run.state, ""))
    params, slot = Text(parameters(run.params)), Text(run.slot or "-")  # as text: a string in a cell would be markup
    return [Text(run.id), params, value, state, duration(run.duration_s), slot]


def measured(run: RunStatus) -> str:
    """Write a run's best value, or its last value of each of several metrics."""
    return " / ".join(map(number, run.values.values())) or number(run.best)


def _reasons(runs: Sequence[RunStatus]) -> list[RenderableType]:
    """Say why the latest runs did not finish, below the table, where there is room."""
    told = [run for run in runs if run.reason]
    lines: list[RenderableType] = [Text(_why(run), style="dim") for run in told[-SHOWN_REASONS:]]
    if len(told) > SHOWN_REASONS:
        lines.append(Text(f"and {len(told) - SHOWN_REASONS} earlier ones: sweeper status --json", style="dim"))
    if logged := next((run for run in reversed(told) if run.log_tail), None):
        end = "\n".join(f"    {line}" for line in logged.log_tail[-SHOWN_LINES:])
        where = Text(f"the end of {logged.id}'s log:\n{logged.log}", style="dim", no_wrap=True, overflow="ignore")
        lines += [where, Text(end, style="dim")]
    return [Text(), *lines] if lines else []


def _why(run: RunStatus) -> str:
    """Write a run's reason; of one that is tried again, that it is."""
    again = f"; {run.policy}" if run.policy and not run.state.ended and run.policy != "failed" else ""
    return f"{run.id}: {run.reason}{again}"
