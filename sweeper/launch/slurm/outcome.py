"""How a launch ended that nobody stayed with: the head writes it down, and whoever looks later reads it."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

from sweeper import private_files
from sweeper.journal.directories import LaunchDir
from sweeper.launch.launch_result import LaunchResult


def file(directory: LaunchDir) -> Path:
    """Name the file in a launch's folder."""
    return directory.path / "result.json"


def write(directory: LaunchDir, result: LaunchResult) -> None:
    """Write down how a launch ended; its runs stand in the folder already.

    Raises:
        OSError: It cannot be written.
    """
    told = {name: value for name, value in asdict(result).items() if name != "runs"}
    private_files.replace(file(directory), json.dumps(told))


def read(directory: LaunchDir) -> LaunchResult | None:
    """Read how a launch ended; None as long as it has not."""
    try:
        told = json.loads(file(directory).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    return LaunchResult(**told, runs=tuple(directory.attempts().values()))
