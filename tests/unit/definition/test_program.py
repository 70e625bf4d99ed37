"""Which function trains."""

from __future__ import annotations

import sys

import pytest

from sweeper.definition.program import choose_trainer, declared, find_script
from sweeper.errors import TrainerError


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "program", "chosen"),
    [
        (None, None, "trainer.train:train"),
        (None, "trainer/train.py", "trainer.train:train"),
        (None, "json:dumps", "json:dumps"),
        ("json:dumps", "trainer/train.py", "json:dumps"),
    ],
)
def test_the_option_wins_over_the_file_and_that_over_the_shipped_trainer(asked, program, chosen):
    """The shipped files name their script for `wandb agent`; here that is the shipped function."""
    assert choose_trainer(asked, program) == chosen


@pytest.mark.parametrize("target", ["train.py", "my_train", ":train", "json:", "no_such_module:train"])
def test_what_is_no_function_is_refused(target):
    """A user's own script is never replaced by our trainer."""
    with pytest.raises(TrainerError) as caught:
        choose_trainer(None, target)
    assert caught.value.hint


def test_the_shipped_trainer_is_refused_where_it_cannot_run(folder, monkeypatch):
    """Without its extra a launch says at once which command brings it; a trainer of the user's own needs nothing."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    with pytest.raises(TrainerError, match="shipped trainer needs onnxruntime") as caught:
        choose_trainer(None, "trainer/train.py")
    assert "pip install 'sweeper[trainer]'" in caught.value.hint
    assert choose_trainer("json:dumps", None) == "json:dumps"
    (folder / "trainer").mkdir()
    (folder / "trainer" / "train.py").touch()
    assert choose_trainer(None, "trainer/train.py") == "trainer.train:train"


def test_a_file_of_the_same_name_is_not_the_shipped_trainer(tmp_path, monkeypatch):
    """Somebody else's trainer/train.py is not judged by what ours declares."""
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "train.py").write_text("")
    assert declared(None, "trainer/train.py") is not None
    monkeypatch.chdir(tmp_path)
    assert declared(None, "trainer/train.py") is None


@pytest.mark.parametrize("place", ["trainer/__init__.py", "trainer/train.py", "trainer.py"])
def test_what_bears_the_shipped_trainers_name_is_not_imported_to_check_a_file(tmp_path, monkeypatch, place):
    """It may be a stranger's folder: only a launch runs what lies there."""
    (tmp_path / "trainer").mkdir()
    (tmp_path / place).write_text("raise SystemExit('ran')")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "trainer"]:
        monkeypatch.delitem(sys.modules, name)
    assert declared(None, "trainer.train:train") is None


@pytest.mark.parametrize(
    ("asked", "program", "command", "script"),
    [
        (None, None, [], None),
        (None, "trainer/train.py", [], None),
        (None, "json:dumps", [], None),
        ("json:dumps", "mine.py", [], None),
        (None, "mine.py", [], "mine.py"),
        (None, "mine.py", ["${env}", "${interpreter}", "${program}", "${args}"], "mine.py"),
        (None, "trainer/train.py", ["sh", "-c", "true"], "trainer/train.py"),
        (None, None, ["sh", "-c", "true"], "sh -c true"),
    ],
)
def test_a_script_trains_where_the_file_names_one(asked, program, command, script, folder):
    """A function that the user asks for wins; the shipped files name their script for `wandb agent`."""
    (folder / "mine.py").write_text("")
    assert find_script(asked, program, command) == script


@pytest.mark.parametrize(
    ("program", "command", "word"),
    [
        ("gone.py", [], "no file"),
        ("json", [], "is a module"),
        (None, ["${interpreter}", "${program}"], "no `program:`"),
        ("trainer/train.py", ["no-such-tool", "x"], "no command here"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_script_that_cannot_be_started_is_named(program, command, word):
    """Nothing is left for the agent to fail with."""
    with pytest.raises(TrainerError, match=word) as caught:
        find_script(None, program, command)
    assert caught.value.hint
