"""What a person sees in a terminal of 80 columns."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from rich.console import Console

from sweeper.cli.output import Terminal
from sweeper.cli.tables import live_view, status_view
from sweeper.plain_text import HOSTILE
from sweeper.results.slot_status import SlotStatus
from sweeper.results.status import (
    FailureGroup,
    RunCounts,
    RunStatus,
    SearchStatus,
    Standing,
    SweepFacts,
    SweepStatus,
)
from sweeper.run import RunState, SweepState
from sweeper.search.importance import Importance
from sweeper.search.missing_metric import MissingMetric

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
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


def live(shown: SweepStatus, *, height: int, width: int = 80, note: str = "") -> str:
    console = Console(file=io.StringIO(), width=width, height=height, highlight=False)
    console.print(live_view(shown, width=width, height=height, note=note))
    return console.file.getvalue()


def render(shown: SweepStatus, width: int = 80) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False)
    console.print(status_view(shown, width=width))
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
    console.print(status_view(shown, width=80), crop=False)
    assert f"warning {told}" in console.file.getvalue()
    assert told in " ".join(live(shown, height=40).split())


ODD = ["[/oops]", "acc[val]", "[red]x", "[/", "]", "\\\\[", ":smile:", "[link=x]y[/link]", "[@click=f]"]
OBEYED = ["\x1b]0;t\x07", "\x9b2J", "\u202e", "a\nb\x1b[2J"]


def odd_status(odd: str) -> SweepStatus:
    """Everything that is not ours to choose says something odd."""
    one = replace(run(odd, reason=odd), name=odd, params={odd: odd, "b": [odd]}, slot=odd, values={odd: 1.0})
    two = replace(one, id=f"x{odd}", log=odd, log_tail=(odd,), policy=odd, state=RunState.RUNNING)
    shown = status(one, two, fallbacks={odd: 2}, importance=(Importance(name=odd, n=30),), scheduler=odd)
    facts = replace(shown.facts, sweep=odd, name=odd, url=odd, metric=odd, method=odd, metrics={odd: "minimize"})
    standing = Standing(best=one, front=(one, two), prior=2, prior_best=1.0)
    group = FailureGroup(cause=odd, kind=odd, count=2, runs=(odd, odd), log=odd, log_run=odd)
    slot = SlotStatus(name=odd, launcher=7, device=odd, run=odd)
    missing = MissingMetric(metric=odd, run=odd, logged=(odd,), meant=odd, message=odd)
    more = {"failures": (group,), "slots": (slot,), "missing_metrics": (missing,), "curves": {odd: ((1, 0.5),)}}
    return replace(shown, facts=facts, standing=standing, model=odd, launchers={7: (odd,)}, **more)


@pytest.mark.parametrize("odd", ODD + OBEYED)
@pytest.mark.parametrize("console", [Console, Terminal])
def test_nothing_that_others_name_is_markup(odd, console):
    """Metrics, parameters, runs, slots, reasons, logs: each is shown as it is, or without what terminals obey."""
    screen = console()
    screen.file, screen.width = io.StringIO(), 400
    screen.print(status_view(odd_status(odd), width=400))
    screen.print(status_view(odd_status(odd), width=400, height=60))
    screen.print(live_view(odd_status(odd), width=400, height=60, note=odd))
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
    [(1, None, "1 run early"), (3, 250.0, "3 runs early, about 4m 10s of slot time saved"), (0, 0.0, "")],
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


def at_work(number: int, slots: int) -> list[RunStatus]:
    return [replace(run(f"w{n:07}", RunState.RUNNING), slot=f"gpu{n % slots}") for n in range(number)]


def busy(ended: int, going: int) -> SweepStatus:
    """A sweep with much of everything."""
    runs = [run(f"run{n:05}") for n in range(ended)] + at_work(going, going or 1)
    why = "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB"
    groups = [FailureGroup(cause=why, kind="", count=3, runs=("x",), log="/a/b/c.log", log_run="x")] * 6
    slots = [SlotStatus(name=f"gpu{n}", launcher=7, device=f"GPU-{n}", run=f"w{n:07}", step=3) for n in range(going)]
    shown = status(*runs)
    counts = {"finished": ended, "running": going}
    progress = RunCounts(done=ended, total=900, counts=counts, elapsed_s=63.0, eta_s=2000.0, gpu_hours_used=12.0)
    return replace(shown, progress=progress, failures=tuple(groups), slots=tuple(slots), read_at=NOW)


@pytest.mark.parametrize("width", [80, 160, 300])
@pytest.mark.parametrize("height", [24, 45, 100])
@pytest.mark.parametrize(("ended", "going"), [(0, 0), (0, 2), (500, 2), (500, 8), (4, 0), (3, 60)])
def test_a_live_status_fits_the_terminal(width, height, ended, going):
    """In its lines and columns, with the header whole, and what runs in front of all that has ended."""
    text = live(busy(ended, going), width=width, height=height)
    lines = text.splitlines()
    assert len(lines) <= height
    assert max(map(len, lines)) <= min(width, 200)
    for begins in (
        "sweep   local/sweeper-mnist/ab12cd34",
        "page ",
        "method  bayes",
        "state   running",
        f"runs    {ended}/900",
    ):
        assert any(line.startswith(begins) for line in lines)
    rows = [line.split()[0] for line in lines if line.startswith(("w0", "run0"))]
    seen = [row for row in rows if row.startswith("w")]
    assert len(seen) == min(going, len(rows))
    assert rows == seen + [row for row in rows if row.startswith("run")]
    assert len(rows) >= min(going + ended, 3)
    if len(rows) < going + ended:
        assert any(line.startswith(f"… {going + ended - len(rows)} more: sweeper runs") for line in lines)


def test_what_has_no_room_gives_way_in_its_order():
    """On 24 lines eight runs at work are all seen, and of the slots and failures what is left; on 45 lines all is."""
    text = live(busy(500, 8), height=24)
    assert sum(line.startswith("w0") for line in text.splitlines()) == 8
    assert "… 500 more: sweeper runs" in text
    text = live(busy(500, 8), height=45)
    assert sum(line.startswith("gpu") for line in text.splitlines()) == 8
    assert "3 runs failed: RuntimeError: CUDA out of memory" in text
    assert "run00" in text


def test_a_note_stands_above_all():
    """What is wrong with the status itself, such as a server that does not answer; all the rest still fits."""
    lines = live(busy(500, 2), height=24, note="nobody answers").splitlines()
    assert (lines[0], len(lines)) == ("nobody answers", 24)


def test_on_a_terminal_a_status_fits_its_screen():
    """With the sweep at the bottom, where the eye is; a long address is not cut but wrapped, which counts as lines."""
    shown = busy(500, 2)
    url = "http://127.0.0.1:40123/" + "long/" * 30
    shown = replace(shown, facts=replace(shown.facts, url=url))
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(status_view(shown, width=80, height=24), crop=False)
    text = console.file.getvalue()
    assert url in text
    assert sum(-(-max(1, len(line)) // 80) for line in text.splitlines()) <= 24
    assert text.splitlines()[0].startswith("run ")
    assert text.splitlines()[1].startswith("w0000000")


def test_a_sweep_without_runs_says_so():
    """An empty table would look like a fault."""
    assert "no run yet" in render(status())


def test_a_logs_path_is_never_broken():
    """The path of a failed run's log stands on one line, to be copied, however long it is."""
    log = "/" + "a-long-folder/" * 12 + "cpu0-0001.log"
    failed = replace(run("aaaaaaaa"), reason="ValueError: x", log=log, log_tail=("ValueError: x",))
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(status_view(status(failed), width=80), crop=False)  # as `sweeper status` prints it
    assert log in console.file.getvalue().splitlines()


def test_of_many_runs_some_are_shown_and_the_rest_is_counted():
    """With what shows them; with `--all` each has its row."""
    many = status(*(run(f"r{number:07}") for number in range(10_000)))
    text = render(many)
    assert "… 9,980 more: sweeper runs" in text
    assert len(text.splitlines()) < 50
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(status_view(status(*(run(f"r{number:07}") for number in range(60))), width=80, every_run=True))
    assert "more: sweeper runs" not in console.file.getvalue()
    assert "r0000059" in console.file.getvalue()


def test_with_several_metrics_a_screen_names_the_front_in_a_line():
    """Its table may be longer than the screen; a pipe gets it, and so does who asks for the best."""
    shown = busy(500, 2)
    facts = replace(shown.facts, metric="", metrics={"acc": "maximize", "size": "minimize"})
    front = tuple(replace(run, values={"acc": 0.5, "size": 2.0}) for run in shown.runs[:30])
    shown = replace(shown, facts=facts, standing=Standing(front=front))
    text = live(shown, height=24)
    assert "front   30 runs that none beats, each with a star: sweeper best" in text
    assert "acc ↑" not in text
    assert "acc ↑" in render(shown)
    assert "front   no run yet" in live(replace(shown, standing=Standing()), height=24)
