"""Which slots a launch has: a pure function of what the machine has and what was asked for.

Only `plan_machine` looks at the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sweeper.errors import LaunchError, NoGpuError
from sweeper.launch.cores import usable_cores
from sweeper.launch.gpus import IDLE_MEMORY_MIB, Found, Gpu, find_gpus
from sweeper.settings import Settings
from sweeper.worker.spec import Slot

CPU_SLOTS = 2
"""Slots of a machine without a GPU."""

_FORMS = "write numbers as nvidia-smi shows them (0,1 or 0-3), UUIDs (GPU-... or MIG-...), or one word: all or idle"
_NUMBER = re.compile(r"[0-9]{1,3}")
_RANGE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")
_UUID = re.compile(r"(gpu|mig)-.*", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRequest:
    """What the options of `sweeper launch` say about places; None where one is left out.

    Attributes:
        gpus: `all`, `idle`, or numbers, ranges and UUIDs.
        workers: This many CPU slots, and no GPU.
        per_gpu: This many slots on every GPU.
        gpus_per_run: This many GPUs for every slot.
    """

    gpus: str | None = None
    workers: int | None = None
    per_gpu: int | None = None
    gpus_per_run: int | None = None

    def check(self) -> None:
        """Make sure that the options go together.

        Raises:
            LaunchError: Two of them exclude each other.
        """
        given = {"--gpus": self.gpus, "--per-gpu": self.per_gpu, "--gpus-per-run": self.gpus_per_run}
        names = [name for name, value in given.items() if value is not None]
        if self.workers is not None and names:
            fix = "give --gpus for GPU slots, --workers for CPU slots"
            raise LaunchError(f"{names[0]} and --workers exclude each other", fix)
        if self.per_gpu is not None and self.gpus_per_run is not None:
            fix = "several runs share a GPU, or one run has several GPUs"
            raise LaunchError("--per-gpu and --gpus-per-run exclude each other", fix)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a launch's runs go.

    Attributes:
        slots: The places.
        notes: What the user should know about them, a line each.
    """

    slots: tuple[Slot, ...]
    notes: tuple[str, ...] = ()


def plan_slots(found: Found, asked: SlotRequest, *, mask: str | None, cores: int) -> Plan:
    """Decide the slots of a launch on one machine.

    Args:
        found: The machine's GPUs.
        asked: What the user wants.
        mask: The inherited CUDA_VISIBLE_DEVICES (a Slurm job's share, say); None where it is not set.
        cores: CPU cores to share out as threads.

    Raises:
        NoGpuError: A GPU is asked for that is not there, is hidden, or is named twice; or none is idle.
        LaunchError: Options exclude each other.
    """
    asked.check()
    if asked.workers is not None:
        return Plan(_cpu_slots(asked.workers, cores))
    request = "all" if asked.gpus is None else asked.gpus
    by_name = request not in {"all", "idle"}
    gpus = found.gpus if not (found.trouble and by_name) else _unseen(request)
    devices = choose(gpus, request, mask)
    if devices:
        slots, left_over = _gpu_slots(devices, asked, cores, every=by_name)
        return Plan(slots, (*_gpu_notes(found, devices, every=not by_name), *left_over))
    why = _why_none(found, mask)
    if request == "idle" or asked.per_gpu or asked.gpus_per_run:
        raise NoGpuError(f"a GPU is asked for: {why}", "leave the option out to run on the CPU")
    return Plan(_cpu_slots(CPU_SLOTS, cores), (f"{why}: running on the CPU",))


def plan_machine(settings: Settings, asked: SlotRequest) -> Plan:
    """Decide the slots of a launch on this machine, as it is now.

    Raises:
        NoGpuError: A GPU is asked for that the machine does not have or cannot give.
        LaunchError: Options exclude each other.
    """
    mask = settings.environ.get("CUDA_VISIBLE_DEVICES")
    return plan_slots(find_gpus(), asked, mask=mask, cores=usable_cores())


