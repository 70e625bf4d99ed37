"""A copy of the project in which one mutant at a time lives."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

import psutil

from tests.mutants.mutant import ROOT, Mutant

_COPIED = ("sweeper", "trainer", "tests", "docs", "sweeps", "benchmarks", "docker")
_MARK = "MUTANT_TREE"
_IN_FAVOUR = {0: "missed", 1: "caught", 2: "caught"}  # 2: a module that the tests import does not load any more
TIMEOUT_S = 300
"""A mutant whose tests take longer hangs, which is noticed."""


class Tree:
    """A copy of the project, and what its tests say of a mutant.

    Attributes:
        root: Its folder.
    """

    def __init__(self, folder: Path, source: Path = ROOT) -> None:
        self.root = folder / "tree"
        self._temporary = folder / "tmp"
        self._temporary.mkdir(parents=True)
        for name in _COPIED:
            if (source / name).is_dir():
                shutil.copytree(source / name, self.root / name, symlinks=True)
        for file in source.iterdir():
            if file.is_file() and file.suffix != ".onnx":
                shutil.copy2(file, self.root / file.name)
        self._times = itertools.count(1_000_000_000)

    @classmethod
    @contextlib.contextmanager
    def copied(cls, folder: Path, source: Path = ROOT) -> Iterator[Self]:
        """Copy the project; remove the copy in the end."""
        try:
            yield cls(folder, source)
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def judge(self, mutant: Mutant, *, timeout_s: float = TIMEOUT_S) -> str:
        """Run a mutant's tests with its fault in place: "caught", "missed", or what kept them from running."""
        file = self.root / mutant.file
        text = file.read_text(encoding="utf-8")
        self._write(file, mutant.applied(text))
        try:
            code, output = self.test(mutant.noticed_by, timeout_s=timeout_s)
        finally:
            self._write(file, text)
        return _IN_FAVOUR.get(code, f"not judged\n{output}")

    def test(self, tests: Sequence[str], *options: str, timeout_s: float = TIMEOUT_S) -> tuple[int, str]:
        """Run tests here, as `make test` would; give pytest's exit code (1 if they hang) and what it printed."""
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", *options, *tests]
        environ = os.environ | {"PYTHONPATH": str(self.root), "TMPDIR": str(self._temporary), _MARK: str(self.root)}
        environ.pop("COLUMNS", None)
        printed = self._temporary / "printed"  # no pipe: a server that a test leaves behind would hold it open
        try:
            with printed.open("w") as file:
                done = subprocess.run(
                    command, cwd=self.root, env=environ, stdout=file, stderr=subprocess.STDOUT, timeout=timeout_s
                )
        except subprocess.TimeoutExpired:
            return 1, f"no end after {timeout_s:.0f} s"
        finally:
            self._end_what_is_left()
        return done.returncode, printed.read_text(encoding="utf-8", errors="replace")[-4000:]

    def _write(self, file: Path, text: str) -> None:
        """Write a module at a second of its own, or Python would take what it compiled for the last mutant."""
        file.write_text(text, encoding="utf-8")
        second = next(self._times)
        os.utime(file, (second, second))

    def _end_what_is_left(self) -> None:
        """End the servers and workers of tests that a mutant kept from ending them."""
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error):
                if process.environ().get(_MARK) == str(self.root):
                    process.kill()
