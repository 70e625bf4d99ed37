"""Where a run's checkpoint lies, whose it is, and that it is whole."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.power_layer.recorded_disk import Recording
from trainer.checkpoint import Checkpoint, CheckpointError

CONFIG = {"learning_rate": 0.01, "seed": 0, "epochs": 2}


class Unsaveable:
    """Ends the writing of a checkpoint in its middle."""

    def __reduce__(self) -> Any:
        raise OSError("no space on the disk")


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    """Whoever shares a folder by mistake is told what differs, and nothing is overwritten."""
    Checkpoint(tmp_path).save({"config": CONFIG})
    with pytest.raises(CheckpointError, match=r"another learning_rate, seed: remove it, or set SWEEPER_CHECKPOINT_DIR"):
        Checkpoint(tmp_path).load({**CONFIG, "seed": 7, "learning_rate": 0.5})
    assert Checkpoint(tmp_path).load(CONFIG) == {"config": CONFIG}


def test_a_checkpoint_is_whole_or_not_there(tmp_path: Path) -> None:
    """A crash while the next one is written leaves the one before."""
    checkpoint = Checkpoint(tmp_path / "new" / "folder")
    assert checkpoint.load({}) is None
    checkpoint.save({"config": {}, "n": 1})

    with pytest.raises(OSError, match="disk"):
        checkpoint.save({"config": {}, "n": 2, "fault": Unsaveable()})
    assert checkpoint.load({}) == {"config": {}, "n": 1}
    checkpoint.remove()
    assert checkpoint.load({}) is None


def test_a_run_has_a_folder_of_its_own_unless_it_is_lent_one(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Alone it keeps its checkpoint in the user's cache; a launcher that can move a run says where."""
    own = Checkpoint.of("abc")
    assert (own.folder, own.lent) == (cache / "sweeper" / "checkpoints" / "abc", False)
    monkeypatch.setenv("SWEEPER_CHECKPOINT_DIR", "/shared/abc")
    assert (Checkpoint.of("abc").folder, Checkpoint.of("abc").lent) == (Path("/shared/abc"), True)


def test_a_run_that_was_begun_before_is_known_before_it_starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether to resume is to be decided before W&B tells the run's id: the folder tells it."""
    monkeypatch.setenv("SWEEPER_CHECKPOINT_DIR", str(tmp_path))
    assert not Checkpoint.waits()
    Checkpoint(tmp_path).save({"config": {}})
    assert Checkpoint.waits()


def test_what_else_lies_in_the_folder_stays(tmp_path: Path) -> None:
    """A folder of the run's own goes with its checkpoint; one with the user's files does not."""
    for folder, others in ((tmp_path / "own", ()), (tmp_path / "lent", ("notes.txt",))):
        checkpoint = Checkpoint(folder)
        checkpoint.save({"config": {}})
        for name in others:
            (folder / name).touch()
        checkpoint.remove()
        assert [path.name for path in folder.glob("*")] == list(others)
        assert folder.exists() == bool(others)


SAVES = """
import sys, torch
from pathlib import Path
from trainer.checkpoint import Checkpoint
checkpoint = Checkpoint(Path(sys.argv[1]) / "run")
for epoch in range(3):
    checkpoint.save({"config": {"lr": 0.1}, "epoch": epoch, "weights": torch.full((3000,), float(epoch))})
"""


def test_after_a_power_cut_a_checkpoint_is_a_whole_one(tmp_path: Path, power_layer: Path) -> None:
    """An older one or none, at any moment; never one that cannot be read, and never half of two."""
    (tmp_path / "root").mkdir()
    recording = Recording(tmp_path / "root", tmp_path / "journal", power_layer)
    environ = {**os.environ, **recording.environ}
    subprocess.run([sys.executable, "-c", SAVES, tmp_path / "root"], env=environ, check=True, timeout=100)
    disk, seen = recording.disk(), set[int | None]()
    for seed in range(60):
        chance = random.Random(seed)
        disk.left(chance.choice([disk.end, chance.randint(1, disk.end)]), tmp_path / str(seed), chance=chance)
        state = Checkpoint(tmp_path / str(seed) / "run").load({"lr": 0.1})
        assert state is None or set(state["weights"].tolist()) == {float(state["epoch"])}
        seen.add(state and state["epoch"])
    assert seen == {None, 0, 1, 2}
