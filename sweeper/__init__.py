"""W&B Sweeps that run anywhere: the unmodified wandb SDK, every GPU, no account and no network."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sweeper.definition.sweep_definition import SweepDefinition as SweepDefinition
    from sweeper.errors import SweeperError as SweeperError
    from sweeper.ref import SweepRef as SweepRef

__version__ = "0.1.0"

_HOMES = {"SweepDefinition": "sweeper.definition", "SweepRef": "sweeper.ref", "SweeperError": "sweeper.errors"}


def __getattr__(name: str) -> object:
    """Import a public name where it is first used: `sweeper --help` needs none of them."""
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'sweeper' has no attribute {name!r}")
