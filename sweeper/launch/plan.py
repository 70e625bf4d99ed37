"""Which slots a launch has: a pure function of what the machine has, what was asked for, and what others hold.

Only `this_machine` looks at the machine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

from sweeper.errors import NoGpuError, UsageError
from sweeper.launch.claims import Claim
from sweeper.launch.cores import usable_cores
from sweeper.launch.gpu_choice import ON_THE_CPU, choose, listed
from sweeper.launch.gpus import Found, Gpu, find_gpus
from sweeper.settings import Settings
from sweeper.worker.spec import Slot

CPU_SLOTS = 2
"""Slots of a machine without a GPU."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotRequest:
    """What the options of `sweeper launch` say about places; None where one is left out.

    Attributes:
        gpus: `all`, `idle`, or numbers, ranges and UUIDs.
        workers: This many CPU slots, and no GPU.
        per_gpu: This many slots on every GPU.
        gpus_per_run: This many GPUs for every slot.
        share: Whether to take GPUs that another launch holds, too.
    """

    gpus: str | None = None
    workers: int | None = None
    per_gpu: int | None = None
    gpus_per_run: int | None = None
    share: bool = False

    def check(self) -> None:
        """Make sure that the options go together.

        Raises:
            UsageError: Two of them exclude each other.
        """
        given = {"--gpus": self.gpus, "--per-gpu": self.per_gpu, "--gpus-per-run": self.gpus_per_run}
        names = [name for name, value in given.items() if value is not None] + ["--share"] * self.share
        if self.workers is not None and names:
            fix = "give --gpus for GPU slots, --workers for CPU slots"
            raise UsageError(f"{names[0]} and --workers exclude each other", fix)
        if self.per_gpu is not None and self.gpus_per_run is not None:
            fix = "several runs share a GPU, or one run has several GPUs"
            raise UsageError("--per-gpu and --gpus-per-run exclude each other", fix)


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a launch's runs go.

    Attributes:
        slots: The places.
        notes: What the user should know about them, a line each.
    """

    slots: tuple[Slot, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What this machine has for a launch.

    Attributes:
        found: Its GPUs.
        mask: The inherited CUDA_VISIBLE_DEVICES (a Slurm job's share, say); None where it is not set.
        cores: CPU cores to share out as threads.
    """

    found: Found
    mask: str | None = None
    cores: int = 1


def this_machine(settings: Settings) -> Machine:
    """Look at this machine as it is now."""
    return Machine(found=find_gpus(), mask=settings.environ.get("CUDA_VISIBLE_DEVICES"), cores=usable_cores())


def plan_slots(machine: Machine, asked: SlotRequest, others: Sequence[Claim] = ()) -> Plan:
    """Decide the slots of a launch.

    Args:
        machine: What there is.
        asked: What the user wants.
        others: What other launches of the machine hold.

    Raises:
        NoGpuError: A GPU is asked for that is not there, is hidden, is named twice or is held; or none is idle.
        UsageError: Options exclude each other.
    """
    asked.check()
    if asked.workers is not None:
        return _on_the_cpu(asked.workers, machine, others)
    request = "all" if asked.gpus is None else asked.gpus.strip()
    request = request.lower() if request.lower() in {"all", "idle"} else request
    by_name = request not in {"all", "idle"}
    devices = choose(machine.found, request, machine.mask)
    if devices:
        free = _free(devices, asked, others, by_name=by_name)
        slots, left_over = _gpu_slots(free, asked, machine.cores, others, every=by_name)
        notes = _gpu_notes(machine.found, devices, free, others, by_name=by_name)
        return Plan(slots, (*notes, *left_over))
    why = _why_none(machine)
    wanted = {"--gpus": asked.gpus, "--per-gpu": asked.per_gpu, "--gpus-per-run": asked.gpus_per_run}
    if names := [f"{name} {value}" for name, value in wanted.items() if value is not None]:
        raise NoGpuError(f"{names[0]} asks for a GPU: {why}", ON_THE_CPU)
    return _on_the_cpu(CPU_SLOTS, machine, others, f"{why}: running on the CPU")


