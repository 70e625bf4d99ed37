"""What ran where and when: a row per slot, a bar per attempt at a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sweeper.figures.drawn_run import Fate
from sweeper.figures.scales import Tick, round_ticks, tick_text
from sweeper.figures.svg import Figure, at, hover, label, line
from sweeper.readable import duration

WIDTH, ROW, TOP_Y, LEFT, RIGHT = 1140, 26, 56, 130, 20
MOST_BARS, MOST_ROWS = 2000, 32
_UNITS = ((86400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Stretch:
    """A time during which a run was at work.

    Attributes:
        row: Its slot; empty where that is not known.
        start: When it began, in seconds since 1970.
        end: When it ended, or now.
        fate: How it ended.
        told: What it was, in a line.
        attempt: The how-manieth attempt at the run; more than 1 is a retry.
    """

    row: str
    start: float
    end: float
    fate: Fate
    told: str = ""
    attempt: int = 1


def timeline(stretches: Sequence[Stretch], *, by_slot: bool) -> Figure | None:
    """Draw the stretches; None without any.

    Args:
        stretches: The stretches.
        by_slot: Whether their rows are slots; if not, they are laid into as few rows as hold them.
    """
    ordered = sorted(stretches, key=lambda one: one.start)
    shown = ordered[-MOST_BARS:]
    if not shown:
        return None
    note = f"The last {MOST_BARS} of {len(ordered)} attempts." if len(ordered) > MOST_BARS else ""
    rows, laid = _by_slot(shown) if by_slot else _packed(shown)
    if len(rows) > MOST_ROWS:
        note = f"{note} {MOST_ROWS} of {len(rows)} rows.".strip()
        rows = rows[:MOST_ROWS]
    begin, end = min(one.start for one in shown), max(one.end for one in shown)
    height = TOP_Y + ROW * len(rows) + 36
    span = (end - begin) or 1.0
    parts = [label(4, 18, "What ran where" if by_slot else "What ran when", "head"), _keys()]
    parts += [_tick(tick, height) for tick in _ticks(span)]
    for i, row in enumerate(rows):
        y = TOP_Y + i * ROW
        parts.append(label(LEFT - 10, y + 15, row, "name", anchor="end", room=LEFT - 14) if by_slot else "")
        parts += [_bar(one, y, begin, span) for one in laid if one.row == row]
    retries = sum(one.attempt > 1 for one in shown)
    return Figure(
        name="timeline",
        title="Timeline",
        description=f"{len(shown)} attempts in {len(rows)} rows over {duration(span)}; {retries} were retries.",
        width=WIDTH,
        height=height,
        body="".join(parts),
        note=note,
    )


def _by_slot(stretches: Sequence[Stretch]) -> tuple[list[str], list[Stretch]]:
    return sorted({one.row for one in stretches}, key=_natural), list(stretches)


def _natural(name: str) -> tuple[int, str]:
    """Sort slot 10 behind slot 9."""
    return len(name), name


def _packed(stretches: Sequence[Stretch]) -> tuple[list[str], list[Stretch]]:
    """Lay stretches into the first row that is free by then."""
    free: list[float] = []
    laid = []
    for one in stretches:
        row = next((i for i, end in enumerate(free) if end <= one.start), len(free))
        free[row : row + 1] = [one.end]
        laid.append(replace(one, row=str(row)))
    return [str(row) for row in range(len(free))], laid


def _ticks(span: float) -> list[Tick]:
    unit, name = next(((size, name) for size, name in _UNITS if span >= 2 * size), _UNITS[-1])
    return [(number * unit / span, f"{tick_text(number)} {name}") for number in round_ticks(0.0, span / unit)]


def _tick(tick: Tick, height: int) -> str:
    share, said = tick
    x = LEFT + share * (WIDTH - LEFT - RIGHT)
    anchor = "end" if share > 0.97 else "middle"
    return line(x, TOP_Y - 4, x, height - 30, "grid") + label(x, height - 12, said, anchor=anchor)


def _bar(one: Stretch, y: float, begin: float, span: float) -> str:
    plot = WIDTH - LEFT - RIGHT
    x = LEFT + (one.start - begin) / span * plot
    width = max(1.5, (one.end - one.start) / span * plot - 1)
    said = hover(
        f"{one.told} · {duration(one.end - one.start)}" + (f" · attempt {one.attempt}" if one.attempt > 1 else "")
    )
    size = f'width="{at(width)}" height="{ROW - 8}" rx="2"'
    bar = f'<rect class="{one.fate}" x="{at(x)}" y="{at(y + 3)}" {size}>{said}</rect>'
    mark = f'<path class="best" d="M{at(x)} {at(y + 1)}v{ROW - 4}"/>' if one.attempt > 1 else ""
    return bar + mark


def _keys() -> str:
    parts, x = [], LEFT
    for fate in ("finished", "running", "stopped", "failed", "waiting"):
        said = "interrupted" if fate == "waiting" else fate
        parts.append(
            f'<rect class="{fate}" x="{x}" y="29" width="10" height="10" rx="2"/>' + label(x + 15, 38, said, "small")
        )
        x += 110
    parts.append(f'<path class="best" d="M{x} 28v12"/>' + label(x + 8, 38, "a retry begins", "small"))
    return "".join(parts)