# Which GPUs


def choose(gpus: Sequence[Gpu], request: str, mask: str | None = None) -> list[Gpu]:
    """Choose GPUs by what `--gpus` says; a GPU in MIG mode stands for its MIG devices.

    Args:
        gpus: All of the machine's.
        request: `all`, `idle`, or numbers, ranges and UUIDs.
        mask: The inherited CUDA_VISIBLE_DEVICES.

    Returns:
        Them in the order asked for, which is nvidia-smi's for `all` and `idle`.

    Raises:
        NoGpuError: One is not there, is hidden, cannot be used or is named twice; or none is idle.
    """
    allowed = visible(gpus, mask)
    if request == "all":
        return allowed
    if request == "idle":
        return _idle(allowed)
    chosen = [device for term in _terms(request) for device in _named(gpus, term).devices]
    for number, device in enumerate(chosen):
        if device in chosen[:number]:
            raise NoGpuError(f"--gpus {request} names {device.name} twice", "several runs on one GPU: --per-gpu 2")
        if device not in allowed:
            fix = f"it leaves {_list(allowed)}; take of these, or unset it if all of the machine is yours"
            raise NoGpuError(f"{device.name} is hidden by CUDA_VISIBLE_DEVICES={mask}", fix)
    return chosen


def visible(gpus: Sequence[Gpu], mask: str | None) -> list[Gpu]:
    """Keep what an inherited CUDA_VISIBLE_DEVICES leaves; its numbers are read in nvidia-smi's order.

    Args:
        gpus: All of the machine's.
        mask: The variable's value; None where it is not set.
    """
    devices = [device for gpu in gpus for device in gpu.devices]
    if mask is None:
        return devices
    left: list[Gpu] = []
    for name in mask.split(","):
        matches = _matches(gpus, name.strip())
        if len(matches) != 1:
            break  # CUDA shows only what stands before the first name that it does not know
        left += matches[0].devices
    return [device for device in devices if device in left]


def _idle(gpus: Sequence[Gpu]) -> list[Gpu]:
    idle = [gpu for gpu in gpus if gpu.idle]
    if gpus and not idle:
        there = "; ".join(f"{gpu.name}: {gpu.occupation}" for gpu in gpus)
        fix = f"idle is no compute process and less than {IDLE_MEMORY_MIB} MiB in use; wait, or name GPUs: --gpus 0"
        raise NoGpuError(f"no GPU is idle ({there})", fix)
    return idle


def _terms(request: str) -> Iterator[str]:
    """Split a list of numbers, ranges and UUIDs; a range becomes its numbers."""
    for term in (part.strip() for part in request.split(",")):
        if match := _RANGE.fullmatch(term):
            first, last = int(match[1]), int(match[2])
            if first > last:
                raise NoGpuError(f"--gpus {request}: the range {term} is empty", f"write {last}-{first}")
            yield from map(str, range(first, last + 1))
        elif _NUMBER.fullmatch(term) or _UUID.fullmatch(term):
            yield term
        else:
            raise NoGpuError(f"--gpus {request!r}: {term!r} names no GPU", _FORMS)


def _named(gpus: Sequence[Gpu], term: str) -> Gpu:
    matches = _matches(gpus, term)
    if not matches:
        raise NoGpuError(f"no GPU {term} on this machine", f"it has {_list(gpus)}")
    if len(matches) > 1:
        raise NoGpuError(f"{term} begins the UUIDs of several GPUs", f"it has {_list(matches)}")
    if matches[0].trouble:
        fix = "see `sweeper doctor`, or take others: --gpus all leaves it out"
        raise NoGpuError(f"{matches[0].name} cannot be used: {matches[0].trouble}", fix)
    return matches[0]


def _matches(gpus: Iterable[Gpu], name: str) -> list[Gpu]:
    """Find the GPUs that a number or the beginning of a UUID stands for."""
    if _NUMBER.fullmatch(name):
        return [gpu for gpu in gpus if gpu.index == int(name)]
    if not _UUID.fullmatch(name):
        return []
    everything = (one for gpu in gpus for one in (gpu, *(gpu.mig or ())))
    return [gpu for gpu in everything if gpu.uuid.lower().startswith(name.lower())]


