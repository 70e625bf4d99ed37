"""A file that holds the key for a server, as `--key-file` names it."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from sweeper.errors import BackendError
from sweeper.machine_errors import refusal


def read_key(file: Path) -> str:
    """Read the key in a file; `-` reads a line of standard input.

    Raises:
        BackendError: It cannot be read, or holds something else.
    """
    alone = "give a file that holds the key alone"
    try:
        key = (sys.stdin.readline() if str(file) == "-" else file.read_text(encoding="utf-8")).strip()
    except PermissionError as error:
        raise BackendError(refusal(error).message, _let_in(file)) from error
    except (OSError, ValueError) as error:
        raise BackendError(f"cannot read a key from {file}: {error}", alone) from error
    if not re.fullmatch(r"\S{20,}", key):
        raise BackendError(f"{file} holds no key", alone)
    return key


def _let_in(file: Path) -> str:
    """Say how a user, who in a container is often a number that the machine outside does not know, may read a file."""
    number = os.geteuid()
    return (
        f"let user {number} read it: chown {number} {file}, or chmod 644 in a folder that only you may enter; "
        f"a secret of Kubernetes wants fsGroup: {number}"
    )
