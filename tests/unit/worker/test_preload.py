"""What is imported once for all runs of a machine."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import textwrap

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


@pytest.fixture
def imported(tmp_path):
    """Tell which of the user's modules, and of a torch that costs no time, are imported for a trainer's module."""
    for name in ("torch", "torch/_dynamo", "torch/optim"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").touch()

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
    """torch._dynamo, for 1.7 s at the first optimizer of every process."""
    assert imported("one", {"one.py": "import torch.optim\n"}) == {"one", "torch", "torch._dynamo"}


def test_a_module_can_say_what_to_import(imported):
    """Instead of what its file looks like: it may use no optimizer, or import something that takes long."""
    text = "PRELOAD = ('torch.optim', 'heavy')\ndef train():\n    import mine\n"
    files = {"two.py": text, "heavy.py": "", "mine.py": ""}
    assert imported("two", files) == {"two", "torch", "heavy"}


def test_a_name_that_a_module_says_wrongly_is_told(tmp_path):
    """In the launch's log: every run would import it by itself, or nobody would ever miss it. One name is one name."""
    (tmp_path / "three.py").write_text("PRELOAD = 'json.tool'\n")
    (tmp_path / "four.py").write_text("PRELOAD = ('nowhere',)\n")
    code = "import sys; from sweeper.worker import preload; preload.import_trainer('three')\n"
    code += "assert 'json.tool' in sys.modules; preload.import_trainer('four')"
    done = subprocess.run([sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    said = "cannot import nowhere (PRELOAD of four): ModuleNotFoundError: No module named 'nowhere'\n"
    assert done.stderr == said


def test_a_module_that_cannot_be_imported_ends_nothing(imported):
    """A run's process tries again, and tells why."""
    assert imported("wrong", {"wrong.py": "import torch\nraise SystemExit(3)\n"}) == {"torch"}
    assert imported("half", {"half.py": "def train():\n    import torch.nowhere\n"}) == {"half", "torch"}


def test_installed_packages_are_listed_once(tmp_path):
    """Every run would read the metadata of all of them, 0.1 s: also where a trainer changes the path, or fails."""
    (tmp_path / "other.py").write_text("import sys\nsys.path.append('/nowhere')\nraise ValueError\n")
    code = """
    import importlib.metadata, sys
    from sweeper.worker import preload, users_folder
    preload.import_sdk()
    print(str(sys.path[:1]) == str([__import__("os").getcwd()]))
    listings = []
    importlib.metadata.distributions = lambda *_, **__: listings.append(1) or []
    import wandb.util
    users_folder.come_first()
    list(wandb.util.working_set())
    print(len(listings))
    preload.import_trainer("other")
    list(wandb.util.working_set())
    print(len(listings))
    """
    command = [sys.executable, "-P", "-c", textwrap.dedent(code)]
    done = subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True, check=True)
    assert done.stdout.split() == ["False", "0", "1"]
