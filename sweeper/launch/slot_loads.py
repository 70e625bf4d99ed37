"""How busy the slots of this machine's launches are: what NVML says of their GPUs, or the load of the CPU."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from statistics import fmean

from sweeper.launch.cores import usable_cores
from sweeper.launch.gpus import Gpu, find_gpus
from sweeper.results.slot_status import SlotStatus
from sweeper.results.status import SweepStatus


def with_loads(status: SweepStatus) -> SweepStatus:
    """Complete what a status says of slots with how busy they are; of a status without slots nothing is asked."""
    if not status.slots:
        return status
    on_gpus = any(slot.device for slot in status.slots)
    found = [device for gpu in find_gpus().gpus for device in (gpu, *(gpu.mig or ()))] if on_gpus else []
    return replace(status, slots=tuple(_loaded(slot, found) for slot in status.slots))


def _loaded(slot: SlotStatus, found: Sequence[Gpu]) -> SlotStatus:
    if not slot.device:
        return replace(slot, load=os.getloadavg()[0], cores=usable_cores())
    names = set(slot.device.split(","))
    # a number is a GPU's where nobody could ask for its UUID; MIG devices bear the number of the GPU that they are in
    own = [gpu for gpu in found if gpu.uuid in names or (str(gpu.index) in names and not gpu.uuid.startswith("MIG-"))]
    shares = [gpu.utilisation for gpu in own if gpu.utilisation is not None]
    degrees = [gpu.temperature_c for gpu in own if gpu.temperature_c is not None]
    total = sum(gpu.memory_mib for gpu in own)
    return replace(
        slot,
        utilisation=fmean(shares) if shares else None,
        temperature_c=max(degrees, default=None),
        used_mib=sum(gpu.used_mib for gpu in own) if total else None,
        memory_mib=total or None,
    )
