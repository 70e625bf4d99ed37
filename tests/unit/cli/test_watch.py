"""A status that is shown anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from sweeper.cli.output import out
from sweeper.cli.watch import WatchEnd, watching
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState

FACTS = SweepFacts(
    sweep="e/p/s", name="", url="http://x", state=SweepState.RUNNING, method="grid", metric="", goal="minimize"
)
GOING = SweepStatus(facts=FACTS, progress=RunCounts(done=0, total=None, counts={}, elapsed_s=None))
WORKED = replace(GOING, launchers={7: ("cpu0",)})
IDLE = replace(GOING, idle=True)
ENDED = replace(GOING, facts=replace(FACTS, state=SweepState.FINISHED))
RUN = RunStatus(
    id="a", name="a", state=RunState.RUNNING, params={}, best=None, last=None, duration_s=1.0, slot="", reason="",
    log="",
)  # fmt: skip
ELSEWHERE = replace(GOING, runs=(RUN,))

NO_LAUNCH = "no launch of this machine works on the sweep any more"


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ([ENDED], ""),
        ([GOING, GOING, WORKED, ENDED], ""),
        ([WORKED, WORKED, GOING], NO_LAUNCH),
        ([WORKED, ELSEWHERE, IDLE], NO_LAUNCH),
        ([IDLE, IDLE], "nobody works on the sweep"),
        ([IDLE, WORKED, IDLE], NO_LAUNCH),
        ([IDLE, GOING, IDLE, GOING], None),
        ([WORKED, ELSEWHERE], None),
        ([GOING] * 9, None),
    ],
)
def test_a_watch_ends_with_the_sweep_or_with_the_last_who_works_on_it(seen, why):
    """One that is about to begin is waited for a moment; what works elsewhere keeps it up."""
    ending = WatchEnd()
    assert [ending.why(status) for status in seen] == [*[None] * (len(seen) - 1), why]


def test_a_pipe_gets_one_status_after_the_other(capsys):
    """Plain, with the reason of the end on stderr and the command that goes on."""
    states: Iterator[SweepStatus] = iter([WORKED, WORKED, IDLE])
    waited: list[float] = []
    watching(lambda: next(states), None, every_run=False, sleep=waited.append)
    told = capsys.readouterr()
    assert told.out.count("sweep   e/p/s") == 3
    assert "\x1b" not in told.out
    assert told.err == f"{NO_LAUNCH}: sweeper launch e/p/s\n"
    assert len(waited) == 2
    assert min(waited) >= 5  # each look costs the server up to four requests


def test_a_script_gets_one_document_after_the_other(capsys):
    """Nothing else is on stdout."""
    states: Iterator[SweepStatus] = iter([GOING, ENDED])
    watching(lambda: next(states), lambda status: out.print(status.facts.state), every_run=False, sleep=lambda _: None)
    assert capsys.readouterr() == ("RUNNING\nFINISHED\n", "")
