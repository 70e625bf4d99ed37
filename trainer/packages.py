"""Which packages a run was made with: read once for all runs of a machine, written into each.

`wandb.init` would read the metadata of every installed package anew, 0.1 s of each run (wandb 0.31, 130 packages).
"""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import wandb


def _installed() -> str:
    found = {(package.metadata["Name"], package.version) for package in distributions()}
    return "".join(f"{name}=={version}\n" for name, version in sorted(found, key=str))


INSTALLED = _installed()
"""When this module is imported, which `sweeper launch` does before it forks: lines of a requirements.txt."""


def settings() -> wandb.Settings:
    """Have `wandb.init` leave its own list out."""
    import wandb

    return wandb.Settings(x_save_requirements=False)


def save_packages(run: wandb.Run) -> None:
    """Keep the list with the run, as the file that W&B calls so."""
    path = Path(run.dir) / "requirements.txt"
    path.parent.mkdir(parents=True, exist_ok=True)  # WANDB_MODE=disabled makes none
    path.write_text(INSTALLED, encoding="utf-8")
    run.save(path, base_path=path.parent, policy="end")
