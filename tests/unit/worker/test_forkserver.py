"""Where the processes of runs come from."""

from __future__ import annotations

import importlib.util

from sweeper.worker.forkserver import OWN, SDK, TORCH, TRAINER, preloads
from sweeper.worker.spec import Slot, WorkerSpec


def spec(**more) -> WorkerSpec:
    slot = Slot(name="cpu0", device="", threads=1)
    return WorkerSpec(
        **{"sweep": "e/p/s", "trainer": "pkg.train:main", "count": 1, "directory": "/", **more}, slot=slot
    )


def test_every_module_that_is_named_for_the_forkserver_is_there():
    """It skips a name that it does not find, and every run would be slower by what that name was for."""
    names = (*OWN, *SDK, TORCH[0], TRAINER)  # to look for torch._dynamo imports torch, which takes seconds
    assert [name for name in names if importlib.util.find_spec(name) is None] == []


def test_the_bond_to_the_worker_comes_first():
    """A worker that is killed while torch is imported would leave the forkserver behind."""
    assert preloads(spec())[0] == "sweeper.worker.preload"


def test_the_trainers_module_is_imported_once_for_all_runs():
    """A script is a program of its own: nothing of it, nor torch, is imported for it."""
    assert preloads(spec())[-1] == TRAINER
    assert preloads(spec(script=True, trainer="train.py")) == [*OWN, *SDK]
