"""A Slurm that only says what a test has it say: commands on PATH that note how they were called."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

NAMES = ("sbatch", "squeue", "scancel", "scontrol", "sinfo", "srun")


class SaidSlurm:
    """Slurm's commands, as a test wants them to answer.

    Attributes:
        folder: Where they lie; first on PATH.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        for name in NAMES:
            self.says(name, "")

    def says(self, name: str, text: str, *, code: int = 0, error: str = "") -> None:
        """Have a command print this, and end so."""
        for stream, said in (("out", text), ("err", error)):
            (self.folder / f"{name}.{stream}").write_text(said)
        script = f'#!/bin/sh\necho {name} "$@" >> {self.folder}/asked\ncat {self.folder}/{name}.out\n'
        script += f"cat {self.folder}/{name}.err >&2\nexit {code}\n"
        (self.folder / name).write_text(script)
        (self.folder / name).chmod(0o755)

    def asked(self, name: str = "") -> list[str]:
        """List how commands were called."""
        file = self.folder / "asked"
        lines = file.read_text().splitlines() if file.exists() else []
        return [line for line in lines if line.startswith(name)]


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> SaidSlurm:
    folder = tmp_path / "slurm"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return SaidSlurm(folder)


@pytest.fixture
def no_slurm(tmp_path, monkeypatch) -> Callable[[], None]:
    """A machine without Slurm's commands."""
    monkeypatch.setenv("PATH", str(tmp_path))
    return lambda: None
