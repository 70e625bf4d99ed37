"""What a person sees in a terminal of 80 columns."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from sweeper.cli.output import Terminal
from sweeper.cli.tables import live_view, status_view
from sweeper.plain_text import HOSTILE
from sweeper.results.status import RunCounts, RunStatus, SearchStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState
from sweeper.search.importance import Importance
from sweeper.search.missing_metric import MissingMetric

PARAMS = {"opt.learning_rate": 0.00123456, "kernels": [16, 32], "batch_size": 128, "optimizer": "adam"}


def run(name: str, state: RunState = RunState.FINISHED, reason: str = "") -> RunStatus:
    return RunStatus(
        id=name,
        name=f"run-{name}",
        state=state,
        params=PARAMS,
        best=0.97654,
        last=0.97,
        duration_s=12.3,
        slot="cpu0",
        reason=reason,
        log="",
    )


def status(*runs: RunStatus, **search) -> SweepStatus:
    return SweepStatus(
        facts=SweepFacts(
            sweep="local/sweeper-mnist/ab12cd34",
            name="[red]odd[/] name",
            url="http://127.0.0.1:40123/local/sweeper-mnist/sweeps/ab12cd34",
            state=SweepState.RUNNING,
            method="bayes",
            metric="test_accuracy",
            goal="maximize",
        ),
        progress=RunCounts(done=2, total=6, counts={"finished": 2, "running": 1}, elapsed_s=63.0),
        standing=Standing(best=runs[0] if runs else None),
        search=SearchStatus(**search),
        runs=runs,
        model="/somewhere/model.onnx" if runs else "",
    )


def render(shown: SweepStatus, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(status_view(shown))
    return console.file.getvalue()


def test_a_status_fits_80_columns_and_loses_nothing():
    """Every value is there and no line is longer than the terminal."""
    text = render(status(run("aaaaaaaa"), run("bbbbbbbb", RunState.KILLED, "hyperband rung 3: too low")))
    assert max(map(len, text.splitlines())) <= 80
    joined = "".join(text.split())
    for part in ("local/sweeper-mnist/ab12cd34", "2/6", "1m03s", "0.9765", "aaaaaaaa", "killed", "hyperbandrung3"):
        assert part in joined
    assert "learning_rate=0.001235" in text
    assert "[red]odd[/] name" in text


def test_a_metric_that_nobody_logs_is_told_in_one_line():
    """To be found by whoever looks for it; on a live view, where a long line would be cut, it is broken."""
    told = "run aaaaaaaa never logged `test_accuracy`; it logged `test_acc`, `epoch`: did you mean `test_acc`?"
    missing = MissingMetric(metric="test_accuracy", run="a", logged=("test_acc",), meant="test_acc", message=told)
    shown = replace(status(run("aaaaaaaa")), missing_metrics=(missing,))
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(status_view(shown), crop=False)
    assert f"warning {told}" in console.file.getvalue()
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(live_view(shown, height=40))
    assert told in " ".join(console.file.getvalue().split())


ODD = ["[/oops]", "acc[val]", "[red]x", "[/", "]", "\\\\[", ":smile:", "[link=x]y[/link]", "[@click=f]"]
OBEYED = ["\x1b]0;t\x07", "\x9b2J", "\u202e", "a\nb\x1b[2J"]


def odd_status(odd: str) -> SweepStatus:
    """Everything that is not ours to choose says something odd."""
    one = replace(run(odd, reason=odd), name=odd, params={odd: odd, "b": [odd]}, slot=odd, values={odd: 1.0})
    two = replace(one, id=f"x{odd}", log=odd, log_tail=(odd,), policy=odd, state=RunState.RUNNING)
    shown = status(one, two, fallbacks={odd: 2}, importance=(Importance(name=odd, n=30),), scheduler=odd)
    facts = replace(shown.facts, sweep=odd, name=odd, url=odd, metric=odd, method=odd, metrics={odd: "minimize"})
    standing = Standing(best=one, front=(one, two), prior=2, prior_best=1.0)
    return replace(shown, facts=facts, standing=standing, model=odd, launchers={7: (odd,)})


@pytest.mark.parametrize("odd", ODD + OBEYED)
@pytest.mark.parametrize("console", [Console, Terminal])
def test_nothing_that_others_name_is_markup(odd, console):
    """Metrics, parameters, runs, slots, reasons, logs: each is shown as it is, or without what terminals obey."""
    screen = console()
    screen.file, screen.width = io.StringIO(), 400
    screen.print(status_view(odd_status(odd)))
    screen.print(live_view(odd_status(odd), height=60))
    shown = screen.file.getvalue()
    if console is Terminal:
        assert not re.search(rf"[{HOSTILE}]", shown.replace("\n", ""))
    if odd in ODD:
        assert shown.count(odd) >= 30


def test_a_printed_status_ends_with_the_best_run():
    """However many runs there are, best value and model are on the screen when the command ends."""
    text = render(status(*(run(f"run{n:05}") for n in range(50))))
    assert "0.9765" in "".join(text.splitlines()[-4:])
    assert "model.onnx" in text.splitlines()[-1]


@pytest.mark.parametrize(
    ("runs", "saved_s", "text"),
    [(1, None, "1 run early"), (3, 250.0, "3 runs early, about 4m 10s of GPU time saved"), (0, 0.0, "")],
)
def test_a_status_adds_up_what_early_termination_saved(runs, saved_s, text):
    """Shown only where runs were stopped early; the time only where it is known."""
    shown = render(status(run("aaaaaaaa"), stopped_early=runs, saved_s=saved_s))
    lines = [line for line in shown.splitlines() if line.startswith("stopped")]
    assert [line.removeprefix("stopped").strip() for line in lines] == ([text] if text else [])


def test_a_status_tells_which_runs_the_search_had_nothing_for():
    """A person learns that runs were drawn at random, and why; nothing is said where none was."""
    shown = render(status(run("aaaaaaaa"), fallbacks={"the search takes longer": 2}))
    assert "random  2 runs drawn at random: the search takes longer" in shown
    assert "at random" not in render(status(run("aaaaaaaa")))


def test_importance_is_a_table_that_fits():
    """One line a parameter; what cannot be told is a dash, and nothing is cut off at 80 columns."""
    rows = (
        Importance(name="optimizer.learning_rate", ped_anova=0.634, forest=0.8, correlation=-0.456, n=120),
        Importance(name="kind", ped_anova=0.366, forest=0.2, n=60),
    )
    text = render(status(run("aaaaaaaa"), importance=rows))
    assert max(map(len, text.splitlines())) <= 80
    for line in ("optimizer.learning_rate  63%  80%  -0.46  120", "kind  37%  20%  -  60"):
        assert line.split() in [found.split() for found in text.splitlines()]


def test_importance_of_too_few_runs_says_so():
    """Instead of numbers that would be chance."""
    text = render(status(run("aaaaaaaa"), importance=(Importance(name="lr", n=4),)))
    assert "importance: 4 runs with a value are too few, it takes 10" in text
    assert "importance" not in render(status(run("aaaaaaaa")))


def test_a_live_status_fits_the_terminal():
    """The latest runs are shown, the oldest give way; counts stay those of all runs."""
    console = Console(file=io.StringIO(), width=80, height=40, highlight=False)
    console.print(live_view(status(*(run(f"run{n:05}") for n in range(50))), height=40))
    text = console.file.getvalue()
    assert len(text.splitlines()) <= 40
    assert "run00049" in text
    assert "run00010" not in text
    assert "2/6" in text


def test_a_sweep_without_runs_says_so():
    """An empty table would look like a fault."""
    assert "no run yet" in render(status())


def test_a_logs_path_is_never_broken():
    """The path of a failed run's log stands on one line, to be copied, however long it is."""
    log = "/" + "a-long-folder/" * 12 + "cpu0-0001.log"
    failed = replace(run("aaaaaaaa"), reason="ValueError: x", log=log, log_tail=("ValueError: x",))
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(status_view(status(failed)), crop=False)  # as `sweeper status` prints it
    assert log in console.file.getvalue().splitlines()


def test_a_sweep_on_which_nobody_works_says_what_goes_on_with_it():
    """Running is what it says of itself; a person takes it for work."""
    text = " ".join(render(replace(status(), idle=True), width=200).split())
    assert "state running, but nobody works on it: sweeper launch local/sweeper-mnist/ab12cd34" in text
    paused = replace(status(), facts=replace(status().facts, state=SweepState.PAUSED))
    assert "state paused: sweeper resume local/sweeper-mnist/ab12cd34" in " ".join(render(paused, width=200).split())
    assert "nobody works" not in render(replace(status(), idle=None))


def test_of_many_runs_some_are_shown_and_the_rest_is_counted():
    """With what shows them; with `--all` each has its row."""
    many = status(*(run(f"r{number:07}") for number in range(10_000)))
    text = render(many)
    assert "… 9,990 more runs: sweeper status --all, or --json" in text
    assert len(text.splitlines()) < 50
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(status_view(status(*(run(f"r{number:07}") for number in range(60))), every_run=True))
    assert "more runs" not in console.file.getvalue()
    assert "r0000059" in console.file.getvalue()
