"""How much each parameter mattered: two bars each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.figures.svg import Figure, hover, label
from sweeper.readable import share

WIDTH, ROW, TOP_Y, LEFT = 560, 36, 52, 170
MOST_ROWS = 15


@dataclass(frozen=True, slots=True)
class Weight:
    """A parameter's share in two measures, None where one cannot be told, and the runs that these are from."""

    name: str
    ped_anova: float | None
    forest: float | None
    n: int


def importance_bars(weights: Sequence[Weight]) -> Figure | None:
    """Draw the shares, the most important first; None where nothing can be told."""
    told = [weight for weight in weights if weight.ped_anova is not None or weight.forest is not None]
    if not told:
        return None
    rows = told[:MOST_ROWS]
    height = TOP_Y + ROW * len(rows) + 8
    parts = [
        label(4, 18, "Importance: shares of 1", "head"),
        _key(LEFT, "bar", "sets the best apart (PED-ANOVA)"),
        _key(LEFT + 210, "bar2", "explains the metric (forest)"),
    ]
    for i, weight in enumerate(rows):
        y = TOP_Y + i * ROW
        parts.append(label(LEFT - 10, y + 18, weight.name, "name", anchor="end", room=LEFT - 14))
        parts.append(_bar(y + 3, weight.ped_anova, "bar", f"{weight.name}: PED-ANOVA {share(weight.ped_anova)}"))
        parts.append(_bar(y + 16, weight.forest, "bar2", f"{weight.name}: random forest {share(weight.forest)}"))
    return Figure(
        name="importance",
        title="Importance of the parameters",
        description=", ".join(f"{row.name}: {share(row.ped_anova)}, {share(row.forest)}" for row in rows),
        width=WIDTH,
        height=height,
        body="".join(parts),
        note=f"The first {MOST_ROWS} of {len(told)} parameters." if len(told) > MOST_ROWS else "",
    )


def _key(x: float, kind: str, said: str) -> str:
    return f'<rect class="{kind}" x="{x}" y="31" width="10" height="10" rx="2"/>' + label(x + 15, 40, said, "small")


def _bar(y: float, value: float | None, kind: str, said: str) -> str:
    if value is None:
        return label(LEFT, y + 9, "cannot be told", "small")
    width = max(1.0, min(1.0, value) * (WIDTH - LEFT - 60))
    bar = f'<rect class="{kind}" x="{LEFT}" y="{y}" width="{width:.1f}" height="11" rx="2">{hover(said)}</rect>'
    return bar + label(LEFT + width + 6, y + 9, share(value), "small")
