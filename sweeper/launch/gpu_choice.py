"""Which GPUs `--gpus` means: pure functions of what the machine has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from sweeper.errors import NoGpuError
from sweeper.launch.gpus import IDLE_MEMORY_MIB, Found, Gpu

ON_THE_CPU = "to run on the CPU leave that option out, or say how many workers: --workers 2"
"""What somebody does who has no GPU."""

_FORMS = "write numbers as nvidia-smi shows them (0,1 or 0-3), UUIDs (GPU-... or MIG-...), or one word: all or idle"
_NUMBER = re.compile(r"[0-9]{1,3}")
_RANGE = re.compile(r"([0-9]{1,3})-([0-9]{1,3})")
_UUID = re.compile(r"(gpu|mig)-.*", re.IGNORECASE)
_OTHER_NAME = re.compile(r"(?:cuda|gpu|hip|/dev/nvidia)\s*:?\s*([0-9]{1,3})", re.IGNORECASE)


def choose(found: Found, request: str, mask: str | None = None) -> list[Gpu]:
    """Choose GPUs by what `--gpus` says; a GPU in MIG mode stands for its MIG devices.

    Args:
        found: All of the machine's.
        request: `all`, `idle`, or numbers, ranges and UUIDs.
        mask: The inherited CUDA_VISIBLE_DEVICES.

    Returns:
        Them in the order asked for, which is nvidia-smi's for `all` and `idle`.

    Raises:
        NoGpuError: One is not there, is hidden, cannot be used or is named twice; or none is idle.
    """
    if request in {"all", "idle"}:
        allowed = visible(found.gpus, mask)
        return allowed if request == "all" else _idle(allowed)
    terms = list(_terms(request))
    gpus = _unseen(found, request, terms) if found.trouble else found.gpus
    allowed = visible(gpus, mask)
    chosen = [device for term in terms for device in _named(gpus, term).devices]
    for number, device in enumerate(chosen):
        if device in chosen[:number]:
            raise NoGpuError(f"--gpus {request} names {device.name} twice", "several runs on one GPU: --per-gpu 2")
        if device not in allowed:
            fix = f"it leaves {listed(allowed)}; take of these, or unset it if all of the machine is yours"
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


def listed(gpus: Iterable[Gpu]) -> str:
    """List GPUs with model and UUID; `none` if there are none."""
    shown = (one for gpu in gpus for one in (gpu.mig or (gpu,)))
    return ", ".join(f"{gpu.name} ({gpu.model}, {gpu.uuid})" for gpu in shown) or "none"


def _idle(gpus: Sequence[Gpu]) -> list[Gpu]:
    idle = [gpu for gpu in gpus if gpu.idle]
    if gpus and not idle:
        there = "; ".join(f"{gpu.name}: {gpu.occupation}" for gpu in gpus)
        fix = f"idle is no compute process and less than {IDLE_MEMORY_MIB} MiB in use; wait, or name GPUs: --gpus 0"
        raise NoGpuError(f"no GPU is idle ({there})", fix)
    return idle


def _terms(request: str) -> Iterator[str]:
    """Split a list of numbers, ranges and UUIDs; a range becomes its numbers."""
    if not request.strip():
        raise NoGpuError("--gpus is empty", f"{_FORMS}; {ON_THE_CPU}")
    for term in (part.strip() for part in request.split(",")):
        if match := _RANGE.fullmatch(term):
            first, last = int(match[1]), int(match[2])
            if first > last:
                raise NoGpuError(f"--gpus {request}: the range {term} is empty", f"write {last}-{first}")
            yield from map(str, range(first, last + 1))
        elif _NUMBER.fullmatch(term) or _UUID.fullmatch(term):
            yield term
        else:
            raise NoGpuError(f"--gpus {request!r}: {term!r} names no GPU", _meant(request, term))


def _meant(request: str, term: str) -> str:
    """Guess what somebody means who writes GPUs as another tool does."""
    if term.lower() in {"cpu", "none", "no", "off", "false"}:
        return f"--gpus takes GPUs; {ON_THE_CPU}"
    if match := _OTHER_NAME.fullmatch(term):
        return f"write the number alone: --gpus {match[1]}"
    words = re.split(r"[\s;:+]+", request.strip())
    if len(words) > 1 and all(map(_NUMBER.fullmatch, words)):
        return f"put commas between them: --gpus {','.join(words)}"
    return f"{_FORMS}; {ON_THE_CPU}"


def _named(gpus: Sequence[Gpu], term: str) -> Gpu:
    matches = _matches(gpus, term)
    if not matches:
        has = f"it has {listed(gpus)}" if gpus else f"the NVIDIA driver finds none; {ON_THE_CPU}"
        raise NoGpuError(f"no GPU {term} on this machine", has)
    if len(matches) > 1:
        raise NoGpuError(f"{term} begins the UUIDs of several GPUs", f"it has {listed(matches)}")
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


def _unseen(found: Found, request: str, terms: Sequence[str]) -> tuple[Gpu, ...]:
    """Take the user's word for numbers where NVML does not answer but something tells of a GPU (ROCm, a container)."""
    if not found.signs:
        raise NoGpuError(f"--gpus {request}: this machine has no GPU: {found.trouble}", ON_THE_CPU)
    if uuids := [term for term in terms if not _NUMBER.fullmatch(term)]:
        fix = "name GPUs by number: --gpus 0"
        raise NoGpuError(f"GPU {uuids[0]} cannot be looked up: {found.trouble} (but {found.signs} here)", fix)
    numbers = dict.fromkeys(map(int, terms))
    return tuple(Gpu(name=f"gpu{number}", index=number, uuid=str(number)) for number in numbers)
