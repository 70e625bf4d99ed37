"""A status that is shown anew."""

from __future__ import annotations

import re
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

GRID_OF_40 = "method: grid\nmetric: {name: loss}\nparameters: {lr: {values: [" + ", ".join(map(str, range(40))) + "]}}"
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


def test_on_a_terminal_it_stays_in_its_place(on_a_terminal, embedded):
    """It is drawn as a whole, from the line where it began; the cursor is back at the end."""
    ref, _ = embedded.sweep(0, 0, 0, 0)
    embedded.wire.beat(embedded.wire.agent(ref.sweep_id))  # who asks for a run after the last one ends the sweep
    text = on_a_terminal("status", ref, "--watch", SWEEPER_HOME=str(embedded.home))
    assert text.count(str(ref)) == 2  # in its name and its page's address
    assert "finished" in text
    assert text.index("\x1b[?25l") < text.index("\x1b[?25h")


def test_on_a_terminal_a_status_leaves_room_for_the_prompt(on_a_terminal, embedded):
    """Of forty runs as many as there are lines for, and the sweep below them."""
    ref, _ = embedded.sweep(*[0] * 40, text=GRID_OF_40)
    text = on_a_terminal("status", ref, SWEEPER_HOME=str(embedded.home))
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).splitlines()
    assert sum(-(-max(1, len(line)) // 80) for line in lines) < 24
    assert any(line.startswith("… ") and line.endswith(" more: sweeper runs") for line in lines)
    assert any(line.startswith("sweep   local/p/") for line in lines)
