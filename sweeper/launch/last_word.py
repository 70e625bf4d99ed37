"""Why a worker gave up: the last thing that its log says."""

from __future__ import annotations

import sys
from pathlib import Path

from sweeper.worker.run_log import tail


def last_word(log: Path) -> str:
    """Read why a worker gave up, and where it says so."""
    lines = [line for line in tail(log).splitlines() if line.strip()]
    why = lines[-1] if lines else "it ended without a word"
    hiding = _hiding(Path.cwd()) if "Error" in why else ""
    return f"{why}{hiding} (log: {log})"


def _hiding(folder: Path) -> str:
    """Name the files of a folder that hide modules of Python's own, which what breaks in a worker may be due to."""
    names = sorted(path.name for path in folder.glob("*.py") if path.stem in sys.stdlib_module_names)
    return f"; {', '.join(names)} in this folder hides a module of Python: give it another name" if names else ""
