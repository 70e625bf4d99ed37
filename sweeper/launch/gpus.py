"""The machine's GPUs, asked of NVML: CUDA itself must not be initialised where workers are forked."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import pynvml

IDLE_MEMORY_MIB = 256
"""A GPU without a compute process is idle below this: one in MIG mode takes 87 MiB by itself, a CUDA context about 300.

The processes alone do not tell: those of another container are not seen."""

Answer = TypeVar("Answer")

_BROKEN = {pynvml.NVML_ERROR_GPU_IS_LOST, pynvml.NVML_ERROR_RESET_REQUIRED}
"""Answers that say the GPU cannot be used; all others leave a question open, on this driver, chip or container."""

_DEVICE_FILES = ("dev/nvidia[0-9]*", "proc/driver/nvidia/gpus/*", "dev/kfd", "dev/dxg")
"""What a GPU leaves in the file system: of NVIDIA, of AMD (ROCm), of Windows under WSL."""

NO_DRIVER = "no NVIDIA driver here (libnvidia-ml.so.1 is not found)"

_TROUBLES = {
    pynvml.NVML_ERROR_LIBRARY_NOT_FOUND: NO_DRIVER,
    pynvml.NVML_ERROR_DRIVER_NOT_LOADED: "the NVIDIA driver is not loaded",
    pynvml.NVML_ERROR_NO_PERMISSION: "the NVIDIA driver refuses this user",
    pynvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "the NVIDIA driver's library and kernel module have different versions",
}


@dataclass(frozen=True, slots=True)
class GpuProcess:
    """A process that computes on a GPU.

    Attributes:
        pid: Its number; in a container, perhaps the host's.
        memory_mib: Its memory there; None where the driver does not say.
    """

    pid: int
    memory_mib: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """One GPU, or one MIG device of it.

    Attributes:
        name: `gpu0`; `gpu0mig1` for a MIG device.
        index: Its number, in nvidia-smi's order (`CUDA_DEVICE_ORDER=PCI_BUS_ID`); its GPU's for a MIG device.
        model: What it is.
        uuid: Its UUID, `GPU-...` or `MIG-...`.
        memory_mib: Its memory; 0 where the driver does not say.
        used_mib: How much of that is in use, without what the driver keeps for itself.
        processes: What computes on it, as far as it can be seen from here.
        capability: Its CUDA compute capability; None where the driver does not say.
        ecc_errors: Memory errors since the driver was loaded that ECC could not correct.
        remap: `pending` where broken memory rows wait for a reset to be replaced, `failed` where none were left.
        mig: Its MIG devices if it is in MIG mode, in which it cannot be used whole; None if it is not.
        utilisation: Share of the last moment in which something computed on it; None where the driver does not say.
        temperature_c: How warm it is; None where the driver does not say.
        trouble: Why nothing can run on it; empty if it can.
    """

    name: str
    index: int
    model: str = ""
    uuid: str = ""
    memory_mib: int = 0
    used_mib: int = 0
    processes: tuple[GpuProcess, ...] = ()
    capability: tuple[int, int] | None = None
    ecc_errors: int = 0
    remap: str = ""
    mig: tuple[Gpu, ...] | None = None
    utilisation: float | None = None
    temperature_c: int | None = None
    trouble: str = ""

    @property
    def devices(self) -> tuple[Gpu, ...]:
        """What runs can be pinned to: itself, its MIG devices, or nothing."""
        if self.trouble:
            return ()
        return (self,) if self.mig is None else self.mig

    @property
    def idle(self) -> bool:
        """Whether no process computes on it and little of its memory is in use."""
        return not self.processes and self.used_mib < IDLE_MEMORY_MIB

    @property
    def occupation(self) -> str:
        """Say what is going on there: memory in use, and by whom."""
        who = ", ".join(
            f"pid {process.pid}" + (f" ({process.memory_mib} MiB)" if process.memory_mib is not None else "")
            for process in self.processes
        )
        return f"{self.used_mib} of {self.memory_mib} MiB in use by {who or 'no process that is visible here'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What NVML says about the machine.

    Attributes:
        gpus: All of its GPUs, in nvidia-smi's order.
        trouble: Why NVML does not answer; empty if it does.
        signs: What tells of a GPU all the same where NVML does not answer, in words: `/dev/nvidia0 is`; or empty.
        driver: The driver's version.
        cuda: The newest CUDA that the driver supports.
    """

    gpus: tuple[Gpu, ...] = ()
    trouble: str = ""
    signs: str = ""
    driver: str = ""
    cuda: tuple[int, int] | None = None

    @property
    def devices(self) -> tuple[Gpu, ...]:
        """What runs can be pinned to."""
        return tuple(device for gpu in self.gpus for device in gpu.devices)


