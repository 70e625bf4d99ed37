"""What a sweep is and how it stands, in lines of text: state, progress, end in sight, best run."""

from __future__ import annotations

import textwrap
from datetime import datetime, timedelta
from shlex import quote

from rich.text import Text

from sweeper.cli.sparkline import sparkline
from sweeper.readable import duration, number, parameters, runs_word
from sweeper.results.status import RunCounts, RunStatus, SearchStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import SweepState

SWEEP_STYLES = {
    SweepState.FINISHED: "green",
    SweepState.RUNNING: "cyan",
    SweepState.PAUSED: "yellow",
    SweepState.CANCELED: "red",
}
LABEL = 8
"""Columns in front of what each line says."""
CLIMB = 24
"""Columns of the curve of the best value so far."""


def header(status: SweepStatus, *, width: int, folded: int | None = None, params: int | None = None) -> list[Text]:
    """Write the sweep: state, progress, what is wrong, best run; a line each.

    Args:
        status: What to show.
        width: Columns of the terminal.
        folded: Lines at most for what is long, which is folded into them; None leaves it whole, to be copied.
        params: Lines at most for the best run's parameters, where what is long is left whole.
    """
    facts, search, standing = status.facts, status.search, status.standing
    title = f"{facts.sweep}  ({facts.name})" if facts.name else facts.sweep
    lines = [
        _fact("sweep", title),
        _fact("page", facts.url),
        _fact("method", ", ".join(filter(None, [facts.method, facts.aim]))),
        _fact("state", *_state(status)),
        _fact("runs", progress(status, bar=max(8, min(24, width // 5)))),
        *_times(status),
    ]
    for warning in (*(missing.message for missing in status.missing_metrics), *_gaps(status)):
        lines += _warning(warning, width, folded)
    if search.scheduler:
        lines += _scheduler(facts, search)
    if search.stopped_early:
        lines.append(_fact("stopped", stopped(status)))
    for why, count in search.fallbacks.items():
        lines.append(_fact("random", f"{runs_word(count)} drawn at random: {why}"))
    if folded is None:
        for pid, slots in status.launchers.items():
            lines.append(_fact("launch", f"process {pid} on {', '.join(slots)}"))
    if standing.prior:
        lines.append(_fact("prior", _prior(facts, standing)))
    if standing.best:
        lines += _best(status, standing.best, width, folded if params is None else params)
    if status.model:
        lines.append(_fact("model", status.model))
    return lines


def _fact(label: str, value: str, style: str = "") -> Text:
    """Write one line that is never broken: addresses and paths are there to be copied."""
    return Text.assemble((f"{label:{LABEL}}", "bold"), (value, style), no_wrap=True, overflow="ignore")


def _state(status: SweepStatus) -> tuple[str, str]:
    """Write the sweep's state with its style; of one on which nobody works, that it waits for somebody."""
    facts = status.facts
    text = facts.state.word
    if status.idle:
        return f"idle ({text}, but nobody works on it): sweeper launch {quote(facts.sweep)}", "yellow"
    if facts.state is SweepState.PAUSED:
        text += f": sweeper resume {quote(facts.sweep)}"
    return text, SWEEP_STYLES.get(facts.state, "")


def progress(status: SweepStatus, *, bar: int) -> str:
    """Write done/total with a bar and the counts by state: `4/6 ━━━━╌╌ 1 failed, 2 running`."""
    made = status.progress
    total = made.total if made.planned is None else made.planned
    filled = 0 if not total else min(bar, bar * made.done // total)
    drawn = "" if total is None else f" {'━' * filled}{'╌' * (bar - filled)}"
    of_all = (
        f", of {made.total:,} in all" if made.total is not None and total is not None and total < made.total else ""
    )
    return f"{made.done}/{'?' if total is None else total}{drawn} {_counts(made, status.search) or 'none yet'}{of_all}"


def _counts(made: RunCounts, search: SearchStatus) -> str:
    counts = dict(made.counts)
    if search.stopped_early:  # which their server counts as killed
        counts["killed"] = counts.get("killed", 0) - search.stopped_early
        counts["stopped early"] = search.stopped_early
    return ", ".join(f"{count} {state}" for state, count in sorted(counts.items()) if count)


def _gaps(status: SweepStatus) -> tuple[str, ...]:
    """Say how many runs finished with a gap, and which is the latest; not what a missing metric says already."""
    found = [run for run in status.runs if run.gap and not (run.lacks and status.missing_metrics)]
    if not found:
        return ()
    return (
        f"{runs_word(len(found))} finished with a gap (sweeper runs --columns gap); {found[-1].id}: {found[-1].gap}",
    )


def _times(status: SweepStatus) -> list[Text]:
    """Write how long it has taken, when it will be done, and what that has cost."""
    made = status.progress
    if not made.elapsed_s:
        return []
    eta = _eta(status)
    parts = [f"{duration(made.elapsed_s)} so far", eta] if eta else [duration(made.elapsed_s)]
    if made.gpu_hours_used:
        parts.append(f"{_hours(made.gpu_hours_used)} of {slot_time(status)} used")
    return [_fact("time", ", ".join(parts))]


def _eta(status: SweepStatus) -> str:
    """Write when it will be done, as exactly as anybody can know; nothing of a sweep that does not go on."""
    made = status.progress
    goes_on = any(run.at_work for run in status.runs) or bool(status.launchers)
    if status.facts.state.ended or status.facts.state is SweepState.PAUSED or not goes_on:
        return ""
    if made.total is None and made.planned is None:
        return "no end in sight: it goes on until it is stopped"
    if made.eta_s is None:
        return "ETA unknown until a run has ended"
    then = f" ({_clock(status.read_at + timedelta(seconds=made.eta_s), status.read_at)})" if status.read_at else ""
    return f"ETA {about(made.eta_s)}{then}"


def about(seconds: float) -> str:
    """Write an estimated duration with no more digits than it deserves: `~40s`, `~12m`, `~3h 20m`."""
    if seconds < 55:
        return f"~{max(5, 5 * round(seconds / 5))}s"
    minutes = max(1, round(seconds / 60))
    if minutes < 60:
        return f"~{minutes}m"
    hours, rest = divmod(10 * round(minutes / 10), 60)
    return f"~{hours}h {rest:02d}m" if hours < 48 else f"~{round(hours / 24)}d"


def _clock(when: datetime, now: datetime) -> str:
    """Write a time as a clock on this machine's wall shows it, with the day if that is another one."""
    here, today = when.astimezone(), now.astimezone().date()
    return f"{here:%H:%M}" if here.date() == today else f"{here:%b %d %H:%M}"


def slot_time(status: SweepStatus) -> str:
    """Name what is used up: GPU time, or slot time where every run that is known from here had a share of the CPU."""
    slots = [run.slot for run in status.runs if run.slot]
    return "slot time" if slots and all(slot.startswith("cpu") for slot in slots) else "GPU time"


def _hours(hours: float) -> str:
    return duration(3600 * hours)


def stopped(status: SweepStatus) -> str:
    """Write what early termination did: `3 runs early, about 4m 10s of GPU time saved`."""
    runs, saved = f"{runs_word(status.search.stopped_early)} early", status.gpu_hours_saved
    return runs if saved is None else f"{runs}, about {_hours(saved)} of {slot_time(status)} saved"


def _warning(what: str, width: int, folded: int | None) -> list[Text]:
    whole = Text.assemble(("warning ", "bold yellow"), (what, "yellow"), no_wrap=True, overflow="ignore")
    if folded is None or whole.cell_len <= width:
        return [whole]
    return [Text(line, style="yellow") for line in _folded(f"warning {what}", width, max(2, folded))]


def _folded(text: str, width: int, most: int) -> list[str]:
    """Break a text into a few lines; it ends with an ellipsis where they do not hold it."""
    return textwrap.wrap(text, max(10, width), max_lines=max(1, most), placeholder=" …")


def _scheduler(facts: SweepFacts, search: SearchStatus) -> list[Text]:
    """Say who searches, and what to do if nobody does."""
    if search.scheduler_at_work or facts.state.ended:
        return [_fact("search", f"by {search.scheduler}, in a scheduler of its own")]
    hint = "no scheduler is at work: `sweeper launch` starts one, and so does"
    return [_fact("search", hint, "yellow"), _fact("", f"wandb sweep-scheduler {quote(facts.sweep)}")]


def _prior(facts: SweepFacts, standing: Standing) -> str:
    runs = runs_word(standing.prior)
    return runs if standing.prior_best is None else f"{runs}, best {facts.metric} {number(standing.prior_best)}"


def _best(status: SweepStatus, best: RunStatus, width: int, folded: int | None) -> list[Text]:
    facts, standing = status.facts, status.standing
    line = _fact("best", f"{facts.metric} {number(best.best)}  {best.name} ({best.id}){_since(status)}", "green")
    climb = sparkline(standing.climb, min(CLIMB, len(standing.climb)))
    if len(climb) > 1 and line.cell_len + 2 + len(climb) <= width:
        line.append(f"  {climb}", style="cyan")
    elif len(climb) > 1 and width - line.cell_len >= 6:
        line.append("  " + sparkline(standing.climb, width - line.cell_len - 2), style="cyan")
    room = max(10, width - LABEL)
    params = parameters(best.params)
    chunks = textwrap.wrap(params, room) if folded is None else _folded(params, room, folded)
    return [line, *(Text(" " * LABEL + chunk, no_wrap=True) for chunk in chunks)]


def _since(status: SweepStatus) -> str:
    since, now = status.standing.best_since, status.read_at
    best = status.standing.best
    if best and not best.state.ended:
        return ", still running" if best.at_work else ", not over yet"
    return f", since {_clock(since, now)}" if since and now else ""
