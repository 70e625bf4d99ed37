"""What can be wrong with GPUs, their driver and PyTorch's way to them: facts turned into verdicts, with the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from sweeper.findings import Finding, fail, ok, warn
from sweeper.launch.gpus import NO_DRIVER, Found, Gpu

APPLICATION_XIDS = frozenset({13, 31, 43, 45})
"""Xid errors that a program's own fault raises (NVIDIA's Xid catalog)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Torch:
    """What PyTorch says of itself, in a process of its own.

    Attributes:
        version: Its version; empty where it is not installed, or cannot be imported and `trouble` says why.
        cuda: The CUDA it is built for; None for a build without.
        hip: The ROCm it is built for; None for a build without.
        available: Whether it can use a GPU, whatever CUDA_VISIBLE_DEVICES says.
        arches: What it has code for: `sm_90`, `compute_90`.
        trouble: What it complained about.
    """

    version: str = ""
    cuda: str | None = None
    hip: str | None = None
    available: bool = False
    arches: tuple[str, ...] = ()
    trouble: str = ""


def judge_torch(torch: Torch, found: Found) -> Finding:
    """Judge PyTorch against the driver and the GPUs."""
    if not torch.version:
        return _judge_no_torch(torch.trouble)
    name = (
        f"{torch.version} for {f'CUDA {torch.cuda}' if torch.cuda else f'ROCm {torch.hip}' if torch.hip else 'the CPU'}"
    )
    if not found.devices:
        return ok("torch", f"{name}, {'GPUs available' if torch.available else 'no GPU'}")
    if torch.cuda is None:
        fix = "install a build of torch for CUDA: its site names the command for your driver"
        return fail("torch", f"{name}, but there are NVIDIA GPUs", fix)
    if not torch.available:
        return fail("torch", f"{name}, {_why_no_cuda(torch, found)}", _cuda_fix(torch, found))
    strange = [gpu.name for gpu in found.gpus if gpu.capability and not _has_code_for(gpu.capability, torch.arches)]
    if strange:
        fix = f"install a torch that has it; this one has {' '.join(torch.arches)}"
        return fail("torch", f"{name}, without code for {', '.join(strange)}", fix)
    return ok("torch", name)


def _judge_no_torch(trouble: str) -> Finding:
    """A trainer may do without PyTorch, but none starts with a broken one."""
    if trouble:
        return fail("torch", f"cannot be imported: {trouble}", "pip install torch, in this environment")
    fix = "if your trainer uses it, install it; for the shipped one: pip install 'sweeper[trainer]'"
    return warn("torch", "not installed", fix)


def _needs_newer_driver(torch: Torch, found: Found) -> bool:
    return found.cuda is not None and int((torch.cuda or "0").split(".")[0]) > found.cuda[0]


def _why_no_cuda(torch: Torch, found: Found) -> str:
    if _needs_newer_driver(torch, found) and found.cuda:
        return f"but driver {found.driver} goes up to CUDA {found.cuda[0]}.{found.cuda[1]}"
    return f"but it sees no GPU{f': {torch.trouble}' if torch.trouble else ''}"


def _cuda_fix(torch: Torch, found: Found) -> str:
    if _needs_newer_driver(torch, found) and found.cuda:
        return f"update the driver, or install a torch built for CUDA {found.cuda[0]}"
    return "see what it says: python -c 'import torch; torch.zeros(1).cuda()'; in a container, give it the GPUs"


def _has_code_for(capability: tuple[int, int], arches: Iterable[str]) -> bool:
    """Whether some code runs there: binaries within a major version, PTX on everything newer (CUDA's rule)."""
    for arch in arches:
        kind, _, number = arch.partition("_")
        digits = "".join(character for character in number if character.isdecimal())  # sm_90a
        if digits:
            built = (int(digits[:-1] or 0), int(digits[-1]))
            if built <= capability and (kind == "compute" or built[0] == capability[0]):
                return True
    return not any(arches)  # a build that does not say is believed


def judge_driver(found: Found, cards: int) -> Finding:
    """Judge what NVML says; `cards` is the number of NVIDIA's display controllers on the PCI bus."""
    if not found.trouble:
        cuda = f", up to CUDA {found.cuda[0]}.{found.cuda[1]}" if found.cuda else ""
        return ok("driver", f"NVIDIA {found.driver}{cuda}: {len(found.gpus)} GPUs")
    there = f"{found.trouble}; NVIDIA cards on the bus: {cards}"
    if found.trouble == NO_DRIVER:
        fix = "install NVIDIA's driver; in a container, give it the GPUs (docker run --gpus all)"
        return warn("driver", there, fix) if cards else ok("driver", f"{found.trouble}: runs train on the CPU")
    fix = "nvidia-smi says more; after an update of the driver, reboot or reload its modules"
    return fail("driver", there, fix) if cards else warn("driver", there, fix)


def judge_gpu(gpu: Gpu) -> Finding:
    """Judge one GPU: whether it works, and its memory's health."""
    size = f" {gpu.memory_mib / 1024:.0f} GiB" if gpu.memory_mib else ""
    found = f"{gpu.model}{size}, {'idle' if gpu.idle else gpu.occupation}"
    if gpu.mig == ():  # MIG mode without a device: CUDA finds nothing there
        fix = "make MIG devices (nvidia-smi mig -cgi ... -C), or leave MIG mode (nvidia-smi -mig 0)"
        return warn(gpu.name, f"{gpu.model}: {gpu.trouble}", fix)
    if gpu.trouble:
        return fail(
            gpu.name, gpu.trouble, "reset it (nvidia-smi --gpu-reset) or reboot; until then --gpus leaves it out"
        )
    if gpu.remap == "failed":
        return fail(
            gpu.name, f"{found}; its memory is worn out", "have it replaced; until then, name the others: --gpus"
        )
    if gpu.remap or gpu.ecc_errors:
        return warn(
            gpu.name,
            f"{found}; {gpu.ecc_errors} memory errors",
            f"when it is idle: nvidia-smi --gpu-reset -i {gpu.index}",
        )
    if gpu.mig:
        found = f"{gpu.model} in {len(gpu.mig)} MIG devices, {sum(one.idle for one in gpu.mig)} of them idle"
    return ok(gpu.name, found)


def judge_xids(errors: Sequence[tuple[str, int]]) -> Iterator[Finding]:
    """Judge the driver's messages in the kernel's log, (PCI address, Xid) each; says nothing where all is well."""
    hardware = [(address, number) for address, number in errors if number not in APPLICATION_XIDS]
    if hardware:
        shown = ", ".join(f"{number} on {address}" for address, number in dict.fromkeys(hardware))
        yield warn("xid", f"the kernel's log has Xid {shown}", "look them up in NVIDIA's Xid catalog: dmesg | grep Xid")
