"""Writes a report: whole or not at all, and over no file that is not a report."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sweeper.errors import ResultError
from sweeper.figures.svg import Figure
from sweeper.results.report.facts import Report
from sweeper.results.report.pictures import pictures
from sweeper.results.report.rendering import GENERATOR, html, markdown
from sweeper.results.table_files import replacing

ReportFormat = Literal["html", "md"]
_BY_SUFFIX: dict[str, ReportFormat] = {".html": "html", ".htm": "html", ".md": "md", ".markdown": "md"}
ANOTHER = "give another --output"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenReport:
    """What was written.

    Attributes:
        file: Where it is.
        format: What it is.
        bytes: How large it is.
        figures: The figures beside it, of a report in Markdown.
    """

    file: str
    format: ReportFormat
    bytes: int
    figures: tuple[str, ...] = ()


def choose_output(output: Path | None, form: ReportFormat | None, sweep_id: str) -> tuple[Path, ReportFormat]:
    """Name the file and its format: what is asked for, else what the name says, else HTML.

    A folder gets a file of the sweep's name.

    Raises:
        ResultError: The name says another format than is asked for.
    """
    by_name = _BY_SUFFIX.get(output.suffix.lower()) if output else None
    if form and by_name and form != by_name and output and not output.is_dir():
        raise ResultError(f"{output} is no name for a report as {form}", f"call it {output.with_suffix('.' + form)}")
    found: ReportFormat = form or by_name or "html"
    name = f"report-{sweep_id}.{found}"
    if output is None:
        return Path(name), found
    return (output / name if output.is_dir() else output), found


def check_output(output: Path, *, force: bool) -> None:
    """See that a report may be written there: an earlier report is written over, another file only by force.

    Raises:
        ResultError: It may not.
    """
    if not output.parent.is_dir():
        raise ResultError(f"there is no folder {output.parent}", f"make it, or {ANOTHER}")
    if output.exists() and not force and not _is_report(output):
        raise ResultError(f"{output} exists and is no report", f"{ANOTHER}, or --force to write over it")


def _is_report(file: Path) -> bool:
    """Whether a file says in its first lines that it is a report of ours."""
    try:
        with file.open(encoding="utf-8", errors="replace") as opened:
            return any(GENERATOR in line for line in itertools.islice(opened, 6))
    except OSError:
        return False


def write_report(report: Report, output: Path, form: ReportFormat) -> WrittenReport:
    """Write it.

    Raises:
        ResultError: The file, or the folder of its figures, cannot be written.
    """
    drawn = pictures(report)
    folder = output.with_name(f"{output.stem}-figures")
    figures = [figure for group in drawn.values() for figure in group] if form == "md" else []
    text = html(report, drawn) if form == "html" else markdown(report, drawn, folder.name)
    with _in_words(folder):
        written = _write_figures(folder, figures)
    with _in_words(output), replacing(output) as part:
        part.write_text(text, encoding="utf-8")
    return WrittenReport(file=str(output), format=form, bytes=len(text.encode()), figures=written)


@contextlib.contextmanager
def _in_words(place: Path) -> Iterator[None]:
    """Say what could not be written, and not the name that it had on its way there."""
    try:
        yield
    except OSError as error:
        raise ResultError(f"cannot write {place}: {error.strerror or error}", ANOTHER) from error


def _write_figures(folder: Path, figures: list[Figure]) -> tuple[str, ...]:
    """Write each figure to a file of its own, in a folder that is made if it is not there."""
    if not figures:
        return ()
    folder.mkdir(exist_ok=True)
    for figure in figures:
        with replacing(folder / f"{figure.name}.svg") as part:
            part.write_text(figure.standalone(), encoding="utf-8")
    return tuple(str(folder / f"{figure.name}.svg") for figure in figures)
