"""What a launch shows in a terminal."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from types import SimpleNamespace

from rich.console import Console
from rich.live import Live

from sweeper.cli.launch_screen import STARTING, LaunchScreen, moving
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState

FACTS = SweepFacts(
    sweep="e/p/s", name="", url="http://x", state=SweepState.RUNNING, method="grid", metric="acc", goal="maximize"
)
EMPTY = SweepStatus(facts=FACTS, progress=RunCounts(done=0, total=4, counts={}, elapsed_s=None))
RUN = RunStatus(
    id="aaaaaaaa", name="a", state=RunState.RUNNING, params={}, best=None, last=None, duration_s=1.0, slot="cpu0",
    reason="", log="",
)  # fmt: skip


@dataclass
class Poller:
    """What a launch knows of its sweep."""

    latest: SweepStatus | None = None
    trouble: str = ""


def screen(poller: Poller, **launch) -> tuple[LaunchScreen, Console]:
    console = Console(file=io.StringIO(), width=80, height=24, force_terminal=True, color_system=None)
    about = SimpleNamespace(**{"script": False, "trainer": "trainer.train:train", "before": EMPTY, **launch})
    return LaunchScreen(about, poller, Live(console=console, auto_refresh=False)), console


def drawn(poller: Poller, **launch) -> str:
    made, console = screen(poller, **launch)
    with made._live:
        made.draw()
    return console.file.getvalue()


def test_until_the_first_run_it_says_what_is_waited_for():
    """A trainer may import for a minute; a script is started by its agent, and imports nothing here."""
    assert "starting workers (importing trainer.train) …" in drawn(Poller())
    told = drawn(Poller(EMPTY))
    assert "starting workers (importing trainer.train) …" in told
    assert "sweep   e/p/s" in told
    assert "starting workers …" in drawn(Poller(), script=True)


def test_once_a_run_has_begun_its_row_says_so():
    """Also the last run of an earlier launch, which goes on."""
    shown = replace(EMPTY, runs=(RUN,))
    assert "starting" not in drawn(Poller(shown))
    assert "aaaaaaaa" in drawn(Poller(shown))
    assert "starting" in drawn(Poller(shown), before=shown)


def test_a_server_that_is_away_is_told_above_what_was_known():
    """The launch waits for it, and says so."""
    told = drawn(Poller(replace(EMPTY, runs=(RUN,)), "nobody answers at http://x"))
    assert "nobody answers at http://x: runs wait for it" in told
    assert "aaaaaaaa" in told
    assert "nobody answers at http://x" in drawn(Poller(None, "nobody answers at http://x"))


def test_nothing_is_drawn_where_nothing_is_new():
    """It is looked at five times a second: else it would flicker, and take the launch's time."""
    poller = Poller(replace(EMPTY, runs=(RUN,)))
    made, console = screen(poller)
    with made._live:
        made.draw()
        before = console.file.getvalue()
        made.draw()
        assert console.file.getvalue() == before
        poller.latest = replace(EMPTY, runs=(RUN, replace(RUN, id="bbbbbbbb")))
        made.draw()
        assert "bbbbbbbb" in console.file.getvalue()[len(before) :]


def test_without_a_terminal_what_takes_a_moment_is_a_line(capsys):
    """A log gets no frames."""
    with moving(STARTING):
        pass
    assert capsys.readouterr().err == f"{STARTING}\n"


def test_on_a_terminal_something_moves_from_the_first_moment_on(on_a_terminal, embedded):
    """Before the server is asked; what is printed meanwhile stands above it, and it goes away with an error."""
    text = on_a_terminal("launch", "local/p/nowhere", "--workers", "1", code=1, SWEEPER_HOME=str(embedded.home))
    assert 0 < text.index("starting workers") < text.index("server: ")
    assert text.count("starting workers") > 1
    assert "no sweep local/p/nowhere" in text
    assert text.rindex("starting workers") < text.index("no sweep")
