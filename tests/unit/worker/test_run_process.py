"""Inside the process of a run: what it calls, and what it finds around it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from sweeper.worker.run_process import HOLDER_HEADER, environ_of
from sweeper.worker.spec import Slot, WorkerSpec

SPEC = WorkerSpec(
    sweep="e/p/s",
    trainer="a:b",
    slot=Slot(name="gpu1", device="GPU-1,GPU-2", threads=2),
    count=None,
    directory="/somewhere",
)


def test_a_run_sees_its_gpus_and_no_others():
    """Whatever the launch inherited, in nvidia-smi's order; a CPU slot sees none."""
    found = environ_of(SPEC, {"CUDA_VISIBLE_DEVICES": "7"})
    assert found["CUDA_VISIBLE_DEVICES"] == "GPU-1,GPU-2"
    assert found["CUDA_DEVICE_ORDER"] == "PCI_BUS_ID"


def test_a_script_starts_with_our_python():
    """`python` is the one that sweeper runs in, also where no environment is active."""
    assert environ_of(SPEC, {"PATH": "/bin"})["PATH"] == f"{Path(sys.executable).parent}{os.pathsep}/bin"
    assert environ_of(SPEC, {})["PATH"] == str(Path(sys.executable).parent)


def test_each_process_speaks_for_its_run_under_a_name_of_its_own():
    """One that lost its run is heard no more; the user's own headers stay."""
    given = {"WANDB_X_EXTRA_HTTP_HEADERS": '{"X-Mine": "1"}'}
    first, second = (json.loads(environ_of(SPEC, given)["WANDB_X_EXTRA_HTTP_HEADERS"]) for _ in range(2))
    assert first["X-Mine"] == second["X-Mine"] == "1"
    assert first[HOLDER_HEADER] != second[HOLDER_HEADER]
