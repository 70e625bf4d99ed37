"""A report as HTML and as Markdown: templates, and the text of others made harmless in either."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from sweeper.figures.scales import value_text
from sweeper.figures.style import STYLE
from sweeper.figures.svg import Figure, cut
from sweeper.plain_text import plain
from sweeper.readable import duration, number, runs_word, share
from sweeper.results.labels import label
from sweeper.results.report.facts import Report, best_of
from sweeper.results.report.pictures import Pictures
from sweeper.results.status import RunStatus
from sweeper.run import sign
from sweeper.search.confirmation import Contender
from sweeper.search.importance import MIN_RUNS

GENERATOR = "sweeper report"
"""What a report of ours says that it is, in its first lines."""
MOST_LED, MOST_LED_MARKDOWN, MOST_COLUMNS = 50, 20, 8
FEW_RUNS = 50
"""Importance from fewer runs is a hint."""
LONGEST_CELL = 80
TAIL_LINES = 8
"""Of what a failed run printed."""


def html(report: Report, figures: Pictures) -> str:
    """Fill in the page: one file, which loads nothing."""
    env = _environment(autoescape=True)
    env.filters.update(svg=lambda figure: Markup(figure.inline()))  # noqa: S704 figures escape what they write
    style = Markup(STYLE)  # noqa: S704 all of it is ours
    return env.get_template("report.html").render(**_words(report, MOST_LED), figures=figures, style=style)


def markdown(report: Report, figures: Pictures, folder: str) -> str:
    """Fill in the text for an issue or an appendix, with figures as files in a folder beside it."""
    env = _environment(autoescape=False)
    env.filters.update(code=code, cell=cell, fenced=fenced)
    text = env.get_template("report.md").render(
        **_words(report, MOST_LED_MARKDOWN), figures=figures, folder=quote(folder), title=picture_title
    )
    return re.sub(r"\n{3,}", "\n\n", text)


def _environment(*, autoescape: bool) -> Environment:
    env = Environment(
        loader=PackageLoader("sweeper.results.report"),
        autoescape=autoescape,  # noqa: S701 Markdown has escapes of its own: `code`, `cell` and `fenced`
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters.update(
        number=number, duration=duration, share=share, runs=runs_word, value=_value, moment=_moment, plain=plain
    )
    return env


def _words(report: Report, most: int) -> dict[str, Any]:
    led = leaders(report, most)
    names = [axis.name for axis in report.axes][:MOST_COLUMNS]
    told = sum(weight.n > 0 for weight in report.weights)
    return {
        "report": report,
        "facts": report.status.facts,
        "progress": report.status.progress,
        "search": report.status.search,
        "standing": report.status.standing,
        "best": best_of(report.status),
        "leaders": led,
        "names": names,
        "generator": GENERATOR,
        "weighed_on": max((weight.n for weight in report.weights), default=0) if told else 0,
        "failures": report.status.failures,
        "log_tails": {run.id: run.log_tail[-TAIL_LINES:] for run in report.status.runs if run.log_tail},
        "few_runs": FEW_RUNS,
        "min_runs": MIN_RUNS,
        "confirmed": _confirmed(report),
    }


def _confirmed(report: Report) -> list[tuple[str, Contender]]:
    """List the configurations that were run again with other seeds, each with what it is called."""
    found = report.status.confirmation
    return [(label(one.params, found.varying), one) for one in found.contenders] if found else []


def leaders(report: Report, most: int) -> list[RunStatus]:
    """List the best runs, the best first; without a metric, the last ones; of several metrics, the front."""
    status = report.status
    if status.facts.metrics:
        return list(status.standing.front[:most])
    if not status.facts.metric:
        return list(status.runs[: -most - 1 : -1])
    may_lead = {run.id for run in report.runs if run.leads}
    valued = [run for run in status.runs if run.id in may_lead and run.best is not None]
    return sorted(valued, key=lambda run: sign(status.facts.goal) * (run.best or 0.0))[:most]


def _value(value: object) -> str:
    return "-" if value is None else cut(value_text(value), LONGEST_CELL)


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def code(text: object) -> str:
    """Write a text of others as Markdown's code: there nothing is a link, a picture, a mention or a tag."""
    line = cut(str(text), LONGEST_CELL) or "-"
    fence = "`" * (max(map(len, re.findall("`+", line)), default=0) + 1)
    room = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{room}{line}{room}{fence}"


def cell(text: object) -> str:
    """Write it in a table: a bar would end the cell, in code as well."""
    return code(text).replace("|", "\\|")


def fenced(text: str, language: str = "") -> str:
    """Write lines as a block of code that they cannot end."""
    fence = "`" * max(3, max(map(len, re.findall("`+", text)), default=0) + 1)
    return f"{fence}{language}\n{plain(text).rstrip()}\n{fence}"


def picture_title(figure: Figure) -> str:
    """Say what a picture is, in words of ours alone."""
    return figure.name.replace("-", " ")
