"""What `sweeper create` prints, and what it refuses."""

from __future__ import annotations

import json

import pytest
from typer.testing import Result

from sweeper.backend.create import Created
from sweeper.cli.create import _show
from sweeper.errors import BackendError, DefinitionError
from sweeper.ref import SweepRef
from tests.documented_json import assert_documented

CREATED = Created(ref=SweepRef("local", "p", "s1"), url="http://127.0.0.1:1/local/p/sweeps/s1", expected_runs=6)


@pytest.mark.parametrize(
    ("expected", "runs", "following"),
    [(6, "runs 6", "next: sweeper launch"), (None, "runs until stopped", "next: sweeper launch --count 20")],
)
def test_the_next_command_ends_by_itself(capsys, expected, runs, following):
    """A sweep without an end is launched with a count, so that nobody waits for ever."""
    _show(Created(ref=CREATED.ref, url=CREATED.url, expected_runs=expected), as_json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == ["sweep local/p/s1", f"page {CREATED.url}", runs, following]


def test_the_json_is_for_scripts(capsys):
    """Name, page and number of runs, and nothing else on stdout."""
    _show(CREATED, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert_documented("create", told)
    assert told == {"sweep": "local/p/s1", "url": CREATED.url, "expected_runs": 6}


def test_the_next_command_takes_the_trainer_that_was_named(capsys):
    """Without it a launch would take another one."""
    _show(CREATED, as_json=False, options=" --trainer mine:train")
    assert capsys.readouterr().out.splitlines()[-1] == "next: sweeper launch --trainer mine:train"


def test_the_trainer_is_said_and_looked_for(sweeper, tmp_path, monkeypatch):
    """Before any server is asked (here there is none); what lies on another machine is not looked for."""
    monkeypatch.chdir(tmp_path)
    text = "method: random\nrun_cap: 1\nparameters: {learning_rate: {min: 0.1, max: 0.2}}\n"

    def create(more: str, *options: str) -> Result:
        (tmp_path / "sweep.yaml").write_text(text + more)
        return sweeper("create", "sweep.yaml", "--backend", "wandb", *options)

    shipped = create("")
    assert isinstance(shipped.exception, BackendError)
    assert "trainer: trainer.train:train, the shipped one: the file names no program" in shipped.stderr
    (tmp_path / "mine.py").write_text("import nonesuch_abc\ndef train(): ...\n")
    refused = create("program: mine:train\n").exception
    assert isinstance(refused, DefinitionError)
    assert "sweep.yaml:4:1: program: cannot import mine: ModuleNotFoundError" in refused.message
    assert "--elsewhere" in refused.message
    assert isinstance(create("program: mine:train\n", "--elsewhere").exception, BackendError)
    (tmp_path / "mine.py").write_text("def train(): ...\n")
    own = create("program: mine:train\n")
    assert isinstance(own.exception, BackendError)
    assert "trainer: mine:train, as the file's `program:` says" in own.stderr


def test_a_sweep_for_a_function_elsewhere_is_created_with_a_warning(sweeper, tmp_path, monkeypatch):
    """Whoever calls `wandb.agent(function=...)` names no program: the shipped trainer is not taken for granted."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "sweep.yaml").write_text("method: random\nrun_cap: 1\nparameters: {lr: {min: 0.1, max: 0.2}}\n")
    created = sweeper("create", "sweep.yaml", "--backend", "wandb")
    assert isinstance(created.exception, BackendError)
    assert "sweep.yaml:3:14: warning: parameters.lr: the file names no `program:`" in created.stderr


def test_a_wrong_file_starts_no_server(sweeper, home, tmp_path):
    """Its faults are said at once, each with its place."""
    (tmp_path / "wrong.yaml").write_text("method: grit\nparameters: {}\n")
    error = sweeper("create", tmp_path / "wrong.yaml").exception
    assert isinstance(error, DefinitionError)
    assert "wrong.yaml:1" in error.message
    assert not (home / "server").exists()


@pytest.mark.filterwarnings("ignore:Read the `app_url`:DeprecationWarning")  # the SDK warns of itself
def test_a_private_project_is_made_for_the_sweep(here, tmp_path):
    """A new one is restricted, and found again by its owner; one that is everybody's does not become private."""
    file = tmp_path / "sweep.yaml"
    file.write_text("method: random\nrun_cap: 1\nparameters: {a: {min: 0.1, max: 0.2}}\n")

    def create(project: str, *options: str) -> Result:
        return here("create", file, "--elsewhere", "--project", project, *options)

    assert [create("secret", "--private").exit_code for _ in range(2)] == [0, 0]
    assert create("shared").exit_code == 0
    refused = create("shared", "--private").exception
    assert isinstance(refused, BackendError)
    assert "local/shared is there already, and everybody's" in refused.message
    assert "another name" in refused.hint
