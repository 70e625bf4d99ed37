"""What is imported once for all runs of a machine."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

from sweeper.worker.preload import OWN, SDK


def test_every_module_that_is_named_is_there():
    """A name that is not found is skipped, and every run would be slower by what it was for."""
    assert [name for name in (*OWN, *SDK) if importlib.util.find_spec(name) is None] == []


LOOK = """
import sys
from sweeper.worker.preload import import_trainer
before = set(sys.modules)
import_trainer(sys.argv[1])
print(*sorted(set(sys.modules) - before))
"""

TORCH_OPTIM = """
import functools

def add(self): pass

class Optimizer:
    @functools.wraps(add)
    def add_param_group(self): pass
"""


@pytest.fixture
def imported(tmp_path):
    """Tell which of the user's modules, and of a torch that costs no time, are imported for a trainer's module."""
    for name in ("torch", "torch/_dynamo", "torch/optim"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()
    (tmp_path / "torch" / "optim" / "__init__.py").write_text(TORCH_OPTIM)

    def imported(trainer: str, files: dict[str, str]) -> set[str]:
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).write_text(text)
        command = [sys.executable, "-P", "-c", LOOK, trainer]
        done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
        mine = {name.removesuffix(".py").replace("/", ".") for name in files}
        return set(done.stdout.split()) & {"torch", "torch._dynamo", *mine}

    return imported


def test_torch_is_imported_where_the_trainers_file_asks_for_it(imported):
    """At its top or in a function: each run would import it otherwise. Who never asks for it waits for nothing."""
    assert imported("plain", {"plain.py": "def train(): pass\n"}) == {"plain"}
    assert imported("top", {"top.py": "import torch\n"}) == {"top", "torch"}
    assert imported("inner", {"inner.py": "def train():\n    from torch import nn\n"}) == {"inner", "torch"}


def test_modules_of_the_trainers_own_package_are_imported_too(imported):
    """However it names them; what it imports of others in a function may be for few of its runs."""
    text = "def train():\n    from mine.loop import fit\n    from .data import load\n    import other\n"
    files = {"mine/__init__.py": "", "mine/loop.py": "", "mine/data.py": "", "other.py": "", "mine/train.py": text}
    assert imported("mine.train", files) == {"mine.train", "mine.loop", "mine.data"}


def test_what_an_optimizer_would_import_is_imported_with_it(imported):
    """torch._dynamo, for 1.7 s at the first optimizer of every process; a trainer may have made that needless."""
    assert imported("one", {"one.py": "import torch.optim\n"}) == {"one", "torch", "torch._dynamo"}
    text = (
        "from torch.optim import Optimizer\nadd = Optimizer.add_param_group.__wrapped__\nadd.__dynamo_disable = add\n"
    )
    assert imported("two", {"two.py": text}) == {"two", "torch"}


def test_a_module_that_cannot_be_imported_ends_nothing(imported):
    """A run's process tries again, and tells why."""
    assert imported("wrong", {"wrong.py": "import torch\nraise SystemExit(3)\n"}) == {"torch"}
    assert imported("half", {"half.py": "def train():\n    import torch.nowhere\n"}) == {"half", "torch"}
