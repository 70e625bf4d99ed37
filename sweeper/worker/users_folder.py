"""The folder that the user stands in, put first on the path right before the trainer is imported.

Nowhere else: in a stranger's folder, a `click.py` may lie in wait for what imports that.
"""

import sys
from pathlib import Path

_noted: list[str] = []


def come_first() -> None:
    """Have modules of the current folder win over installed ones, as in `python -m`."""
    here = str(Path.cwd())
    if _noted:
        sys.path[:] = _noted
    elif sys.path[:1] != [here]:
        sys.path.insert(0, here)


def note_path() -> None:
    """Keep the path as the trainer's module has left it: it may have added folders, and its runs look there too."""
    _noted[:] = sys.path
