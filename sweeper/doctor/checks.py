"""What can be wrong with a machine: each check turns facts into a verdict, with the fix. It asks nothing itself.

What concerns GPUs stands in gpu_checks.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sweeper.findings import Finding, fail, ok, warn

WANDB_FLOOR, WANDB_TESTED = (0, 18), (0, 31)
"""The oldest SDK we can drive, and the newest we have tested; pyproject.toml and constraints.txt say the same."""

NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb2", "smb3", "smbfs", "lustre", "gpfs", "beegfs", "ceph", "fuse.ceph"}
    | {"glusterfs", "fuse.glusterfs", "fuse.sshfs", "fuse.s3fs", "fuse.gcsfuse", "fuse.rclone", "fuse.juicefs"}
    | {"afs", "9p", "panfs", "wekafs"}
)
GIB = 1 << 30
MAX_SKEW_S = 300.0


def judge_python(version: Sequence[int], platform: str) -> Finding:
    """Judge the interpreter; `platform` is `sys.platform`'s word."""
    found = f"{_dotted(version[:3])} on {platform}"
    if tuple(version[:2]) < (3, 11):
        return fail("python", found, "sweeper needs Python 3.11 or newer")
    if platform != "linux":
        return warn("python", found, "only Linux ends the runs of a killed launcher; elsewhere look for left-overs")
    return ok("python", found)


def judge_wandb(version: str | None) -> Finding:
    """Judge the SDK's version; None where it is not installed."""
    if version is None:
        return fail("wandb", "not installed", f"pip install 'wandb>={_dotted(WANDB_FLOOR)}'")
    number = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
    if number < WANDB_FLOOR:
        return fail("wandb", version, f"pip install --upgrade 'wandb>={_dotted(WANDB_FLOOR)}'")
    if number > WANDB_TESTED:  # the SDK is known by its words in places, and those change
        fix = f"if runs misbehave: pip install 'wandb~={_dotted(WANDB_TESTED)}.0'"
        return warn("wandb", f"{version}, newer than sweeper knows", fix)
    return ok("wandb", version)


def _dotted(version: Sequence[int]) -> str:
    return ".".join(map(str, version))


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
        return fail("home", f"{disk.path}: {disk.trouble}", fix)
    if disk.free < GIB:
        return fail("home", found, f"make room, or {fix}")
    if disk.file_system in NETWORK_FILE_SYSTEMS:
        why = f"{found} on {disk.file_system}, where SQLite's locks do not hold"
        return warn("home", why, fix)
    if disk.free < 10 * GIB:
        return warn("home", found, f"make room for runs' files, or {fix}")
    return ok("home", found)


def judge_shared_memory(disk: Disk) -> Finding:
    """Judge /dev/shm, through which data loaders hand batches to the trainer."""
    # Docker gives 64 MiB, which the workers of one data loader fill with their first batches
    fix = "in a container: docker run --shm-size=8g, or --ipc=host; in Kubernetes, an emptyDir of medium Memory"
    if disk.trouble:
        return fail("shm", f"{disk.path}: {disk.trouble}", f"processes cannot share memory; {fix}")
    found = f"{disk.path}: {_gib(disk.free)} free"
    return warn("shm", found, fix) if disk.free < GIB else ok("shm", found)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"


def judge_limit(name: Literal["files", "processes"], soft: int | None, hard: int | None) -> Finding:
    """Judge a limit of `ulimit`: open files of a process, or processes and threads of a user; None is no limit."""
    least, good = {"files": (256, 1024), "processes": (512, 2048)}[name]
    option, wanted = {"files": ("-n", 65536), "processes": ("-u", 16384)}[name]
    what = {"files": "open files a process", "processes": "processes and threads of this user"}[name]
    found = f"{'any number of' if soft is None else soft} {what}"
    if soft is None or soft >= good:
        return ok(name, found)
    by_hand = hard is None or hard > soft
    fix = f"ulimit {option} {min(hard or wanted, wanted)}" if by_hand else "ask the administrator (limits.conf)"
    return fail(name, found, fix) if soft < least else warn(name, found, fix)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerAnswer:
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


def judge_server(answer: ServerAnswer) -> Finding:
    """Judge the way to the W&B server."""
    where = f"{answer.url} ({'embedded' if answer.kind == 'local' else 'W&B'})"
    if answer.kind == "local" and not answer.url:
        return ok("server", "embedded, not running: it starts when it is needed")
    if answer.kind == "wandb" and answer.mode in {"offline", "disabled", "dryrun"}:
        return fail("server", f"{where}, but WANDB_MODE is {answer.mode}", "unset WANDB_MODE, or take --backend local")
    if not answer.status:
        fix = "check WANDB_BASE_URL, network and proxy, or take the embedded server: --backend local"
        return fail("server", f"{where} does not answer: {answer.trouble}", fix)
    if answer.status in {401, 403} or (answer.status == 200 and not answer.user):
        return fail("server", f"{where} refuses the key", "check WANDB_API_KEY, or log in again: wandb login --relogin")
    if answer.status != 200:
        fix = "is WANDB_BASE_URL the address of a W&B server?"
        return warn("server", f"{where} answers with HTTP status {answer.status}", fix)
    return ok("server", f"{where}, as {answer.user}")


def judge_clock(skew_s: float | None, year: int) -> Finding:
    """Judge this machine's clock against the server's."""
    fix = "set the clock: timedatectl set-ntp true"
    if year < 2026:  # a machine whose clock lost its battery: no TLS certificate is valid yet there
        return fail("clock", f"it says {year}", fix)
    if skew_s is None:
        return ok("clock", "no other machine to compare with")
    found = f"{abs(skew_s):.0f} s {'ahead of' if skew_s > 0 else 'behind'} the server"
    if abs(skew_s) > MAX_SKEW_S:
        return fail("clock", found, fix)
    return warn("clock", found, fix) if abs(skew_s) > MAX_SKEW_S / 10 else ok("clock", found)


def judge_cluster(job: str | None, *, slurm: bool, ray: str | None) -> Finding:
    """Say what there is beside this machine: a Slurm job's id, whether sbatch is there, Ray's version."""
    around = f"in Slurm job {job}" if job else "Slurm" if slurm else ""
    found = [around, f"Ray {ray}" if ray else ""]
    return ok("cluster", ", ".join(filter(None, found)) or "none: this machine only")
