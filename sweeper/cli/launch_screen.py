"""What a launch shows in a terminal while it works; something moves from the first moment on."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from rich.live import Live
from rich.text import Text

from sweeper.cli.output import err

if TYPE_CHECKING:
    from rich.console import RenderableType

    from sweeper.launch.prepare import Launch
    from sweeper.launch.status_poller import StatusPoller
    from sweeper.results.status import SweepStatus

STARTING = "starting workers (importing the trainer, and torch if it uses it) …"
FRAMES = "-\\|/"
FRAME_S = 0.2


@contextmanager
def moving(what: str) -> Iterator[ExitStack]:
    """Have something move on a terminal while a command is at what takes a moment; elsewhere say it in a line.

    Lines that are printed meanwhile stand above it. It goes away at the end of the block, or when it is closed.
    """
    with ExitStack() as shown:
        if sys.stderr.isatty():
            shown.enter_context(err.status(Text(what, style="dim"), spinner="line"))  # of ASCII: every terminal has it
        else:
            err.print(Text(what, style="dim"), soft_wrap=True)
        yield shown


class LaunchScreen:
    """The live view of a launch; it is laid out anew only where there is something new.

    Args:
        launch: The launch.
        poller: Knows the sweep's newest status.
        live: Where it is drawn.
    """

    def __init__(self, launch: Launch, poller: StatusPoller, live: Live) -> None:
        self._launch, self._poller, self._live = launch, poller, live
        self._drawn: object = None

    def draw(self) -> None:
        """Draw what is new."""
        status, size = self._poller.latest, self._live.console.size
        note = self._note(status)
        now = (id(status), size, note)
        if now != self._drawn:
            self._drawn = now
            self._live.update(self._view(status, note), refresh=True)

    def _view(self, status: SweepStatus | None, note: str) -> RenderableType:
        from sweeper.cli.tables import live_view

        size = self._live.console.size
        if status is None:
            return Text(note, no_wrap=True, overflow="ellipsis")
        return live_view(status, width=size.width, height=size.height, note=note)

    def _note(self, status: SweepStatus | None) -> str:
        from sweeper.cli.progress_log import waiting

        if self._poller.trouble:
            return self._poller.trouble if status is None else waiting(self._poller.trouble)
        if status is not None and (any(slot.run for slot in status.slots) or self._begun(status)):
            return ""
        what = "" if self._launch.script else f" (importing {self._launch.trainer.partition(':')[0]})"
        return f"{FRAMES[int(time.monotonic() / FRAME_S) % len(FRAMES)]} starting workers{what} …"

    def _begun(self, status: SweepStatus) -> bool:
        """Whether a run has begun since the launch has: from then on its rows move."""
        before = {run.id: run.state for run in self._launch.before.runs}
        return any(before.get(run.id) is not run.state for run in status.runs)
