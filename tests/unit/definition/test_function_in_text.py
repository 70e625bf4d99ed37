"""Functions, looked for in the text of their module."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from sweeper.definition.function_in_text import obstacles_of
from sweeper.definition.obstacle import Obstacle
from sweeper.definition.program import choose


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def look(target: str, text: str | None = None, *, asked: bool = False) -> list[Obstacle]:
    if text is not None:
        Path("toy.py").write_text(text)
    return list(obstacles_of(choose(target if asked else None, None if asked else target)))


@pytest.mark.parametrize(
    "text",
    [
        "def train(): ...",
        "def train(epochs=3, *args, **more): ...",
        "if True:\n    def train(): ...\nelse:\n    train = None",
        "from net import fit as train",
        "from net import *",
        "import train",
        "train = make()",
        "class train: ...",
        "@decorated\ndef train(config): ...",
        "@decorated\nasync def train(): ...",
        "globals()['tra' + 'in'] = print",
        "def __getattr__(name): ...",
        "def train():\n    def inner():\n        yield 3\n    return [(yield_ for yield_ in inner())]",
        "def train():\n    return lambda: (yield)",
    ],
)
def test_a_function_that_may_be_there_is_not_held_up(text):
    """What a text does not show, the import tells."""
    assert look("toy:train", text) == []


@pytest.mark.parametrize(
    ("target", "text", "kind", "found", "fix"),
    [
        ("toy:tarin", "def train(): ...", "wrong", "toy has no function 'tarin'", "did you mean `train`?"),
        ("toy:train", "x = 3", "wrong", "toy has no function 'train'", "name a script"),
        ("toy:train", "def train(config): ...", "wrong", "wants arguments: config", "without arguments"),
        ("toy:train", "def train(*, lr): ...", "wrong", "wants arguments: lr", "without arguments"),
        ("toy:train", "async def train(): ...", "wrong", "is a coroutine", "wait until it returns"),
        ("toy:train", "def train():\n    for x in y:\n        yield x", "wrong", "is a generator", "wait until"),
        ("toy:train", "def train(:", "wrong", "toy.py, line 1: SyntaxError", "mend"),
        ("toy.py:train", "def train(): ...", "wrong", "is not a function", "write toy:train"),
        ("toy:train()", "def train(): ...", "wrong", "is not a function", "write toy:train"),
        ("toy.py:train()", "def train(): ...", "wrong", "is not a function", "write toy:train"),
        ("src/toy:train", None, "wrong", "is not a function", "write src.toy:train"),
        ("train.py", None, "wrong", "is not a function", "`program: train.py`"),
        (":train", None, "wrong", "is not a function", "package.module:function"),
        ("json:", None, "wrong", "is not a function", "package.module:function"),
        ("my_train", None, "wrong", "is not a function", "package.module:function"),
        ("nowhere:train", None, "missing", "no module 'nowhere' here", "run from the folder"),
        ("json.nowhere:train", None, "missing", "no module 'json.nowhere' here", "run from the folder"),
    ],
)
def test_a_function_that_no_agent_can_call_is_named(target, text, kind, found, fix):
    """Whoever named it: the file or the user."""
    [said] = look(target, text, asked=True)
    assert (said.kind, said.key) == (kind, ())
    assert found in said.message
    assert fix in said.fix
    if ":" in target:
        assert [one.key for one in look(target, text)] == [("program",)]


def test_the_shipped_trainer_is_refused_where_it_cannot_run(monkeypatch):
    """Without its extra a launch says at once which command brings it; a trainer of the user's own needs nothing."""
    assert look("trainer/train.py") == []
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    [said] = look("trainer/train.py")
    assert (said.kind, said.message) == ("missing", "the shipped trainer needs onnxruntime: not installed here")
    assert "pip install 'sweeper[trainer]'" in said.fix
    assert look("json:dumps", asked=True)[0].message == "json:dumps wants arguments: obj"
    Path("trainer").mkdir()
    Path("trainer/train.py").write_text("def train(): ...")
    assert look("trainer.train:train", asked=True) == []


@pytest.mark.parametrize(
    "line",
    ["x = " + "+".join("1" * 20_000), "x = " + "-" * 90_000 + "1", "x = a" + ".b()" * 3000, "x = a" + ".b()" * 150],
)
def test_code_that_is_nested_deep_may_be_right(line):
    """What our parser cannot read, and what is only just not too deep for it."""
    assert look("toy:train", f"def train():\n    {line}\n") == []
