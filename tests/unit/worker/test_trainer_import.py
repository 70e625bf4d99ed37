"""A trainer is found, or what is wrong with it is said in its user's words, before a run is taken."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

from sweeper.errors import TrainerError
from sweeper.worker.trainer_import import load_trainer


@pytest.fixture(autouse=True)
def own_path(monkeypatch, tmp_path):
    """A folder to write modules into; what the import of a trainer changes of this process is changed back."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "argv", ["pytest"])
    yield
    for name in [name for name in sys.modules if name.startswith("toy_")]:
        del sys.modules[name]


def refusal(target: str) -> str:
    with pytest.raises(TrainerError) as caught:
        load_trainer(target)
    return f"{caught.value.message}; {caught.value.hint}"


@pytest.mark.parametrize("target", ["nowhere.at_all:train", "json:no_such_function", "json:__doc__"])
def test_a_trainer_that_is_none_is_named(target):
    """Module or function, the error says which is missing."""
    with pytest.raises(TrainerError, match=r"nowhere\.at_all|no_such_function|__doc__"):
        load_trainer(target)


def test_a_trainer_is_anything_that_can_be_called_without_arguments():
    """`package.module:function` is enough; so is a class, and what is written in C."""
    assert load_trainer("os:getpid")() > 0
    assert load_trainer("collections:OrderedDict")() == {}


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("def train(:\n", "cannot import toy_bad: SyntaxError: invalid syntax (toy_bad.py, line 1)"),
        ("if True:\nx = 1\n", "IndentationError: expected an indented block"),
        ("x = 1\nraise ValueError('no data')\n", "cannot import toy_bad: ValueError: no data (toy_bad.py, line 2)"),
        ("import no_such_thing\n", "ModuleNotFoundError: No module named 'no_such_thing' (toy_bad.py, line 1)"),
        ("import sys\nsys.exit(3)\n", "importing toy_bad calls sys.exit(3) (toy_bad.py, line 2)"),
        ("class Odd(BaseException): pass\nraise Odd('x')\n", "cannot import toy_bad: Odd: x (toy_bad.py, line 2)"),
        ("async def train(): pass\n", "toy_bad:train is an async function"),
        ("def train():\n    yield 1\n", "toy_bad:train has a `yield`"),
        ("def train(config): pass\n", "toy_bad:train(config) cannot be called without arguments"),
        ("class train:\n    def __init__(self, lr): pass\n", "toy_bad:train(lr) cannot be called without arguments"),
    ],
)
def test_what_is_wrong_with_a_trainer_is_said_with_its_place(tmp_path, code, said):
    """The user's own error, file and line."""
    (tmp_path / "toy_bad.py").write_text(code)
    assert said in refusal("toy_bad:train")


def test_a_module_of_pythons_own_is_told_from_the_users(tmp_path):
    """A file of that name is never found."""
    (tmp_path / "json.py").write_text("def train(): pass\n")
    assert "json is a module of Python itself" in refusal("json:train")


def test_a_trainer_that_parses_arguments_finds_none(tmp_path):
    """Not those of the worker; the program's name is the module's."""
    code = """
        import argparse

        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=0.1)
        early = parser.parse_args()

        def train():
            return early, parser.parse_args()
        """
    (tmp_path / "toy_args.py").write_text(textwrap.dedent(code))
    sys.argv = ["worker", "orders.json"]
    assert [found.lr for found in load_trainer("toy_args:train")()] == [0.1, 0.1]
    assert sys.argv == [str(tmp_path / "toy_args.py")]


def test_a_module_that_trains_while_it_is_imported_is_no_trainer(tmp_path):
    """It would train for hours in a run that belongs to no sweep: whoever imports it is told while it does."""
    (tmp_path / "wandb.py").write_text("run = None\n")  # the SDK, as far as the import looks at it
    (tmp_path / "toy_trains.py").write_text("import time, wandb\nwandb.run = object()\ntime.sleep(60)\n")
    code = "import os, sys; from sweeper.worker.trainer_import import load_trainer\n"
    code += "load_trainer('toy_trains:train', on_run=lambda error: (print(error, flush=True), os._exit(7)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 7
    assert (
        "importing toy_trains calls wandb.init, before there is a run: put what trains into a function" in done.stdout
    )
