"""What a report reads from a real server."""

from __future__ import annotations

import json
import os

import pytest

from sweeper.backend import choose
from sweeper.results.report.assembly import assemble
from sweeper.results.report.reading import read_sweep
from sweeper.settings import Settings


@pytest.mark.usefixtures("environ")
@pytest.mark.parametrize("own", [True, False])
def test_curves_and_the_best_runs_machine_are_read(embedded, own):
    """By questions of ours, and over the SDK as from W&B's cloud; the machine is as the SDK noted it with the run."""
    os.environ["SWEEPER_HOME"] = str(embedded.home)
    ref, runs = embedded.sweep(0, 0, 1)
    embedded.wire.upload(runs[0], "wandb-metadata.json", json.dumps({"gpu": "NVIDIA H200"}).encode())
    embedded.wire.upload(runs[0], "requirements.txt", b"torch==2.9.1\n")
    settings = Settings.from_env()
    backend = choose.connect(settings, choose.chosen_backend(settings, "local"))
    read = read_sweep(ref, settings, backend if own else None)
    assert set(read.curves) == set(runs)
    assert read.curves[runs[0]] == ((1, 0.1),)
    assert read.made_on == (("GPU", "NVIDIA H200"), ("torch", "2.9.1"))
    assert read.local is own
    report = assemble(read)
    assert report.status.standing.best.id == runs[0]
    assert "Where runs ran" in report.unknown[0]
