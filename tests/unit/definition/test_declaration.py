"""What a trainer declares to know; that it is read by a check is tested there."""

from __future__ import annotations

import importlib
import sys
from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, Field

from sweeper.definition.declaration import Declaration, declared
from sweeper.errors import TrainerError
from trainer.config import TrainConfig


class OwnConfig(BaseModel):
    """Knobs of every kind."""

    lr: Annotated[float, Field(gt=0)] = 0.1
    decay: float | None = None
    epochs: int = 3
    name: Literal["a"] = "a"


@dataclass
class PlainConfig:
    """The same as a dataclass."""

    lr: float
    epochs: int = 3


@pytest.mark.parametrize(
    ("config", "reals", "others"),
    [
        (OwnConfig, ["lr", "decay"], ["epochs", "name", "nonsense"]),
        (PlainConfig, ["lr"], ["epochs"]),
        (TrainConfig, ["learning_rate", "dropout", "rotate", "weight_decay"], ["epochs", "kernels", "watch"]),
        (None, [], ["lr"]),
    ],
)
def test_real_numbers_are_known_by_their_types(config, reals, others):
    """Whatever stands around the type: limits, None."""
    trainer = Declaration("m:f", config)
    assert all(map(trainer.takes_real, reals))
    assert not any(map(trainer.takes_real, others))


def test_a_file_of_the_same_name_is_not_the_shipped_trainer(tmp_path, monkeypatch):
    """Somebody else's trainer/train.py is not judged by what ours declares."""
    (tmp_path / "trainer").mkdir()
    (tmp_path / "trainer" / "train.py").write_text("")
    assert declared(None, "trainer/train.py") is not None
    monkeypatch.chdir(tmp_path)
    assert declared(None, "trainer/train.py") is None
    assert declared(None, None) is None


def test_a_module_that_ends_the_program_is_told(tmp_path, monkeypatch):
    """A script without a main guard calls sys.exit when it is imported: that must not end the check in silence."""
    (tmp_path / "own_exits.py").write_text("raise SystemExit(0)\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(TrainerError, match="cannot import own_exits: SystemExit: 0"):
        declared("own_exits:train", None)


@pytest.mark.parametrize("place", ["trainer/__init__.py", "trainer/train.py", "trainer.py"])
def test_what_bears_the_shipped_trainers_name_is_not_imported_to_check_a_file(tmp_path, monkeypatch, place):
    """It may be a stranger's folder: only a launch runs what lies there."""
    (tmp_path / "trainer").mkdir()
    (tmp_path / place).write_text("raise SystemExit('ran')")
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.partition(".")[0] == "trainer"]:
        monkeypatch.delitem(sys.modules, name)
    assert declared(None, "trainer.train:train") is None


def test_only_a_trainer_of_the_users_is_looked_for_in_their_folder(tmp_path, monkeypatch):
    """What the shipped one imports may lie in wait there, under the same name."""
    monkeypatch.chdir(tmp_path)
    looked = []
    monkeypatch.setattr(importlib, "import_module", lambda _name: looked.append(sys.path[0]))
    declared(None, "trainer/train.py")
    declared("own:train", None)
    assert [path == str(tmp_path) for path in looked] == [False, True]