def find_gpus(root: Path = Path("/"), path: str | None = None) -> Found:
    """Ask NVML for the machine's GPUs and what runs on them.

    Args:
        root: Where `dev` and `proc` lie.
        path: Where programs are looked for; by default where the shell does.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        return Found(trouble=_trouble(error), signs=_signs(root, path))
    try:
        return Found(
            gpus=tuple(_gpu(index) for index in range(pynvml.nvmlDeviceGetCount())),
            driver=_ask(pynvml.nvmlSystemGetDriverVersion, otherwise=""),
            cuda=_version(_ask(pynvml.nvmlSystemGetCudaDriverVersion_v2, otherwise=0)),
        )
    except pynvml.NVMLError as error:
        return Found(trouble=_trouble(error), signs=_signs(root, path))
    finally:
        pynvml.nvmlShutdown()


def _signs(root: Path, path: str | None) -> str:
    """Look for GPUs that NVML cannot tell of: AMD's, and NVIDIA's in a container that was not given its library."""
    files = [found for pattern in _DEVICE_FILES for found in sorted(root.glob(pattern))[:1]]
    found = [f"/{file.relative_to(root)}" for file in files]
    if program := shutil.which("nvidia-smi", path=path):
        found.append(program)
    return " and ".join(found) + (" are" if len(found) > 1 else " is" if found else "")


def _trouble(error: pynvml.NVMLError) -> str:
    return _TROUBLES.get(error.value, f"the NVIDIA driver does not answer: {error}")


def _version(number: int) -> tuple[int, int] | None:
    """Read 13020 as 13.2."""
    return (number // 1000, number % 1000 // 10) if number else None


def _ask(question: Callable[..., Answer], *args: object, otherwise: Answer) -> Answer:
    """Ask what not every driver and chip answers.

    Raises:
        NVMLError: The GPU cannot be used.
    """
    try:
        return question(*args)
    except pynvml.NVMLError as error:
        if error.value in _BROKEN:
            raise
        return otherwise


def _gpu(index: int) -> Gpu:
    name = f"gpu{index}"
    try:
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        gpu = replace(_device(handle, name, index), **_health(handle))
        current, _pending = _ask(pynvml.nvmlDeviceGetMigMode, handle, otherwise=(0, 0))
        if current != pynvml.NVML_DEVICE_MIG_ENABLE:
            return gpu
        mig = tuple(_mig_devices(handle, gpu))
        return replace(gpu, mig=mig, trouble="" if mig else "it is in MIG mode and has no MIG devices")
    except pynvml.NVMLError as error:  # it fell off the bus, say; the others still work
        return Gpu(name=name, index=index, trouble=f"the driver says: {error}")


def _device(handle: Any, name: str, index: int) -> Gpu:
    memory_mib, used_mib = _memory(handle)
    return Gpu(
        name=name,
        index=index,
        model=_ask(pynvml.nvmlDeviceGetName, handle, otherwise="GPU"),
        uuid=pynvml.nvmlDeviceGetUUID(handle),
        memory_mib=memory_mib,
        used_mib=used_mib,
        processes=_processes(handle),
    )


def _processes(handle: Any) -> tuple[GpuProcess, ...]:
    found: list[Any] = _ask(pynvml.nvmlDeviceGetComputeRunningProcesses, handle, otherwise=[])
    return tuple(GpuProcess(one.pid, None if one.usedGpuMemory is None else one.usedGpuMemory >> 20) for one in found)


def _memory(handle: Any) -> tuple[int, int]:
    """Ask for total and used MiB; version 2 does not count what the driver reserves, some 500 MiB on an H100."""
    question = pynvml.nvmlDeviceGetMemoryInfo
    answer = _ask(question, handle, pynvml.nvmlMemory_v2, otherwise=None) or _ask(question, handle, otherwise=None)
    return (answer.total >> 20, answer.used >> 20) if answer else (0, 0)


def _health(handle: Any) -> dict[str, Any]:
    rates = _ask(pynvml.nvmlDeviceGetUtilizationRates, handle, otherwise=None)
    uncorrected = (pynvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED, pynvml.NVML_VOLATILE_ECC)
    _, _, pending, failed = _ask(pynvml.nvmlDeviceGetRemappedRows, handle, otherwise=(0, 0, 0, 0))
    return {
        "capability": _ask(pynvml.nvmlDeviceGetCudaComputeCapability, handle, otherwise=None),
        "ecc_errors": _ask(pynvml.nvmlDeviceGetTotalEccErrors, handle, *uncorrected, otherwise=0),
        "utilisation": rates.gpu / 100 if rates else None,
        "temperature_c": _ask(pynvml.nvmlDeviceGetTemperature, handle, pynvml.NVML_TEMPERATURE_GPU, otherwise=None),
        "remap": "failed" if failed else "pending" if pending else "",
    }


def _mig_devices(handle: Any, gpu: Gpu) -> Iterator[Gpu]:
    for number in range(pynvml.nvmlDeviceGetMaxMigDeviceCount(handle)):
        device = _ask(pynvml.nvmlDeviceGetMigDeviceHandleByIndex, handle, number, otherwise=None)
        if device is not None:  # places without a device; devices that this container was not given
            found = _device(device, f"{gpu.name}mig{number}", gpu.index)
            yield replace(found, temperature_c=gpu.temperature_c)  # they share a chip
