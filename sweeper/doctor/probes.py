"""What `sweeper doctor` asks the machine: every question has a time limit, and one that fails is a finding, too."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import psutil

from sweeper.backend import choose, embedded_server, http
from sweeper.doctor import checks, gpu_checks
from sweeper.doctor.checks import Disk, ServerAnswer
from sweeper.doctor.gpu_checks import Torch
from sweeper.errors import BackendError
from sweeper.findings import Finding, fail
from sweeper.launch.gpus import Found, find_gpus
from sweeper.machine_errors import in_words
from sweeper.settings import Backend, BackendChoice, Settings

Fact = TypeVar("Fact")

TIMEOUT_S = 15.0
TORCH_TIMEOUT_S = 90.0
"""Importing torch takes 4 s from a warm disk, and half a minute from a cold network one."""
HTTP_TIMEOUT_S = 5.0

_TORCH = """
import importlib.util, json, sys
if importlib.util.find_spec("torch") is None:
    print("{}")
    sys.exit()
import torch
print(json.dumps({"version": torch.__version__, "cuda": torch.version.cuda, "hip": torch.version.hip,
                  "available": torch.cuda.is_available(), "arches": torch.cuda.get_arch_list()}))
"""
_XID = re.compile(r"NVRM: Xid \((?:PCI:)?([^)]+)\): (\d+)")


def examine(settings: Settings, choice: BackendChoice = "auto") -> Iterator[Finding]:
    """Look at everything that a launch needs; the questions are asked at once, the findings come in a fixed order.

    Args:
        settings: The user's environment.
        choice: Which server.
    """
    torch = _start(lambda: _ask_torch(settings))  # first, as it takes longest
    gpus = _start(find_gpus)
    xids = _start(_ask_xids)
    home = _start(lambda: _ask_disk(settings.home))
    shared = _start(lambda: _ask_disk(Path("/dev/shm")))  # noqa: S108 what is judged
    server = _start(lambda: _ask_server(settings, choice))

    yield checks.judge_python(sys.version_info[:3], sys.platform)
    yield checks.judge_wandb(_installed("wandb"))
    trouble = _trouble(gpus, TIMEOUT_S)
    found = Found(trouble=f"the NVIDIA driver: {trouble[0]}") if trouble else gpus.result()
    yield gpu_checks.judge_driver(found, _count_cards())
    yield from map(gpu_checks.judge_gpu, found.gpus)
    yield from _judged("xid", xids, gpu_checks.judge_xids if found.gpus else lambda _: ())
    yield from _judged("torch", torch, lambda fact: [gpu_checks.judge_torch(fact, found)], TORCH_TIMEOUT_S)
    yield from _judged("home", home, lambda fact: [checks.judge_home(fact)])
    if sys.platform == "linux":
        yield from _judged("shm", shared, lambda fact: [checks.judge_shared_memory(fact)])
    yield checks.judge_limit("files", *_limits(resource.RLIMIT_NOFILE))
    yield checks.judge_limit("processes", *_limits(resource.RLIMIT_NPROC))
    yield from _judged("server", server, lambda fact: [checks.judge_server(fact)])
    # the findings of the server are out by now: there is nothing to wait for
    skew_s = None if _trouble(server, 0) else server.result().skew_s
    yield checks.judge_clock(skew_s, datetime.now(UTC).year)
    env = settings.environ
    slurm = shutil.which("sbatch", path=env.get("PATH")) is not None
    yield checks.judge_cluster(env.get("SLURM_JOB_ID"), slurm=slurm, ray=_installed("ray"))


# Time limits


def _start(question: Callable[[], Fact]) -> Future[Fact]:
    """Ask in a thread that nobody has to wait for: a dead network disk may never answer."""
    future: Future[Fact] = Future()

    def work() -> None:
        try:
            future.set_result(question())
        except Exception as error:  # noqa: BLE001 it goes to whoever reads the answer
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future


def _trouble(future: Future[Any], timeout_s: float) -> tuple[str, str] | None:
    """Wait for an answer; say what went wrong with it, and the fix."""
    try:
        error = future.exception(timeout_s)
    except TimeoutError:
        error = subprocess.TimeoutExpired([], timeout_s)
    if error is None:
        return None
    if isinstance(error, subprocess.TimeoutExpired):
        return f"no answer within {error.timeout:g} s", "a slow or dead disk, network or driver: see dmesg and mount"
    if told := in_words(error):
        return told.message, told.hint
    return f"{type(error).__name__}: {error}", "this is a fault of sweeper"


def _judged(
    check: str, future: Future[Fact], judge: Callable[[Fact], Iterable[Finding]], timeout_s: float = TIMEOUT_S
) -> Iterator[Finding]:
    trouble = _trouble(future, timeout_s)
    if trouble:
        yield fail(check, *trouble)
    else:
        yield from judge(future.result())


# Software


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _ask_torch(settings: Settings) -> Torch:
    """Import torch in a process of its own, which may crash, hang, or take the GPU."""
    # a launch sets it for each slot, so what it hides from this shell says nothing about the machine
    env = {name: value for name, value in settings.environ.items() if name != "CUDA_VISIBLE_DEVICES"}
    command = [sys.executable, "-c", _TORCH]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=TORCH_TIMEOUT_S)
    said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
    if done.returncode:
        return Torch(trouble=said[-1] if said else f"exit code {done.returncode}")
    facts = json.loads(done.stdout.splitlines()[-1])  # plug-ins of torch may greet before
    warnings = [line.partition("Warning: ")[2] for line in said if "Warning: " in line]
    return Torch(**{**facts, "arches": tuple(facts.get("arches", ()))}, trouble=warnings[0][:200] if warnings else "")


def _count_cards() -> int:
    """Count NVIDIA's display controllers (PCI class 03) on the bus, driver or not."""
    devices = Path("/sys/bus/pci/devices").glob("*/")
    return sum(_id(device / "vendor") == "0x10de" and _id(device / "class").startswith("0x03") for device in devices)


