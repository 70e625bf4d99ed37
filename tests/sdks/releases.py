"""The releases of the SDK that are tried, one of each minor version, each in an environment of its own.

`.cache/sdks/RELEASE` is made by uv when it is missing. `SDKS="0.18.7 0.22.3"` names the releases of a round; without it
all are tried.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import filelock
import psutil
import pytest

FOLDER = Path(__file__).parents[2] / ".cache" / "sdks"
OURS = "0.31.0"
"""The release that sweeper's own environment has."""
RELEASES = (
    *("0.15.12", "0.16.6", "0.17.9", "0.18.7", "0.19.11", "0.20.1", "0.21.4", "0.22.3", "0.23.1"),
    *("0.24.2", "0.25.1", "0.26.1", "0.27.2", "0.28.2", "0.29.0", "0.30.0", OURS),
)
# numpy 2 is newer than the first of them, and so is a setuptools without pkg_resources
BESIDE = ("numpy<2", "pillow", "setuptools<81")
TIMEOUT_S = 150


def wanted() -> tuple[str, ...]:
    """Give the releases of this round, the oldest first.

    Raises:
        pytest.UsageError: `SDKS` names one that is not tried here.
    """
    named = os.environ.get("SDKS", "").split() or RELEASES
    if unknown := sorted(set(named) - set(RELEASES)):
        raise pytest.UsageError(f"SDKS: {', '.join(unknown)}: the releases here are {' '.join(RELEASES)}")
    return tuple(release for release in RELEASES if release in named)


def environment(release: str) -> Path:
    """Give the folder of an environment with a release; skips the test where the index has no such packages for us."""
    if release == OURS:
        return Path(sys.prefix)
    folder = FOLDER / release
    FOLDER.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(FOLDER / f"{release}.lock"):
        if not (folder / ".installed").exists():
            uv = [sys.executable, "-m", "uv"]
            install = [
                *uv,
                "pip",
                "install",
                "--quiet",
                "--compile-bytecode",
                "--python",
                str(folder / "bin" / "python"),
            ]
            for command in (
                [*uv, "venv", "--quiet", "--clear", "--python", sys.executable, str(folder)],
                [*install, f"wandb=={release}", *BESIDE],
            ):
                if subprocess.run(command).returncode != 0:
                    pytest.skip(f"no environment with wandb {release}: the package index does not give it")
            (folder / ".installed").touch()
    return folder


@dataclass(frozen=True)
class Sdk:
    """One SDK, pointed at a server of a test's own.

    Attributes:
        user: Who uses it.
        release: Which one it is.
        python: The interpreter that has it.
        environ: The variables for it.
    """

    user: Any
    release: str
    python: Path
    environ: dict[str, str]

    def script(self, file: Path, *arguments: str) -> Any:
        """Run a script and read what it prints last."""
        return json.loads(self._run(file, *arguments).stdout.splitlines()[-1])

    def says(self, code: str, **environ: str) -> Any:
        """Run a few lines and read the JSON that they print last."""
        return json.loads(self._run("-c", textwrap.dedent(code), **environ).stdout.splitlines()[-1])

    def wandb(self, *arguments: str) -> str:
        """Run `wandb ...`; give what it says."""
        done = self._run("-m", "wandb", *arguments, WANDB_SILENT="false")
        return done.stdout + done.stderr

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start `wandb ...`."""
        command = [self.python, "-m", "wandb", *arguments]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        process = subprocess.Popen(command, cwd=self.user.folder, env=self.environ, text=True, **quiet)
        self.user.started.append(process)
        return process

    def _run(self, *arguments: object, **environ: str) -> subprocess.CompletedProcess[str]:
        process = subprocess.Popen(
            [str(self.python), *map(str, arguments)],
            cwd=self.user.folder,
            env={**self.environ, **environ, "PYTHONFAULTHANDLER": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )
        self.user.started.append(process)
        try:
            stdout, stderr = process.communicate(timeout=TIMEOUT_S)
        except subprocess.TimeoutExpired:
            stdout, stderr = _where_it_hangs(process)
        assert process.returncode == 0, f"{stdout}\n{stderr}\n{self.user.logs()}"
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def _where_it_hangs(process: subprocess.Popen[str]) -> tuple[str, str]:
    """End an SDK that hangs, and have it and its service say where: each writes its stacks to stderr."""
    for child in psutil.Process(process.pid).children(recursive=True):
        if "wandb-core" in child.name():
            child.send_signal(signal.SIGQUIT)
    process.send_signal(signal.SIGABRT)
    return process.communicate(timeout=20)


def pointed(user: Any, release: str, folder: Path) -> Sdk:
    """Start a server of this test's own, and point an SDK at it; it writes its files into the folder."""
    home = environment(release)
    # rows are sent every second, not every 15; before 0.19 the setting has no X
    often = {f"WANDB_{x}_FILE_STREAM_TRANSMIT_INTERVAL": "1" for x in ("X", "")}
    address = {**user.serve(), "WANDB_DIR": str(folder), **often}
    environ = {name: value for name, value in user.environ.items() if name != "PYTHONPATH"}
    path = f"{home / 'bin'}:{user.environ['PATH']}"  # where ${interpreter} is looked for
    return Sdk(user, release, home / "bin" / "python", {**environ, **address, "PATH": path})
