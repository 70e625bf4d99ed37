"""One run laid out: facts line by line, then its curves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from rich.console import Group, RenderableType
from rich.text import Text

from sweeper.cli.plot import plot
from sweeper.cli.run_rows import style_of, with_gap
from sweeper.cli.runs_table import value_text
from sweeper.readable import duration, number, size

if TYPE_CHECKING:
    from sweeper.backend.run_facts import Steps
    from sweeper.results.one_run import OneRun

LABEL = 9
"""Columns of what stands in front of each line."""
FEW_FILES, MOST_WIDTH, HEIGHT, SMALL_HEIGHT = 6, 120, 8, 5


def run_view(one: OneRun, *, width: int, everything: bool = False) -> RenderableType:
    """Lay out a run.

    Args:
        one: The run.
        width: Columns of the terminal.
        everything: Whether long lists are written out.
    """
    lines: list[RenderableType] = [*_who(one), *_how(one), *_worth(one)]
    lines += _values("params", one.params, bold=one.varying)
    rest, summary = one.other_config, one.summary
    lines += _folded("config", rest, everything=everything) + _folded("summary", summary, everything=everything)
    lines += _files(one, everything=everything)
    if one.run.log:
        lines.append(_fact("log", one.run.log))
    lines += _again(one.rerun, everything=everything)
    lines += _curves(one, width)
    return Group(*lines)


def _fact(label: str, value: str, style: str = "") -> Text:
    """Write one line that is never broken: addresses and paths are there to be copied."""
    return Text.assemble((f"{label:{LABEL}}", "bold"), (value, style), no_wrap=True, overflow="ignore")


def _words(label: str, value: str) -> Text:
    """Write what may be broken into lines."""
    return Text.assemble((f"{label:{LABEL}}", "bold"), value, overflow="fold")


def _indented(text: str, style: str = "") -> Text:
    """Write a further line below a fact."""
    return Text.assemble(" " * LABEL, (text, style), no_wrap=True, overflow="ignore")


def _who(one: OneRun) -> Iterable[RenderableType]:
    run, facts = one.run, one.facts
    yield _fact("run", f"{run.id}  ({run.name})" if run.name and run.name != run.id else run.id)
    name = one.status.facts.name
    yield _fact("sweep", f"{one.sweep.path}  ({name})" if name else one.sweep.path)
    if one.page:
        yield _fact("page", one.page)
    again = f"; {run.policy}" if run.policy and not run.state.ended and run.policy != "failed" else ""
    yield Text.assemble(
        (f"{'state':{LABEL}}", "bold"),
        (with_gap(run), style_of(run)),
        f": {run.reason}{again}" if run.reason else "",
    )
    if facts.tags:
        yield _fact("tags", ", ".join(facts.tags))
    if facts.notes:
        yield _words("notes", facts.notes)


def _how(one: OneRun) -> Iterable[RenderableType]:
    run, facts = one.run, one.facts
    place = " on ".join(filter(None, [run.slot, facts.host]))
    if place:
        yield _fact("where", place)
    took = f", {'for' if not run.state.ended else 'took'} {duration(run.duration_s)}" if run.duration_s else ""
    yield _fact("when", f"{_moment(facts.created_at)}{took}")
    if len(one.attempts) > 1 or run.losses:
        yield _fact("attempts", str(max(len(one.attempts), run.attempts)))
        for attempt in one.attempts:
            how = attempt.outcome.value if attempt.outcome else "under way"
            why = f": {attempt.reason}" if attempt.reason else ""
            yield _indented(f"{attempt.slot} {how}, {duration(attempt.spent_s or None)}{why}")
    if run.losses:
        yield _indented(f"handed out again {run.losses} times, after its agent fell silent")
    if suggestion := one.suggestion:
        yield _words("by", suggested(suggestion))
    if run.stop:
        told = [f"rung {run.stop.rung}", f"value {number(run.stop.value)}", f"limit {number(run.stop.threshold)}"]
        yield _words("stopped", f"by {run.stop.rule or 'early termination'} ({', '.join(told)}, {run.stop.n} runs)")


def suggested(told: Mapping[str, Any]) -> str:
    """Write what suggested a run: `bayes, having seen 12 runs (seed 7)`."""
    engine, runs, seed = told.get("engine"), told.get("runs"), told.get("seed")
    seen = f", having seen {runs} runs" if isinstance(runs, int) and runs else ""
    drawn = f" (seed {seed})" if seed is not None else ""
    fallback = f"; drawn at random: {told['fallback']}" if told.get("fallback") else ""
    return f"{engine}{seen}{drawn}{fallback}"


def _worth(one: OneRun) -> Iterable[RenderableType]:
    run, facts = one.run, one.status.facts
    if facts.metrics:
        lacking = [name for name in facts.metrics if name not in run.values]
        told = {name: run.values.get(name) for name in facts.metrics}
        yield _fact("last", "  ".join(f"{name} {number(value)}" for name, value in told.items()))
        if run.lacks:
            yield _fact("", f"without a value of {', '.join(lacking)}", "yellow")
    elif facts.metric:
        last = f"  (last {number(run.last)})" if run.last != run.best else ""
        standing = one.status.standing.best
        mark = "  the best of its sweep" if standing and standing.id == run.id else ""
        yield _fact("best", f"{facts.metric} {number(run.best)}{last}{mark}", "green" if mark else "")


def _values(label: str, values: Mapping[str, Any], *, bold: Iterable[str] = ()) -> list[RenderableType]:
    """Write values one a line, those that vary in bold."""
    strong = set(bold)
    longest = max((len(name) for name in values), default=0)
    lines: list[RenderableType] = []
    for name, value in values.items():
        start = label if not lines else ""
        text = value_text(value)
        lines.append(
            Text.assemble((f"{start:{LABEL}}", "bold"), f"{name:{longest}}  ", (text, "bold" if name in strong else ""))
        )
    return lines


def _folded(label: str, values: Mapping[str, Any], *, everything: bool) -> list[RenderableType]:
    if not values:
        return []
    if everything:
        return _values(label, values)
    lines = Text(" ".join(f"{name}={_short(value)}" for name, value in values.items()), overflow="ellipsis")
    lines.no_wrap = len(values) > FEW_FILES
    return [Text.assemble((f"{label:{LABEL}}", "bold"), lines, no_wrap=lines.no_wrap, overflow="ellipsis")]


def _short(value: object) -> str:
    text = value_text(value)
    return text if len(text) <= 40 else f"{text[:39]}…"


def _again(command: str, *, everything: bool) -> list[RenderableType]:
    """Write what runs the same configuration again; a whole file only for who asks for all."""
    if not command or "\n" not in command:
        return [_fact("again", command)] if command else []
    if not everything:
        return [Text.assemble((f"{'again':{LABEL}}", "bold"), ("--all shows the commands that run it again", "dim"))]
    return [_fact("again", ""), Text(command, no_wrap=True, overflow="ignore")]


def _files(one: OneRun, *, everything: bool) -> list[RenderableType]:
    files = one.facts.files
    if not files:
        return []
    total = size(sum(length for _, length in files))
    lines: list[RenderableType] = [_fact("files", f"{len(files)}, {total} in all")]
    shown = files if everything else sorted(files, key=lambda file: -file[1])[:FEW_FILES]
    lines += [_indented(f"{size(length):>9}  {name}") for name, length in shown]
    if more := len(files) - len(shown):
        lines.append(_indented(f"… {more} more: --all", "dim"))
    return lines


def _moment(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _curves(one: OneRun, width: int) -> list[RenderableType]:
    lines: list[RenderableType] = []
    for at, (key, steps) in enumerate(one.curves.items()):
        lines += [Text(), _heading(key, steps)]
        if len(steps) < 2:
            continue
        height = HEIGHT if not at else SMALL_HEIGHT
        lines += [
            Text(line, no_wrap=True, overflow="ignore")
            for line in plot(steps, width=min(width, MOST_WIDTH), height=height)
        ]
    numbers = [key for key, kind in one.facts.logged.items() if kind == "number"]
    if more := [key for key in numbers if key not in one.curves]:
        lines += [Text(), Text(f"also logged: {', '.join(more)}  (--key NAME, or --all)", style="dim")]
    return lines


def _heading(key: str, steps: Steps) -> Text:
    values = [value for _, value in steps]
    about = f"  {number(values[0])} → {number(values[-1])}, from {number(min(values))} to {number(max(values))}"
    return Text.assemble((key, "bold"), (about if len(values) > 1 else f"  {number(values[0])}", "dim"))
