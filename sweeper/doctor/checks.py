"""What can be wrong with a machine: each check turns facts into a verdict, with the fix. It asks nothing itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from sweeper.findings import Finding, Verdict
from sweeper.launch.gpus import NO_DRIVER, Found, Gpu

WANDB_FLOOR, WANDB_TESTED = (0, 29), (0, 31)
"""The oldest SDK we can drive, and the newest we have tested; pyproject.toml and constraints.txt say the same."""

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "fuse.ceph"}
    | {"glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.juicefs"}
    | {"afs", "9p", "panfs", "wekafs"}
)
APPLICATION_XIDS = frozenset({13, 31, 43, 45})
"""Xid errors that a program's own fault raises (NVIDIA's Xid catalog)."""

GIB = 1 << 30
MAX_SKEW_S = 300.0


def _ok(check: str, found: str) -> Finding:
    return Finding(check, Verdict.OK, found)


def _warn(check: str, found: str, fix: str) -> Finding:
    return Finding(check, Verdict.WARN, found, fix)


def _fail(check: str, found: str, fix: str) -> Finding:
    return Finding(check, Verdict.FAIL, found, fix)


# Software


def judge_python(version: Sequence[int], platform: str) -> Finding:
    """Judge the interpreter; `platform` is `sys.platform`'s word."""
    found = f"{'.'.join(map(str, version[:3]))} on {platform}"
    if tuple(version[:2]) < (3, 11):
        return _fail("python", found, "sweeper needs Python 3.11 or newer")
    if platform != "linux":
        return _warn("python", found, "only Linux ends the runs of a killed launcher; elsewhere look for left-overs")
    return _ok("python", found)


def judge_wandb(version: str | None) -> Finding:
    """Judge the SDK's version; None where it is not installed."""
    if version is None:
        return _fail("wandb", "not installed", "pip install 'wandb>=0.29'")
    number = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if number < WANDB_FLOOR:
        return _fail("wandb", version, "pip install --upgrade 'wandb>=0.29'")
    if number > WANDB_TESTED:
        newest = ".".join(map(str, WANDB_TESTED))
        return _warn(
            "wandb", f"{version}, newer than sweeper knows", f"if runs misbehave: pip install 'wandb~={newest}.0'"
        )
    return _ok("wandb", version)


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
        return _ok("torch", f"{name}, {'GPUs available' if torch.available else 'no GPU'}")
    if torch.cuda is None:
        fix = "install a build of torch for CUDA: its site names the command for your driver"
        return _fail("torch", f"{name}, but there are NVIDIA GPUs", fix)
    if not torch.available:
        return _fail("torch", f"{name}, {_why_no_cuda(torch, found)}", _cuda_fix(torch, found))
    strange = [gpu.name for gpu in found.gpus if gpu.capability and not _has_code_for(gpu.capability, torch.arches)]
    if strange:
        fix = f"install a torch that has it; this one has {' '.join(torch.arches)}"
        return _fail("torch", f"{name}, without code for {', '.join(strange)}", fix)
    return _ok("torch", name)


def _judge_no_torch(trouble: str) -> Finding:
    """A trainer may do without PyTorch, but none starts with a broken one."""
    if trouble:
        return _fail("torch", f"cannot be imported: {trouble}", "pip install torch, in this environment")
    fix = "if your trainer uses it, install it; for the shipped one: pip install 'sweeper[trainer]'"
    return _warn("torch", "not installed", fix)


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
    return not any(arches)


# GPUs


def judge_driver(found: Found, cards: int) -> Finding:
    """Judge what NVML says; `cards` is the number of NVIDIA's display controllers on the PCI bus."""
    if not found.trouble:
        cuda = f", up to CUDA {found.cuda[0]}.{found.cuda[1]}" if found.cuda else ""
        return _ok("driver", f"NVIDIA {found.driver}{cuda}: {len(found.gpus)} GPUs")
    there = f"{found.trouble}; NVIDIA cards on the bus: {cards}"
    if found.trouble == NO_DRIVER:
        fix = "install NVIDIA's driver; in a container, give it the GPUs (docker run --gpus all)"
        return _warn("driver", there, fix) if cards else _ok("driver", f"{found.trouble}: runs train on the CPU")
    fix = "nvidia-smi says more; after an update of the driver, reboot or reload its modules"
    return _fail("driver", there, fix) if cards else _warn("driver", there, fix)


def judge_gpu(gpu: Gpu) -> Finding:
    """Judge one GPU: whether it works, and its memory's health."""
    size = f" {gpu.memory_mib / 1024:.0f} GiB" if gpu.memory_mib else ""
    found = f"{gpu.model}{size}, {'idle' if gpu.idle else gpu.occupation}"
    if gpu.mig == ():
        fix = "make MIG devices (nvidia-smi mig -cgi ... -C), or leave MIG mode (nvidia-smi -mig 0)"
        return _warn(gpu.name, f"{gpu.model}: {gpu.trouble}", fix)
    if gpu.trouble:
        return _fail(
            gpu.name, gpu.trouble, "reset it (nvidia-smi --gpu-reset) or reboot; until then --gpus leaves it out"
        )
    if gpu.remap == "failed":
        return _fail(
            gpu.name, f"{found}; its memory is worn out", "have it replaced; until then, name the others: --gpus"
        )
    if gpu.remap or gpu.ecc_errors:
        return _warn(
            gpu.name,
            f"{found}; {gpu.ecc_errors} memory errors",
            f"when it is idle: nvidia-smi --gpu-reset -i {gpu.index}",
        )
    if gpu.mig:
        found = f"{gpu.model} in {len(gpu.mig)} MIG devices, {sum(one.idle for one in gpu.mig)} of them idle"
    return _ok(gpu.name, found)


