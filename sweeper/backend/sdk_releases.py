"""What releases of the SDK do otherwise, as far as that has to be known before one is imported."""

from __future__ import annotations

import re
from functools import lru_cache
from importlib import metadata


@lru_cache(maxsize=1)
def installed() -> str:
    """Give the version of this process's SDK; empty where there is none."""
    try:
        return metadata.version("wandb")
    except metadata.PackageNotFoundError:
        return ""


def release(version: str) -> tuple[int, ...]:
    """Give the major and the minor number of a version."""
    return tuple(map(int, re.findall(r"\d+", version)[:2]))


def reads_headers(version: str) -> bool:
    """Whether it reads headers in its environment: in 0.19 and 0.20 every `wandb.init` fails of them."""
    return not (0, 19) <= release(version) < (0, 21)


def disabled_knows_sweeps(version: str) -> bool:
    """Whether a disabled run takes a sweep's parameters over the trainer's defaults; before 0.27 both make it fail."""
    return release(version) >= (0, 27)
