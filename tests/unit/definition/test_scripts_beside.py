"""Scripts that look like the trainer of a file that names none."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from sweeper.definition.scripts_beside import any_code, find, required_arguments

INIT = "import wandb\n\n"
FUNCTION = INIT + "def train():\n    with wandb.init() as run:\n        run.log({'loss': 1})\n"
SCRIPT = INIT + "run = wandb.init()\nrun.log({'loss': 1})\n"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "text", "program"),
    [
        ("train.py", SCRIPT, "train.py"),
        ("anything.py", SCRIPT, "anything.py"),
        ("train.py", FUNCTION, "train:train"),
        ("mine.py", FUNCTION, "mine:train"),
        ("my-net.py", FUNCTION, "my-net.py"),
        ("mine.py", FUNCTION + "\nif __name__ == '__main__':\n    train()\n", "mine.py"),
        ("mine.py", FUNCTION + "\ntrain()\n", "mine.py"),
        ("main.py", "from net import fit\n\ndef main():\n    fit()\n\nmain()\n", "main.py"),
        ("run.py", "def main():\n    pass\n", "run:main"),
        ("train.py", "trainer = make(logger='wandb')\ntrainer.fit()\n", "train.py"),
        ("train.py", "def broken(:\n", "train.py"),
        ("train_net.py", SCRIPT, "train_net.py"),
        ("all.py", FUNCTION + "\nwandb.agent(wandb.sweep({}), function=train)\n", "all:train"),
        ("trainer/train.py", SCRIPT, "trainer/train.py"),
    ],
)
def test_a_script_is_named_as_program_should_name_it(name, text, program):
    """The script where starting it trains, else the function that an agent can call."""
    Path(name).parent.mkdir(exist_ok=True)
    Path(name).write_text(text)
    [script] = find([Path()])
    assert script.program == program


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("helpers.py", "def train():\n    pass\n"),
        ("plots.py", "import wandb\nwandb.Api()\n"),
        ("sweep.py", INIT + "wandb.sweep({})\n"),
        ("test_train.py", SCRIPT),
        ("conftest.py", SCRIPT),
        ("setup.py", SCRIPT),
        ("broken.py", "wandb def(:\n"),
        ("train.py", "def train(config):\n    pass\n"),
        ("train.txt", SCRIPT),
    ],
)
def test_what_does_not_train_is_not_named(name, text):
    """Helpers, tests, and what starts agents by itself."""
    Path(name).write_text(text)
    assert find([Path()]) == []


def test_the_likeliest_comes_first_and_each_once(folder):
    """A script that starts before a function that waits, a usual name before another."""
    Path("sub").mkdir()
    for name in ("a.py", "main.py", "train.py", "sub/run.py"):
        Path(name).write_text(SCRIPT)
    Path("trainer.py").write_text(FUNCTION)
    found = [str(script.path) for script in find([Path(), folder, Path("sub"), Path("gone")])]
    assert found == ["train.py", "main.py", "sub/run.py", "a.py", "trainer.py"]


def test_any_code_may_hold_a_trainer():
    """But tests and set-up do not."""
    assert not any_code([Path(), Path("gone")])
    Path("setup.py").touch()
    assert not any_code([Path()])
    Path("helpers.py").touch()
    assert any_code([Path()])


@pytest.mark.parametrize(
    ("signature", "needed"),
    [("", []), ("a=1, *, b=2", []), ("*args, **more", []), ("config", ["config"]), ("a, /, b=1, *, c", ["a", "c"])],
)
def test_arguments_without_a_default_have_to_be_given(signature, needed):
    """An agent gives none."""
    [function] = ast.parse(f"def train({signature}): pass").body
    assert isinstance(function, ast.FunctionDef)
    assert required_arguments(function) == needed


@pytest.mark.parametrize(
    "line", ["x = " + "+".join("1" * 20_000), "x = " + "-" * 90_000 + "1", "x = a" + ".b()" * 3000]
)
def test_code_that_is_nested_too_deep_for_the_parser_is_no_obstacle(line):
    """Machines write such files; they are trainers only if they are called so."""
    Path("made.py").write_text(f"import wandb\n{line}\n")
    assert find([Path()]) == []
    Path("made.py").rename("train.py")
    assert [script.program for script in find([Path()])] == ["train.py"]
