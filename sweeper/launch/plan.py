"""Which slots a launch has: a pure function of what the machine has and what was asked for."""

from __future__ import annotations

from collections.abc import Sequence

from sweeper.errors import LaunchError, NoGpuError
from sweeper.gpus import Gpu, parse_gpus
from sweeper.launch.base import Slot

CPU_SLOTS = 2
"""Slots of a machine without a GPU."""


def plan_slots(gpus: Sequence[Gpu], *, requested: str | None, workers: int | None, cores: int) -> list[Slot]:
    """Decide the slots of a launch on one machine.

    Args:
        gpus: The machine's GPUs; empty where NVML finds none.
        requested: What `--gpus` says: numbers, or None for all there are.
        workers: What `--workers` says: this many CPU slots; None to use GPUs, or two CPU slots.
        cores: CPU cores to share out as threads.

    Raises:
        NoGpuError: A GPU is asked for that the machine does not have.
        LaunchError: `--gpus` and `--workers` exclude each other.
    """
    if workers is not None and requested is not None:
        raise LaunchError(
            "--gpus and --workers exclude each other", "give --gpus for GPU slots, --workers for CPU slots"
        )
    if workers is None and (requested is not None or gpus):
        return _gpu_slots(gpus, requested, cores)
    number = workers or CPU_SLOTS
    return [Slot(name=f"cpu{i}", device="", threads=max(1, cores // number)) for i in range(number)]


def _gpu_slots(gpus: Sequence[Gpu], requested: str | None, cores: int) -> list[Slot]:
    known = [gpu.index for gpu in gpus]
    indices = known if requested is None else parse_gpus(requested)
    missing = [index for index in indices if index not in known]
    if gpus and missing:
        have = ", ".join(f"{gpu.index} ({gpu.name})" for gpu in gpus)
        raise NoGpuError(f"no GPU {', '.join(map(str, missing))} on this machine", f"it has {have}")
    threads = max(1, cores // len(indices))
    return [Slot(name=f"gpu{index}", device=str(index), threads=threads) for index in indices]
