"""Reads all that a report needs: from the sweep's server, and from what this machine's workers wrote."""

from __future__ import annotations

import contextlib
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from sweeper.backend import run_files
from sweeper.backend.any_sweeps import AnySweepReader
from sweeper.errors import SweeperError
from sweeper.figures import learning_curves
from sweeper.figures.drawn_run import spread
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.confirmation_reader import ConfirmationReader
from sweeper.results.report import facts, origin
from sweeper.results.report.assembly import SweepReading
from sweeper.results.report.origin import Rows
from sweeper.results.summarise import LocalView, summarise
from sweeper.settings import Backend, Settings

POINTS = 60
"""Of a curve: a line of 480 pixels shows no more."""


def read_sweep(ref: SweepRef, settings: Settings, backend: Backend | None) -> SweepReading:
    """Read a sweep.

    Args:
        ref: Its name.
        settings: The user's environment.
        backend: The server, which the SDK is pointed at; None to ask it over the SDK, whichever it is.

    Raises:
        SweepNotFoundError: The server does not know the sweep.
        BackendError: It does not answer.
    """
    reader, directory = AnySweepReader(ref, settings, backend), SweepDir.of(settings.home, ref)
    view, now = reader.read(), datetime.now(UTC)
    shown, _ = spread(facts.drawn_runs(view), view.outline.goal, learning_curves.MOST_RUNS)
    drawn = {run.id for run in shown}
    runs = [run for run in view.runs if run.id in drawn]
    best = facts.best_of(summarise(view, LocalView(), now=now))
    return SweepReading(
        view=view,
        history=directory.history(),
        launchers=directory.launchers(),
        curves=reader.curves(runs, POINTS) if view.outline.metric else {},
        made_on=_made_on(ref, best.id, settings, backend) if best else (),
        made_by=origin.of_this_machine(),
        local=backend is not None and backend.kind == "local",
        at=now,
        confirmation=ConfirmationReader(settings, backend).read(view),
    )


def _made_on(ref: SweepRef, run: str, settings: Settings, backend: Backend | None) -> Rows:
    """Read what the SDK noted of a run's machine; a report without that is still one."""
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(SweeperError, OSError):
        files = run_files.download(ref.run(run), origin.NOTED, Path(folder), settings=settings, backend=backend)
        return origin.of_run(files)
    return ()
