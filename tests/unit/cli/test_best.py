"""What `sweeper best` prints, and what it refuses."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import typer

from sweeper.cli.best import _show, _show_files, _show_front
from sweeper.errors import ResultError, SweeperError
from sweeper.results.best import Best, Download
from sweeper.results.onnx_check import ModelFile
from sweeper.results.status import RunCounts, RunStatus, Standing, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState

BEST = Best(
    sweep="e/p/s",
    run="r1",
    name="[run] 1",
    state="finished",
    metric="acc",
    goal="maximize",
    value=0.95,
    last=0.9,
    values={},
    params={"opt.lr": 0.1},
    config={},
    summary={"acc": 0.9},
)
RUN = RunStatus(
    id="r1",
    name="run-1",
    state=RunState.FINISHED,
    params={},
    best=None,
    last=None,
    duration_s=None,
    slot="",
    reason="",
    log="",
    values={"acc": 0.9, "size": 5.0},
)
FRONT = SweepStatus(
    facts=SweepFacts(
        sweep="e/p/s",
        name="",
        url="",
        state=SweepState.RUNNING,
        method="bayes",
        metric="",
        goal="minimize",
        metrics={"acc": "maximize", "size": "minimize"},
    ),
    progress=RunCounts(done=1, total=4, counts={}, elapsed_s=None),
    standing=Standing(front=(RUN,)),
    runs=(RUN,),
)


def words(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines()]


def test_the_best_value_need_not_be_the_last(capsys):
    """Where they differ both are shown, and where they do not one is."""
    _show(BEST)
    shown = words(capsys.readouterr().out)
    assert shown == ["sweep e/p/s", "run [run] 1 (r1, finished)", "best acc 0.95", "last acc 0.9", "params lr=0.1"]
    _show(replace(BEST, last=0.95))
    assert "last acc" not in " ".join(words(capsys.readouterr().out))


def test_a_front_names_a_run_to_take(capsys):
    """None is the best, so the next command takes one of them; before the first there is none to take."""
    _show_front(FRONT, as_json=False)
    assert words(capsys.readouterr().out)[-1] == "next: sweeper best e/p/s --run r1 --download DIR"
    with pytest.raises(typer.Exit) as caught:
        _show_front(replace(FRONT, standing=Standing()), as_json=False)
    assert caught.value.exit_code == 1
    assert "next" not in capsys.readouterr().out


def test_a_front_in_json_is_the_statuss_own(capsys):
    """The sweep, its metrics, and the runs with every field that `sweeper status --json` has of them."""
    _show_front(FRONT, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["sweep", "metrics", "front"]
    assert told["front"] == json.loads(json.dumps(FRONT.to_json()["runs"], default=str))


def test_a_model_says_what_it_takes(capsys):
    """Its opset and inputs, and that it was run; a side of any length has a name."""
    model = ModelFile(path="d/model.onnx", opset=20, inputs={"x": ["batch", 3]}, outputs={})
    _show_files(Download(config="d/config.json", metrics="d/metrics.json", models=(model,)))
    assert words(capsys.readouterr().out) == [
        "wrote d/config.json",
        "wrote d/metrics.json",
        "wrote d/model.onnx",
        "checked: opset 20, input x (batch, 3), runs",
    ]


def test_another_run_may_be_named(here, embedded):
    """By its id or its name; one that is not there names the nearest."""
    ref, (first, second) = embedded.sweep(0, 0)
    assert second in here("best", ref, "--run", "run-2").stdout
    done = here("best", ref, "--run", "run-3")
    assert isinstance(done.exception, ResultError)
    assert done.exception.message == f"sweep {ref} has no run run-3"
    assert "did you mean" in done.exception.hint
    assert first not in done.stdout


def test_a_folder_that_cannot_be_written_starts_no_server(sweeper, home, tmp_path):
    """A full disk is known before a model is on its way."""
    (tmp_path / "file").touch()
    error = sweeper("best", "--download", tmp_path / "file").exception
    assert isinstance(error, SweeperError)
    assert "cannot write into" in error.message
    assert not (home / "server").exists()