def _unseen(request: str) -> tuple[Gpu, ...]:
    """Take the user's word for numbers where NVML does not answer: that is no proof of no GPU (ROCm)."""
    numbers = dict.fromkeys(int(term) for term in _terms(request) if _NUMBER.fullmatch(term))
    return tuple(Gpu(name=f"gpu{number}", index=number, uuid=str(number)) for number in numbers)


def _list(gpus: Iterable[Gpu]) -> str:
    shown = (one for gpu in gpus for one in (gpu.mig or (gpu,)))
    return ", ".join(f"{gpu.name} ({gpu.model}, {gpu.uuid})" for gpu in shown) or "none"


# Slots


def _cpu_slots(number: int, cores: int) -> tuple[Slot, ...]:
    return tuple(Slot(name=f"cpu{i}", device="", threads=max(1, cores // number)) for i in range(number))


def _gpu_slots(
    devices: Sequence[Gpu], asked: SlotRequest, cores: int, *, every: bool
) -> tuple[tuple[Slot, ...], list[str]]:
    """Make the slots, and say what is left over: nothing may be if `every` GPU was asked for by name."""
    size = asked.gpus_per_run or 1
    if size > 1 and any(device.uuid.startswith("MIG-") for device in devices):
        fix = "leave --gpus-per-run out, or name whole GPUs"
        raise NoGpuError("a run cannot have several MIG devices: CUDA shows a process only one", fix)
    groups = [devices[start : start + size] for start in range(0, len(devices) - size + 1, size)]
    rest = devices[len(groups) * size :]
    if not groups or (rest and every):
        message = f"--gpus-per-run {size} does not divide the GPUs: {', '.join(gpu.name for gpu in devices)}"
        raise NoGpuError(message, f"give a multiple of {size} GPUs")
    places = [place for group in groups for place in _places(group, asked.per_gpu or 1)]
    threads = max(1, cores // len(places))  # all slots at work at once use each core once
    slots = tuple(Slot(name=name, device=device, threads=threads) for name, device in places)
    return slots, [f"{gpu.name} is left over by --gpus-per-run {size}" for gpu in rest]


def _places(group: Sequence[Gpu], per_gpu: int) -> list[tuple[str, str]]:
    """Name the slots of some GPUs (`gpu0`, `gpu0.1`, `gpu0-3`, `gpu0+2`), each with its CUDA_VISIBLE_DEVICES."""
    first, *others = (gpu.index for gpu in group)
    row = others == list(range(first + 1, first + len(group)))
    name = group[0].name + (f"-{others[-1]}" if others and row else "".join(f"+{index}" for index in others))
    device = ",".join(gpu.uuid for gpu in group)
    return [(name, device)] if per_gpu == 1 else [(f"{name}.{number}", device) for number in range(per_gpu)]


# What the user should know


def _gpu_notes(found: Found, devices: Sequence[Gpu], *, every: bool) -> Iterator[str]:
    if found.trouble:
        yield f"{found.trouble}: runs are pinned to these GPUs, but may train on the CPU"
    for gpu in found.gpus:
        if gpu.trouble and every:
            yield f"{gpu.name} is left out: {gpu.trouble}"
    for gpu in devices:
        if not gpu.idle:
            yield f"{gpu.name} is busy: {gpu.occupation}"


def _why_none(found: Found, mask: str | None) -> str:
    if found.trouble:
        return found.trouble
    if found.devices:
        return f"CUDA_VISIBLE_DEVICES={mask} hides every GPU ({_list(found.devices)})"
    troubles = [f"{gpu.name} cannot be used: {gpu.trouble}" for gpu in found.gpus]
    return ", ".join(troubles) or "the NVIDIA driver finds no GPU"
