"""A launch's folder, orders for its slots, machines with GPUs, and a module in the place of a worker."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

import sweeper
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.launch.gpus import Found, Gpu, GpuProcess
from sweeper.ref import SweepRef
from sweeper.worker.spec import Slot, WorkerSpec

# Slots say what it does: `done` and `fail` end by themselves, `work` ends
# with its SIGTERM, `deaf` does not, `leave` leaves a process behind.
WORKER = """
import json, os, pathlib, signal, subprocess, sys, time
from sweeper.processes import end_with_parent

def main(orders, method):
    end_with_parent()
    spec = json.loads(orders.read_text())
    name, folder = spec["slot"]["name"], pathlib.Path(spec["directory"])
    print("hello from", name, flush=True)
    (folder / f"{name}.environ").write_text(json.dumps(dict(os.environ)))
    signal.signal(signal.SIGTERM, signal.SIG_IGN if name == "deaf" else lambda *_: sys.exit(0))
    (folder / f"{name}.ready").write_text(str(os.getpid()))
    if name == "leave":
        stray = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
        (folder / "stray").write_text(str(stray.pid))
        os.kill(os.getpid(), signal.SIGKILL)
    if name == "done":
        return 0
    if name == "fail":
        raise ValueError("this worker fails")
    time.sleep(60)
"""


def gpu(index: int, **more) -> Gpu:
    name = f"gpu{index}"
    return Gpu(name=name, index=index, model="H100", uuid=f"GPU-{index}aaa", memory_mib=81559, used_mib=4, **more)


def mig(index: int, number: int) -> Gpu:
    uuid = f"MIG-{index}{number}bbb"
    return Gpu(name=f"gpu{index}mig{number}", index=index, model="MIG 1g.10gb", uuid=uuid, memory_mib=9856)


FOUR = tuple(gpu(index) for index in range(4))
CUT = gpu(1, mig=(mig(1, 0), mig(1, 2)))
BUSY = replace(gpu(2), used_mib=70000, processes=(GpuProcess(4242, 69000),))
LOST = gpu(3, trouble="GPU is lost")
MIXED = (gpu(0), CUT, BUSY, LOST)
NO_DRIVER = Found(trouble="no NVIDIA driver here")
DEVICE_FILE = replace(NO_DRIVER, signs="/dev/nvidia0 is")


@pytest.fixture
def launch(tmp_path) -> LaunchDir:
    return SweepDir.of(tmp_path, SweepRef("e", "p", "s")).new_launch()


@pytest.fixture
def spec(launch) -> Callable[[str], WorkerSpec]:
    """Write orders for a slot."""

    def spec(name: str) -> WorkerSpec:
        slot = Slot(name=name, device="", threads=3)
        return WorkerSpec(sweep="e/p/s", trainer="a:b", slot=slot, count=1, directory=str(launch.path))

    return spec


@pytest.fixture
def stand(tmp_path) -> Path:
    """A folder for PYTHONPATH whose `sweeper` is the real one, but for the worker, which is the one above."""
    package = tmp_path / "stand" / "sweeper"
    (package / "worker").mkdir(parents=True)
    for folder in (package, package / "worker"):
        real = Path(sweeper.__file__).parent / folder.relative_to(package)
        text = f"__version__ = {sweeper.__version__!r}\n__path__.append({str(real)!r})\n"
        (folder / "__init__.py").write_text(text)
    (package / "worker" / "slot_loop.py").write_text(WORKER)
    return package.parent
