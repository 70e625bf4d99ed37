"""How busy slots are, by what a driver says; the driver is a test double built from C."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

from sweeper.launch.slot_loads import with_loads
from sweeper.results.slot_status import SlotStatus
from sweeper.results.status import RunCounts, SweepFacts, SweepStatus
from sweeper.run import SweepState

ASK = """
import dataclasses, json, sys
from sweeper.launch.slot_loads import with_loads
from sweeper.results.slot_status import SlotStatus
from sweeper.results.status import RunCounts, SweepFacts, SweepStatus
from sweeper.run import SweepState
facts = SweepFacts(sweep="", name="", url="", state=SweepState.RUNNING, method="grid", metric="", goal="minimize")
slots = tuple(SlotStatus(name=device, launcher=1, device=device) for device in sys.argv[1:])
status = SweepStatus(facts=facts, progress=RunCounts(done=0, total=None, counts={}, elapsed_s=None), slots=slots)
print(json.dumps([dataclasses.asdict(slot) for slot in with_loads(status).slots]))
"""


def loads(environ: dict[str, str], *devices: str) -> list[tuple[Any, ...]]:
    """Ask in a process of its own, as a library is loaded once: utilisation, memory in use, memory, temperature."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, *devices], env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    return [tuple(slot[key] for key in ("utilisation", "used_mib", "memory_mib", "temperature_c")) for slot in told]


def test_a_slot_is_as_busy_as_its_gpus(nvml):
    """By UUID, or by number where nobody could ask for one; of several GPUs the mean, the sums and the warmest."""
    first = "gpu|GPU-1|NVIDIA H100|81559|62000|-|-|0|97|64"
    second = "gpu|GPU-2|NVIDIA H100|81559|100|-|-|0|3|70"
    environ = nvml.set(first, second)
    one, both, by_number, none = loads(environ, "GPU-1", "GPU-1,GPU-2", "1", "GPU-9")
    assert one == (0.97, 62000, 81559, 64)
    assert both == (0.5, 62100, 163118, 70)
    assert by_number == (0.03, 100, 81559, 70)
    assert none == (None, None, None, None)


def test_what_a_chip_does_not_tell_is_left_open(nvml):
    """A MIG device has memory of its own, the warmth of its chip, and no utilisation."""
    parent = "gpu|GPU-2|NVIDIA H100|81559|87|-|mig|0|0|50"
    environ = nvml.set(parent, "mig|MIG-aa|H100 MIG 1g.10gb|9856|12|-", "gpu|GPU-3|GB10|24576|4|-|bare|0|9|9")
    mig, bare, number = loads(environ, "MIG-aa", "GPU-3", "0")
    assert mig == (None, 12, 9856, 50)
    assert bare == (None, None, None, None)
    assert number == (None, 87, 81559, 50)


def test_a_slot_of_the_cpu_has_the_machines_load():
    """And the cores that there are for it; a status without slots is as it was."""
    facts = SweepFacts(sweep="", name="", url="", state=SweepState.RUNNING, method="grid", metric="", goal="minimize")
    none = SweepStatus(facts=facts, progress=RunCounts(done=0, total=None, counts={}, elapsed_s=None))
    assert with_loads(none) is none
    cpu = SlotStatus(name="cpu0", launcher=1, device="")
    (slot,) = with_loads(SweepStatus(facts=facts, progress=none.progress, slots=(cpu,))).slots
    assert slot.load is not None
    assert slot.load >= 0
    assert slot.cores is not None
    assert slot.cores >= 1
