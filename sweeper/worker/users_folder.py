"""The folder that the user stands in, put first on the path right before the trainer is imported.

Nowhere else: in a stranger's folder, a `click.py` may lie in wait for what imports that.
"""

import sys
from pathlib import Path


def come_first() -> None:
    """Have modules of the current folder win over installed ones, as in `python -m`."""
    here = str(Path.cwd())
    if sys.path[:1] != [here]:
        sys.path.insert(0, here)
