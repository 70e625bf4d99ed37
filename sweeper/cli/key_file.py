"""A file that holds the key for a server, as `--key-file` names it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from sweeper.errors import BackendError


def read_key(file: Path) -> str:
    """Read a key from a file, or from standard input for `-`.

    Raises:
        BackendError: The file cannot be read, or holds no key.
    """
    fix = "give a file that holds the key alone"
    try:
        key = sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise BackendError(f"cannot read a key from {file}: {error}", fix) from error
    if not re.fullmatch(r"\S{20,}", key.strip()):
        raise BackendError(f"{file} holds no key", fix)
    return key.strip()
