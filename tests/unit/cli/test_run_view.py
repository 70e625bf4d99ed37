"""One run laid out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.cli.output import Terminal
from sweeper.cli.run_view import run_view, suggested
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.results.one_run import OneRun
from sweeper.run import RunState, StopDecision
from tests.unit.results.test_one_run import FACTS, REF, RUNS, STATUS

STEPS = tuple((step, 1 / (step + 1)) for step in range(30))
ONE = OneRun(sweep=REF, run=RUNS[0], status=STATUS, facts=FACTS, varying=("lr",), curves={"acc": STEPS})


def lines_of(one, *, width=80, everything=False):
    terminal = Terminal()
    terminal.width = width
    with terminal.capture() as captured:
        terminal.print(run_view(one, width=width, everything=everything), crop=False)
    return captured.get().splitlines()


def test_why_it_ended_is_in_words():
    """With what is done about it while it is not over; how it was stopped, with the comparison."""
    waiting = replace(RUNS[0], state=RunState.PENDING, policy="retried on the same slot")
    assert "state    pending: exit code 1; retried on the same slot" in lines_of(replace(ONE, run=waiting))
    stop = StopDecision("r1", "worse", rule="hyperband", rung=9, value=0.41, threshold=0.37, n=12)
    stopped = lines_of(replace(ONE, run=replace(RUNS[0], state=RunState.KILLED, stop=stop)))
    assert "stopped  by hyperband (rung 9, value 0.41, limit 0.37, 12 runs)" in [line.rstrip() for line in stopped]


def test_attempts_are_listed_where_there_were_several():
    """Each with its slot and its end."""
    first = Attempt(run_id="r1", slot="gpu0", outcome=AttemptOutcome.DIED, reason="out of memory", wall_s=3.0)
    told = replace(ONE, attempts=(first, Attempt(run_id="r1", slot="gpu1", attempt=2)))
    lines = lines_of(replace(told, run=replace(RUNS[0], losses=1)))
    at = lines.index("attempts 2")
    assert [line.strip() for line in lines[at + 1 : at + 4]] == [
        "gpu0 died, 3.0s: out of memory",
        "gpu1 under way, -",
        "handed out again 1 times, after its agent fell silent",
    ]


def test_long_lists_are_folded():
    """Until somebody asks for all."""
    files = tuple((f"{at}.bin", at) for at in range(20))
    config = {f"key{at}": "x" * 30 for at in range(20)}
    one = replace(ONE, facts=replace(FACTS, files=files, config=config, tags=("a", "b"), notes="a note"))
    folded, whole = lines_of(one), lines_of(one, everything=True)
    assert "         … 14 more: --all" in folded
    assert sum("key1=" in line for line in folded) == 1
    assert sum("xxx" in line for line in whole) == 20
    assert sum(".bin" in line for line in whole) == 20
    assert "tags     a, b" in folded


def test_several_metrics_are_told_together():
    """With those of which it has none."""
    facts = replace(STATUS.facts, metric="", metrics={"acc": "maximize", "size": "minimize"})
    run = replace(RUNS[0], values={"acc": 0.5}, lacks=("size",))
    lines = lines_of(replace(ONE, run=run, status=replace(STATUS, facts=facts)))
    assert "last     acc 0.5  size -" in lines
    assert "         without a value of size" in lines


def test_texts_of_others_are_texts():
    """Markup and what a terminal obeys come to nothing."""
    run = replace(RUNS[0], name="[bold]x[/]\x1b[2J", reason="[red]no[/]")
    lines = lines_of(replace(ONE, run=run))
    assert lines[0] == "run      r1  ([bold]x[/])"
    assert "state    failed: [red]no[/]" in lines


@pytest.mark.parametrize("width", [80, 160])
def test_the_curve_fits_the_terminal(width):
    """And is no wider than can be read."""
    lines = lines_of(ONE, width=width)
    drawn = lines[lines.index("acc  1 → 0.03333, from 0.03333 to 1") :]
    assert max(map(len, drawn)) <= min(width, 120)


def test_what_suggested_it():
    """An engine with what it had seen, and why it was not asked."""
    assert suggested({"engine": "bayes/1", "runs": 3, "seed": 7}) == "bayes/1, having seen 3 runs (seed 7)"
    assert suggested({"engine": "random/1", "fallback": "late"}) == "random/1; drawn at random: late"


def test_how_to_run_it_again():
    """A command line stands there; a file only for who asks for all."""
    assert "again    python t.py --lr=0.1" in lines_of(replace(ONE, rerun="python t.py --lr=0.1"))
    made = replace(ONE, rerun="cat > x.yaml <<'END'\nmethod: grid\nEND\nsweeper create x.yaml")
    assert "again    --all shows the commands that run it again" in lines_of(made)
    lines = lines_of(made, everything=True)
    at = lines.index("cat > x.yaml <<'END'")
    assert lines[at + 1 : at + 4] == ["method: grid", "END", "sweeper create x.yaml"]