def _free(devices: Sequence[Gpu], asked: SlotRequest, others: Sequence[Claim], *, by_name: bool) -> list[Gpu]:
    """Leave out what other launches hold; an error if that was asked for by name, or if nothing is left."""
    free = [gpu for gpu in devices if asked.share or not _holders(gpu, others)]
    if len(free) == len(devices) or (free and not by_name):
        return free
    held = [f"{gpu.name} by {who[0].holder}" for gpu in devices if (who := _holders(gpu, others))]
    which = ", ".join(held)
    fix = "wait for it (`sweeper status SWEEP` shows it), "
    fix += "take other GPUs, " if by_name else ""
    raise NoGpuError(f"another launch of this machine holds {which}", f"{fix}or share them on purpose: --share")


def _holders(gpu: Gpu, others: Sequence[Claim]) -> list[Claim]:
    return [claim for claim in others if gpu.uuid in claim.devices]


# Slots


def _on_the_cpu(number: int, machine: Machine, others: Sequence[Claim], *notes: str) -> Plan:
    """Plan CPU slots, with names that no other launch uses and a share of the cores that leaves the others theirs."""
    used = {name for claim in others for name in claim.slots}
    free = (name for number in count() if (name := f"cpu{number}") not in used)
    workers = number + len(used)
    threads = max(1, machine.cores // workers)
    slots = tuple(Slot(name=next(free), device="", threads=threads) for _ in range(number))
    mine = ", ".join(slot.name for slot in slots)
    beside = [f"{claim.holder} works on {', '.join(claim.slots)}: this launch takes {mine}" for claim in others]
    if workers > machine.cores and (beside or number > CPU_SLOTS):
        beside.append(f"{workers} workers share {_cores(machine.cores)}: they slow each other down")
    return Plan(slots, (*notes, *beside))


def _cores(number: int) -> str:
    return "1 CPU core" if number == 1 else f"{number} CPU cores"


def _gpu_slots(
    devices: Sequence[Gpu], asked: SlotRequest, cores: int, others: Sequence[Claim], *, every: bool
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
    used = {name for claim in others for name in claim.slots}
    places = [place for group in groups for place in _places(group, asked.per_gpu or 1, used)]
    threads = max(1, cores // (len(places) + len(used)))  # all slots at work at once use each core once
    slots = tuple(Slot(name=name, device=device, threads=threads) for name, device in places)
    return slots, [f"{gpu.name} is left over by --gpus-per-run {size}" for gpu in rest]


def _places(group: Sequence[Gpu], per_gpu: int, used: set[str]) -> Iterator[tuple[str, str]]:
    """Name the slots of some GPUs (`gpu0`, `gpu0.1`, `gpu0-3`, `gpu0+2`), each with its CUDA_VISIBLE_DEVICES."""
    first, *others = (gpu.index for gpu in group)
    row = others == list(range(first + 1, first + len(group)))
    name = group[0].name + (f"-{others[-1]}" if others and row else "".join(f"+{index}" for index in others))
    device = ",".join(gpu.uuid for gpu in group)
    names = (f"{name}.{number}" for number in count())
    if per_gpu == 1 and name not in used:
        return iter([(name, device)])
    # a launch that shares the GPU has the plain name already: it counts as the first
    names = (other for other in names if other not in used and not (name in used and other == f"{name}.0"))
    return ((next(names), device) for _ in range(per_gpu))


# What the user should know


def _gpu_notes(
    found: Found, devices: Sequence[Gpu], free: Sequence[Gpu], others: Sequence[Claim], *, by_name: bool
) -> Iterator[str]:
    if found.trouble:
        yield f"{found.trouble}, but {found.signs} here: these numbers are unchecked, and runs may train on the CPU"
    for gpu in found.gpus:
        if gpu.trouble and not by_name:
            yield f"{gpu.name} is left out: {gpu.trouble}"
    for gpu in devices:
        if who := _holders(gpu, others):
            yield f"{gpu.name} is {'shared with' if gpu in free else 'left out: it is held by'} {who[0].holder}"
        elif not gpu.idle:
            yield f"{gpu.name} is busy: {gpu.occupation}"


def _why_none(machine: Machine) -> str:
    found = machine.found
    if found.trouble:
        return found.trouble + (f" (but {found.signs} here: --gpus 0 takes one unchecked)" if found.signs else "")
    if found.devices:
        return f"CUDA_VISIBLE_DEVICES={machine.mask} hides every GPU ({listed(found.devices)})"
    troubles = [f"{gpu.name} cannot be used: {gpu.trouble}" for gpu in found.gpus]
    return ", ".join(troubles) or "the NVIDIA driver finds no GPU"
