"""What is said about a sweep's trainer before any run; commands and functions have pages of their own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from sweeper.definition.declaration import declared
from sweeper.definition.program import choose
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.trainer_check import against, beside, obstacles, settle
from sweeper.errors import TrainerError

FUNCTION = "import wandb\ndef train():\n    with wandb.init(): pass\n"
OURS = "method: random\nparameters: {learning_rate: {values: [0.1, 0.2]}}\n"
OTHERS = "method: random\nparameters: {lr: {values: [0.1, 0.2]}}\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def sweep(text: str) -> SweepDefinition:
    return SweepDefinition.from_yaml(text)


def test_another_python_is_for_scripts():
    """A function is refused before anything else is looked at; a script is read by that Python, if only to parse it."""
    env = {**os.environ, "SWEEPER_PYTHON": sys.executable}
    Path("train.py").write_text(FUNCTION)
    with pytest.raises(TrainerError, match="train:train is a function, which sweeper calls in its own Python"):
        settle(sweep("program: train:train\n" + OTHERS), None, env)
    with pytest.raises(TrainerError, match=r"train\.py lies here"):
        settle(sweep(OTHERS), None, env)
    script = sweep("program: train.py\n" + OTHERS)
    assert settle(script, None, env).target == "train.py"
    Path("train.py").write_text("x = (\n")
    with pytest.raises(TrainerError, match=r"train\.py, line 1: SyntaxError: '\(' was never closed"):
        settle(script, None, env)
    assert not list(obstacles(choose(None, "nowhere", ["python", "-m", "${program}"]), env, imports=False))


@pytest.mark.parametrize(
    ("name", "text", "kind", "fix"),
    [
        ("train.py", FUNCTION + "train()\n", "wrong", "add `program: train.py`, or `program: train:train`"),
        ("toy.py", FUNCTION, "unsaid", "add `program: toy:train`, or launch with --trainer toy:train"),
    ],
)
def test_a_script_beside_the_file_is_asked_for(name, text, kind, fix):
    """It is an error where the script alone can be meant, and a warning where a launch may still name the function."""
    Path(name).write_text(text)
    [said] = beside([Path()])
    assert (said.kind, said.message) == (kind, f"the file names no `program:`, and {name} lies beside it")
    assert said.fix.startswith(fix)
    assert said.fix.endswith("; `program: trainer/train.py` takes the shipped trainer")


def test_several_scripts_are_all_named():
    """The first is the likeliest."""
    for name in ("one.py", "train.py"):
        Path(name).write_text(FUNCTION + "train()\n")
    [said] = beside([Path()])
    assert "train.py lies beside it (as do one.py)" in said.message


@pytest.mark.parametrize(
    ("source", "kind", "found"),
    [
        ("import nonesuch_abc\n" + FUNCTION, "missing", "cannot import toy: ModuleNotFoundError"),
        ("train = 3", "wrong", "toy:train is no function"),
        ("globals()['x'] = 3", "wrong", "toy has no function 'train'"),
    ],
)
def test_an_import_tells_what_the_text_does_not(source, kind, found):
    """Only where it is asked for."""
    Path("toy.py").write_text(source)
    choice = choose(None, "toy:train")
    assert list(obstacles(choice, os.environ, imports=False)) == []
    [said] = obstacles(choice, os.environ, imports=True)
    assert (said.kind, said.key) == (kind, ("program",))
    assert found in said.message


def test_what_nobody_named_is_said_to_be_the_shipped_trainer():
    """Where other code lies about, a launch may still be told to take that."""
    trainer = declared(None, "trainer/train.py")
    assert trainer
    [said] = against(sweep(OTHERS), trainer, unsaid=True)
    assert said.message == (
        "the file names no `program:`, and trainer.train:train, the shipped trainer, has no parameter 'lr'"
    )
    assert said.fix.startswith("add `program:` with your own trainer; else ")
    assert (said.kind, said.key) == ("wrong", ("parameters", "lr"))
    assert [one.kind for one in against(sweep(OTHERS), trainer, unsaid=True, others=True)] == ["unsaid"]
    [named] = against(sweep(OTHERS), trainer)
    assert named.message == "trainer.train:train has no parameter 'lr'"


def test_a_launch_says_what_it_takes_and_why():
    """The shipped trainer only for parameters that it knows."""
    assert str(settle(sweep(OURS), None, os.environ)) == (
        "trainer.train:train, the shipped one: the file names no program"
    )
    Path("toy.py").write_text(FUNCTION)
    assert str(settle(sweep(OTHERS), "toy:train", os.environ)) == "toy:train, as --trainer says"
    assert str(settle(sweep(OTHERS + "program: toy:train\n"), None, os.environ)).startswith("toy:train, as the file")
    assert settle(sweep(OURS), "trainer.train:train", os.environ).target == "trainer.train:train"


@pytest.mark.parametrize(
    ("files", "text", "asked", "found", "fix"),
    [
        ({"toy.py": FUNCTION}, OTHERS, None, "no `program:`, and toy.py lies here", "--trainer toy:train"),
        ({"train.py": FUNCTION + "train()"}, OURS, None, "train.py lies here", "`program: train.py` to its file"),
        ({"train.py": FUNCTION + "train()"}, OURS, None, "train.py lies here", "--trainer trainer.train:train"),
        ({}, OTHERS, None, "has no parameter 'lr'", "--trainer package.module:function"),
        ({"helper.py": ""}, OTHERS.replace("lr", "learning_rat"), None, "no parameter 'learning_rat'", "learning_rate"),
        ({}, OTHERS + "program: gone.py\n", None, "no file 'gone.py' here", "run from the folder"),
        ({}, OTHERS + "program: trainer/train.py\n", None, "has no parameter 'lr'", "choose from"),
        ({"toy.py": FUNCTION}, OTHERS, "toy:tarin", "toy has no function 'tarin'", "did you mean"),
    ],
)
def test_a_launch_that_cannot_be_meant_takes_no_run(files, text, asked, found, fix):
    """It ends before a worker starts."""
    for name, content in files.items():
        Path(name).write_text(content)
    with pytest.raises(TrainerError) as caught:
        settle(sweep(text), asked, os.environ)
    assert found in caught.value.message
    assert fix in caught.value.hint


def test_of_several_scripts_with_other_names_none_is_clearly_meant():
    """A launch may be told; a single one is."""
    Path("one.py").write_text(FUNCTION + "train()\n")
    assert [said.kind for said in beside([Path()])] == ["wrong"]
    Path("two.py").write_text(FUNCTION + "train()\n")
    assert [said.kind for said in beside([Path()])] == ["unsaid"]