def judge_xids(errors: Sequence[tuple[str, int]]) -> Iterator[Finding]:
    """Judge the driver's messages in the kernel's log, (PCI address, Xid) each; says nothing where all is well."""
    hardware = [(address, number) for address, number in errors if number not in APPLICATION_XIDS]
    if hardware:
        shown = ", ".join(f"{number} on {address}" for address, number in dict.fromkeys(hardware))
        yield _warn(
            "xid", f"the kernel's log has Xid {shown}", "look them up in NVIDIA's Xid catalog: dmesg | grep Xid"
        )


# The machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Disk:
    """A place for files.

    Attributes:
        path: Where.
        free: Bytes for this user.
        file_system: Its type, `ext4` say; empty where it is not known.
        trouble: Why nothing can be written there; empty if it can.
    """

    path: str
    free: int = 0
    file_system: str = ""
    trouble: str = ""


def judge_home(disk: Disk) -> Finding:
    """Judge the place of the state directory."""
    fix = "set SWEEPER_HOME to a directory on a local disk with room"
    found = f"{disk.path}: {_gib(disk.free)} free"
    if disk.trouble:
        return _fail("home", f"{disk.path}: {disk.trouble}", fix)
    if disk.free < GIB:
        return _fail("home", found, f"make room, or {fix}")
    if disk.file_system in NETWORK_FILE_SYSTEMS:
        why = f"{found} on {disk.file_system}, where SQLite's locks do not hold"
        return _warn("home", why, fix)
    if disk.free < 10 * GIB:
        return _warn("home", found, f"make room for runs' files, or {fix}")
    return _ok("home", found)


def judge_shared_memory(disk: Disk) -> Finding:
    """Judge /dev/shm, through which data loaders hand batches to the trainer."""
    fix = "in a container: docker run --shm-size=8g, or --ipc=host; in Kubernetes, an emptyDir of medium Memory"
    if disk.trouble:
        return _fail("shm", f"{disk.path}: {disk.trouble}", f"processes cannot share memory; {fix}")
    found = f"{disk.path}: {_gib(disk.free)} free"
    return _warn("shm", found, fix) if disk.free < GIB else _ok("shm", found)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"


def judge_limit(name: Literal["files", "processes"], soft: int | None, hard: int | None) -> Finding:
    """Judge a limit of `ulimit`: open files of a process, or processes and threads of a user; None is no limit."""
    least, good = {"files": (256, 1024), "processes": (512, 2048)}[name]
    option, wanted = {"files": ("-n", 65536), "processes": ("-u", 16384)}[name]
    what = {"files": "open files a process", "processes": "processes and threads of this user"}[name]
    found = f"{'any number of' if soft is None else soft} {what}"
    if soft is None or soft >= good:
        return _ok(name, found)
    by_hand = hard is None or hard > soft
    fix = f"ulimit {option} {min(hard or wanted, wanted)}" if by_hand else "ask the administrator (limits.conf)"
    return _fail(name, found, fix) if soft < least else _warn(name, found, fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """How the W&B server answered the question whose key this is.

    Attributes:
        kind: The embedded server, or W&B.
        url: Its address; empty where the embedded server is not running.
        status: The answer's HTTP status; 0 for no answer.
        user: Whose the key is; empty where it is nobody's.
        skew_s: How far our clock is ahead of the server's; None where it does not tell.
        trouble: Why there is no answer.
        mode: WANDB_MODE.
    """

    kind: Literal["local", "wandb"]
    url: str = ""
    status: int = 0
    user: str = ""
    skew_s: float | None = None
    trouble: str = ""
    mode: str = ""


def judge_server(answer: Answer) -> Finding:
    """Judge the way to the W&B server."""
    where = f"{answer.url} ({'embedded' if answer.kind == 'local' else 'W&B'})"
    if answer.kind == "local" and not answer.url:
        return _ok("server", "embedded, not running: it starts when it is needed")
    if answer.kind == "wandb" and answer.mode in {"offline", "disabled", "dryrun"}:
        return _fail("server", f"{where}, but WANDB_MODE is {answer.mode}", "unset WANDB_MODE, or take --backend local")
    if not answer.status:
        fix = "check WANDB_BASE_URL, network and proxy, or take the embedded server: --backend local"
        return _fail("server", f"{where} does not answer: {answer.trouble}", fix)
    if answer.status in {401, 403} or (answer.status == 200 and not answer.user):
        return _fail(
            "server", f"{where} refuses the key", "check WANDB_API_KEY, or log in again: wandb login --relogin"
        )
    if answer.status != 200:
        fix = "is WANDB_BASE_URL the address of a W&B server?"
        return _warn("server", f"{where} answers with HTTP status {answer.status}", fix)
    return _ok("server", f"{where}, as {answer.user}")


def judge_clock(skew_s: float | None, year: int) -> Finding:
    """Judge this machine's clock against the server's."""
    fix = "set the clock: timedatectl set-ntp true"
    if year < 2026:
        return _fail("clock", f"it says {year}", fix)
    if skew_s is None:
        return _ok("clock", "no other machine to compare with")
    found = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} the server"
    if abs(skew_s) > MAX_SKEW_S:
        return _fail("clock", found, fix)
    return _warn("clock", found, fix) if abs(skew_s) > MAX_SKEW_S / 10 else _ok("clock", found)


def judge_cluster(job: str | None, *, slurm: bool, ray: str | None) -> Finding:
    """Say what there is beside this machine: a Slurm job's id, whether sbatch is there, Ray's version."""
    around = f"in Slurm job {job}" if job else "Slurm" if slurm else ""
    found = [around, f"Ray {ray}" if ray else ""]
    return _ok("cluster", ", ".join(filter(None, found)) or "none: this machine only")
