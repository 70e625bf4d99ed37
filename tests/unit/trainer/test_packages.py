"""The list of packages that a run was made with."""

from __future__ import annotations

from importlib.metadata import distributions
from pathlib import Path

import pytest
import wandb
from wandb.util import working_set

from trainer.packages import INSTALLED, save_packages, settings


def test_the_list_is_the_sdks_own() -> None:
    """Name and version of every package, as `wandb.init` would list them."""
    theirs = {f"{package.key}=={package.version}" for package in working_set()}
    assert set(INSTALLED.splitlines()) == theirs
    assert len(theirs) > 50
    assert len(list(distributions())) >= len(theirs)


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")
def test_a_run_keeps_it_once(wandb_offline: Path) -> None:
    """It lies where W&B puts its own, which is left out: a second one would cost each run a tenth of a second."""
    with wandb.init(project="packages", settings=settings()) as run:
        folder = Path(run.dir)
        assert not (folder / "requirements.txt").exists()
        save_packages(run)
    (file,) = wandb_offline.glob("wandb/offline-run-*/files/requirements.txt")
    assert file.read_text(encoding="utf-8") == INSTALLED
