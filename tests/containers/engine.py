"""Images built and containers run by buildah, without an engine: it changes the root and the user, no more."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from tests.conftest import ROOT

USER = 10001
"""Whom the images run as."""
AUTHORITIES = Path("/etc/ssl/certs/ca-certificates.crt")
BASE = "localhost/sweeper-base"
WAIT_S = 900
# where packages come from, and through what: the images know no more of it than their base says
_SETTINGS = ("PIP_INDEX_URL", "UV_DEFAULT_INDEX", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_LEFT_OUT = ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale")


def until(true: Callable[[], bool], what: Callable[[], str]) -> None:
    """Wait for something; `what` tells what was seen where it never comes."""
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, what()
        time.sleep(0.2)


class Container:
    """A command in a container.

    Args:
        process: The buildah that runs it.
        log: What it prints.
    """

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._seen: list[psutil.Process] = []

    @property
    def output(self) -> str:
        """What it has printed so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def inside(self) -> list[psutil.Process]:
        """List what runs in it, the first process first."""
        with contextlib.suppress(psutil.NoSuchProcess):
            found = psutil.Process(self._process.pid).children(recursive=True)
            self._seen = [*self._seen, *(process for process in found if process not in self._seen)]
        return [process for process in self._seen if process.is_running() and not _is_buildah(process)]

    def wait(self) -> int:
        """Wait for its end; give its exit code."""
        return self._process.wait(WAIT_S)

    def stop(self) -> int:
        """Tell the first process to end, as an engine does, and wait for the container's end; give its exit code."""
        for process in self.inside()[:1]:
            process.send_signal(signal.SIGTERM)
        return self.wait()

    def kill(self) -> None:
        """Kill all of it at once, as the end of a machine does."""
        for _ in range(5):  # what was being started meanwhile, too
            for process in self.inside():
                with contextlib.suppress(psutil.NoSuchProcess):
                    process.kill()
        self._process.wait(WAIT_S)


def _is_buildah(process: psutil.Process) -> bool:
    try:
        return "buildah" in process.cmdline()[0]
    except (psutil.Error, IndexError):  # it has ended
        return True


@dataclass(frozen=True)
class Engine:
    """A store of images, kept between runs of the tests for the base alone.

    Attributes:
        store: The folder.
        logs: A folder for what containers print.
    """

    store: Path
    logs: Path

    def buildah(self, *args: object) -> str:
        """Run a command of buildah's to its end; give what it prints."""
        done = subprocess.run(self._command(*args), cwd=ROOT, capture_output=True, text=True)
        assert done.returncode == 0, f"{done.args}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout.strip()

    def _command(self, *args: object) -> list[str]:
        driver = os.environ.get("STORAGE_DRIVER", "vfs")
        place = ["--root", str(self.store), "--runroot", str(self.store / "run"), "--storage-driver", driver]
        return ["buildah", *place, *map(str, args)]

    def make_base(self) -> None:
        """Make what a registry would give: Debian with Python, and this machine's authorities and index."""
        if self.buildah("images", "--quiet", "--filter", f"reference={BASE}"):
            return
        root = self.store.parent / "debian"
        shutil.rmtree(root, ignore_errors=True)
        python = "--include=python3,python3-venv,ca-certificates"
        words = ["debootstrap", "--variant=minbase", python, "bookworm", root]
        subprocess.run(words, check=True, capture_output=True)
        for name in _LEFT_OUT:
            shutil.rmtree(root / name, ignore_errors=True)
        settings = {name: value for name in _SETTINGS if (value := os.environ.get(name))}
        if AUTHORITIES.exists():
            shutil.copy(AUTHORITIES, root / "etc/ssl/certs/ca-certificates.crt")
        settings |= {
            "SSL_CERT_FILE": str(AUTHORITIES),
            "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        }
        container = self.buildah("from", "scratch")
        self.buildah("copy", "--quiet", container, root, "/")
        variables = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
        self.buildah("config", *variables, container)
        self.buildah("commit", "--quiet", "--rm", container, BASE)
        shutil.rmtree(root)

    def build(self, target: str, *arguments: str) -> str:
        """Build a target of docker/Dockerfile; give the image's name."""
        name = f"localhost/sweeper-{target}"
        words = [word for argument in (f"BASE={BASE}", *arguments) for word in ("--build-arg", argument)]
        how = ["--format", "docker", "--isolation", "chroot", "--network", "host", "--pull=never"]
        self.buildah("build", *how, *words, "--file", "docker/Dockerfile", "--target", target, "--tag", name, ".")
        return name

    def create(self, image: str) -> str:
        """Make a container of an image; give its name."""
        return self.buildah("from", "--pull=never", image)

    @contextlib.contextmanager
    def running(
        self, container: str, *command: str, volumes: Mapping[Path, str] | None = None, **environ: str
    ) -> Iterator[Container]:
        """Run a command in a container, with its image's user, and end it with the block.

        Args:
            container: Its name.
            command: The command.
            volumes: Folders and files of this machine, and where they are in it; `:ro` behind that has them read only.
            environ: Further variables.
        """
        mounts = [word for place, there in (volumes or {}).items() for word in ("--volume", f"{place}:{there}")]
        variables = [word for name, value in environ.items() for word in ("--env", f"{name}={value}")]
        log = self.logs / f"{container}-{time.monotonic_ns()}.log"
        with log.open("wb") as file:
            words = self._command("run", "--isolation", "chroot", *mounts, *variables, container, "--", *command)
            process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=file, stderr=file)
        running = Container(process, log)
        try:
            yield running
        finally:
            running.kill()

    def run(
        self, container: str, *command: str, volumes: Mapping[Path, str] | None = None, code: int = 0, **environ: str
    ) -> str:
        """Run a command in a container to its end, and expect an exit code; give what it prints."""
        with self.running(container, *command, volumes=volumes, **environ) as running:
            ended = running.wait()
            assert ended == code, f"exit {ended}: {running.output[-4000:]}"
            return running.output
