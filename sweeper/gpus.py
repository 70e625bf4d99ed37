"""The machine's GPUs, asked of NVML: CUDA itself must not be initialised where workers are forked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.errors import NoGpuError


@dataclass(frozen=True, slots=True)
class Gpu:
    """One GPU.

    Attributes:
        index: Its number, in nvidia-smi's order (`CUDA_DEVICE_ORDER=PCI_BUS_ID`).
        name: Its model.
        uuid: Its UUID.
        memory_mib: Its memory.
    """

    index: int
    name: str
    uuid: str
    memory_mib: int


def list_gpus() -> list[Gpu]:
    """List the machine's GPUs; none where there is no NVIDIA driver."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:  # library not found, driver not loaded, function not found: no GPU all the same
        return []
    try:
        return [_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())]
    except pynvml.NVMLError:
        return []
    finally:
        pynvml.nvmlShutdown()


def _gpu(index: int) -> Gpu:
    import pynvml

    handle = pynvml.nvmlDeviceGetHandleByIndex(index)
    memory = pynvml.nvmlDeviceGetMemoryInfo(handle).total
    name, uuid = pynvml.nvmlDeviceGetName(handle), pynvml.nvmlDeviceGetUUID(handle)
    return Gpu(index, str(name), str(uuid), int(memory) >> 20)


def visible(gpus: Sequence[Gpu], mask: str | None) -> list[Gpu]:
    """Keep the GPUs that an inherited CUDA_VISIBLE_DEVICES leaves (a Slurm job's share, say).

    Args:
        gpus: All of the machine's.
        mask: The variable's value; None where it is not set.
    """
    if mask is None:
        return list(gpus)
    names = [name.strip() for name in mask.split(",") if name.strip()]
    return [gpu for name in names for gpu in gpus if name == str(gpu.index) or gpu.uuid.startswith(name)]


def parse_gpus(text: str) -> list[int]:
    """Read `--gpus 0,1`.

    Raises:
        NoGpuError: It is no list of different GPU numbers.
    """
    fix = "write their numbers as nvidia-smi shows them, such as --gpus 0,1"
    try:
        indices = [int(part) for part in text.split(",")]
    except ValueError as error:
        raise NoGpuError(f"--gpus {text!r} is not a list of GPU numbers", fix) from error
    if len(set(indices)) < len(indices) or min(indices) < 0:
        raise NoGpuError(f"--gpus {text!r} names a GPU twice or below 0", fix)
    return indices