def _id(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii").strip()
    except OSError:
        return ""


def _ask_xids() -> list[tuple[str, int]]:
    """Read the kernel's log, where this user may."""
    dmesg = shutil.which("dmesg")
    if dmesg is None:
        return []
    done = subprocess.run([dmesg], capture_output=True, text=True, errors="replace", timeout=HTTP_TIMEOUT_S)
    return [(address, int(number)) for address, number in _XID.findall(done.stdout)]


# The machine


def _ask_disk(path: Path) -> Disk:
    """Look at a directory, or at what it will be made in."""
    place = next(folder for folder in (path, *path.parents) if folder.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".sweeper-"):
            pass
    except OSError as error:
        return Disk(path=str(path), trouble=f"cannot write there: {error.strerror}")
    return Disk(path=str(path), free=shutil.disk_usage(place).free, file_system=_file_system(place))


def _file_system(place: Path) -> str:
    """Name the type of the file system: that of the longest mount point which the path begins with, mounted last."""
    resolved = place.resolve()
    mounts = [mount for mount in psutil.disk_partitions(all=True) if resolved.is_relative_to(mount.mountpoint)]
    deepest = max((len(mount.mountpoint) for mount in mounts), default=0)
    return next((mount.fstype for mount in reversed(mounts) if len(mount.mountpoint) == deepest), "")


def _limits(number: int) -> tuple[int | None, int | None]:
    soft, hard = (None if limit == resource.RLIM_INFINITY else limit for limit in resource.getrlimit(number))
    return soft, hard


# The server


def _ask_server(settings: Settings, choice: BackendChoice) -> ServerAnswer:
    """Ask the server that `--backend` means whose the key is; starts none.

    Raises:
        BackendError: There are no credentials for W&B, or WANDB_BASE_URL is no address.
    """
    backend = choose.chosen_backend(settings, choice)
    if backend is not None:
        return _ask_whose_key(backend, settings)
    record = embedded_server.find(settings.home)
    return (
        _ask_whose_key(embedded_server.backend(settings.home, record), settings)
        if record
        else ServerAnswer(kind="local")
    )


def _ask_whose_key(backend: Backend, settings: Settings) -> ServerAnswer:
    if urlsplit(backend.base_url).scheme not in {"http", "https"}:
        raise BackendError(f"{backend.base_url} is no address", "write http://HOST:PORT or https://HOST")
    about = ServerAnswer(kind=backend.kind, url=backend.base_url, mode=settings.environ.get("WANDB_MODE", ""))
    try:
        reply = http.ask(
            f"{backend.base_url.rstrip('/')}/graphql",
            timeout_s=HTTP_TIMEOUT_S,
            direct=backend.kind == "local",
            method="POST",
            body=b'{"query": "query Viewer { viewer { username } }"}',
            key=backend.api_key or settings.login_key(backend.base_url) or "",
        )
    except OSError as error:
        return replace(about, trouble=str(error))
    return replace(about, status=reply.status, user=_user(reply), skew_s=_skew_s(reply.date))


def _user(reply: http.Reply) -> str:
    try:
        return str(reply.json()["data"]["viewer"]["username"])
    except (ValueError, KeyError, TypeError):
        return ""


def _skew_s(date: str) -> float | None:
    try:
        return (datetime.now(UTC) - parsedate_to_datetime(date)).total_seconds()
    except (TypeError, ValueError):
        return None
