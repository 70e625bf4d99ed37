"""Where a run ran: what the SDK notes of machine, code and command in `wandb-metadata.json` (0.31.0)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import Any

from sweeper.readable import size
from sweeper.server.errors import RequestError
from sweeper.server.store.run_files import FileStore

NOTED = "wandb-metadata.json"
MOST = 2**20
"""Bytes of it that are read; the SDK writes some KB."""
_PLAIN = (
    ("host", "host"),
    ("username", "user"),
    ("os", "system"),
    ("python", "Python"),
    ("gpu", "GPU"),
    ("cpu_count", "CPU cores"),
)


def read(files: FileStore, entity: str, project: str, run: str) -> dict[str, str]:
    """Give what is known of a run's machine, code and command, by what a person calls it.

    Args:
        files: Where files of runs lie.
        entity: The run's entity.
        project: Its project.
        run: Its id.
    """
    try:
        place = files.locate(entity, project, run, NOTED)
        noted = json.loads(_text(place))
    except (OSError, ValueError, RecursionError, RequestError):  # none was uploaded, or something else under that name
        return {}
    return told(noted) if isinstance(noted, dict) else {}


def _text(place: Path) -> bytes:
    with place.open("rb") as file:
        return file.read(MOST)


def told(noted: Mapping[str, Any]) -> dict[str, str]:
    """Put into words what the SDK has noted; what is not of the form it writes is left out."""
    found = {word: str(noted[key]) for key, word in _PLAIN if isinstance(noted.get(key), str | int)}
    if isinstance(count := noted.get("gpu_count"), int) and "GPU" in found:
        found["GPU"] = f"{count} x {found['GPU']}" if count > 1 else found["GPU"]
    if isinstance(memory := noted.get("memory"), dict) and (total := _whole(memory.get("total"))) is not None:
        found["memory"] = size(total)
    git = noted.get("git")
    if isinstance(git, dict):
        found |= {word: str(git[key]) for key, word in (("commit", "commit"), ("remote", "repository")) if git.get(key)}
    if command := _command(noted):
        found["command"] = command
    return found


def _whole(value: object) -> int | None:
    """Read a number that may stand as text."""
    return int(value) if isinstance(value, str | int) and str(value).isdecimal() else None


def _command(noted: Mapping[str, Any]) -> str:
    """Write the command as a shell takes it."""
    program, args = noted.get("program"), noted.get("args")
    words = [program] if isinstance(program, str) else []
    words += [word for word in args if isinstance(word, str)] if isinstance(args, list) else []
    return " ".join(map(quote, words))
