"""Fixtures for everything that runs real processes: a state directory, an environment and a command line of its own."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import textwrap
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import psutil
import pytest

from tests.documented_json import assert_documented

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # tests that import onnxruntime would leave its device id in the home

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as of every command that a script puts into the background
    signal.signal(signal.SIGINT, signal.default_int_handler)  # or what tests start would be deaf to a Ctrl-C

# No test is timed, and one that fails fails again: new examples are for a longer search by hand (--hypothesis-profile).
hypothesis.settings.register_profile("sweeper", deadline=None, derandomize=True)
hypothesis.settings.register_profile("search", deadline=None, max_examples=10_000)
hypothesis.settings.register_profile("fuzz", deadline=None, max_examples=4_000, print_blob=True)
hypothesis.settings.load_profile("sweeper")

ROOT = Path(__file__).parents[1]
TIMEOUT_S = 150


def open_direct(request: str | urllib.request.Request, context: ssl.SSLContext | None = None) -> Any:
    """Open an address of this machine. Not by `urlopen`, which keeps the proxies of its first use for ever."""
    own = urllib.request.HTTPSHandler(context=context)
    return urllib.request.build_opener(urllib.request.ProxyHandler({}), own).open(request, timeout=60)


def clean_environ(home: Path) -> dict[str, str]:
    """The shell's environment without any W&B or sweeper setting, and a home directory without logins."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_", "CUDA_"))}
    env |= {"SWEEPER_HOME": str(home), "HOME": str(home), "NETRC": str(home / "netrc"), "COLUMNS": "80"}
    env["PYTHONPATH"] = str(ROOT)
    return env


WORK = """
import os, sys, time
from pathlib import Path
from sweeper.launch.local import LocalLauncher
from sweeper.worker.spec import WorkerSpec
launcher = LocalLauncher(os.environ)
handles = launcher.start([WorkerSpec.load(Path(sys.argv[1]))])
while (state := launcher.states(handles)[handles[0].id]).works:
    time.sleep(0.05)
launcher.close()
print(state)
"""


def work(orders: Path, *, cwd: Path, env: dict[str, str]) -> str:
    """Have one worker do what its orders say; tell the state it ended in."""
    command = [sys.executable, "-P", "-c", WORK, str(orders)]
    done = subprocess.run(command, cwd=cwd, env=env, stdout=subprocess.PIPE, text=True, timeout=120, check=True)
    return done.stdout.strip()


@dataclass
class User:
    """A person at a terminal: a folder to stand in, an environment, and the `sweeper` command.

    Attributes:
        folder: Where they stand.
        home: Their SWEEPER_HOME.
        environ: Their environment.
        sweeper: How they start the command.
    """

    folder: Path
    home: Path
    environ: dict[str, str]
    sweeper: tuple[str, ...] = (sys.executable, "-m", "sweeper")
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def write(self, name: str, text: str) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def start(self, *args: object, **environ: str) -> subprocess.Popen[str]:
        """Start `sweeper ...` and leave it running."""
        return self._start(*self.sweeper, *args, **environ)

    def script(self, *args: object, **environ: str) -> subprocess.Popen[str]:
        """Start Python, for example on a script of the folder that may use the SDK, and leave it running."""
        return self._start(sys.executable, *args, **environ)

    def _start(self, *command: object, **environ: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*map(str, command)],
            cwd=self.folder,
            env={**self.environ, **environ},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.started.append(process)
        return process

    def run(self, *args: object, code: int = 0, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `sweeper ...` and expect an exit code."""
        process = self.start(*args, **environ)
        stdout, stderr = process.communicate(timeout=TIMEOUT_S)
        assert process.returncode == code, f"exit {process.returncode}\n{stdout}\n{stderr}\n{self.logs()}"
        return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)

    def status(self, **environ: str) -> dict[str, Any]:
        """Read `sweeper status --json`."""
        status: dict[str, Any] = self.told("status", **environ)
        return status

    def told(self, verb: str, *args: object, code: int = 0, **environ: str) -> Any:
        """Read what `sweeper VERB ... --json` prints, which is as docs/json.md describes it."""
        document = json.loads(self.run(*verb.split(), *args, "--json", code=code, **environ).stdout)
        assert_documented(verb, document)
        return document

    def error(self, *args: object, code: int = 1, **environ: str) -> dict[str, str]:
        """Read the error that `sweeper ... --json` prints; stderr has its words, too."""
        done = self.run(*args, "--json", code=code, **environ)
        document = json.loads(done.stdout)
        assert_documented("error", document)
        error: dict[str, str] = document["error"]
        assert error["message"] in done.stderr
        return error

    def python(self, code: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run a Python script that may use the SDK."""
        process = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code)],
            cwd=self.folder,
            env={**self.environ, **environ},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        assert process.returncode == 0, f"{process.stdout}\n{process.stderr}"
        return process

    def serve(self) -> dict[str, str]:
        """Start a server in the foreground and give the variables that point the SDK at it."""
        self.start("serve", "--data", self.home / "server")
        self.wait(lambda: "http" in self.start("server", "status").communicate()[0], "the server")
        return self.sdk()

    def sdk(self) -> dict[str, str]:
        """The two variables that point the SDK at this user's embedded server."""
        record = json.loads((self.home / "server" / "server.json").read_text())
        key = (self.home / "server" / "api-key").read_text().strip()
        return {"WANDB_BASE_URL": record["url"], "WANDB_API_KEY": key, "WANDB_SILENT": "true"}

    def logs(self) -> str:
        """All logs of workers, runs and server, for a failed assertion."""
        files = [*self.home.glob("sweeps/**/*.log"), *self.home.glob("server/*.log")]
        return "\n".join(f"--- {file.name}\n{file.read_text(errors='replace')[-3000:]}" for file in files)

    def processes(self, *words: str) -> list[psutil.Process]:
        """Every living process of this user's whose command line has these words."""
        found = [process for process in psutil.process_iter() if self._is_ours(process)]
        return [process for process in found if all(word in command_of(process) for word in words)]

    def run_process(self) -> psutil.Process:
        """The process of the first run: the first log is its output."""
        log = str(min(self.home.glob("sweeps/**/runs/*-0001.log")))
        return next(process for process in self.processes() if _has_open(process, log))

    def only_the_server_is_left(self) -> bool:
        """Whether all processes but the background server and its search process have ended."""
        commands = [command for command in map(command_of, self.processes()) if command]
        return len([command for command in commands if "sweeper.server.rules.search_process" not in command]) == 1

    def _is_ours(self, process: psutil.Process) -> bool:
        try:
            return process.environ().get("SWEEPER_HOME") == str(self.home)
        except psutil.Error:
            return False

    def end(self) -> None:
        """End every process of this user's."""
        for process in self.processes():
            with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                process.kill()
        for started in self.started:
            started.communicate()

    def wait(self, condition: Callable[[], object], what: str, timeout_s: float = 60) -> Any:
        """Wait until something holds."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if found := condition():
                return found
            time.sleep(0.1)
        alive = [command_of(process) for process in self.processes()]
        raise AssertionError(f"waited {timeout_s} s for {what}\n{alive}\n{self.logs()}")


def command_of(process: psutil.Process) -> str:
    """Give a process's command line; nothing if it has just died, be it after it was found."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


def has_ended(process: psutil.Process) -> bool:
    """Whether a process has ended, be its end noticed by its parent or not."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def _has_open(process: psutil.Process, path: str) -> bool:
    """Whether a process of Python, which wandb-core is not, has a file open."""
    try:
        return "python" in process.name() and any(path == file.path for file in process.open_files())
    except psutil.Error:
        return False


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a person kill the server as often as they have time for."""
    parser.addoption("--kills", type=int, default=4, help="how often tests/e2e/test_kills.py kills its server")


def pytest_configure() -> None:
    """Have all that the tests and their processes leave behind lie in one folder, which goes with them.

    `tmp_path` stays where pytest puts it: of failed tests it is looked at afterwards.
    """
    if "PYTEST_XDIST_WORKER" in os.environ:
        return
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = tempfile.mkdtemp(prefix="t")
    Path(folder).chmod(0o711)  # a test that becomes another user finds its own files in it
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


@pytest.fixture
def scratch() -> Iterator[Path]:
    """A TMPDIR for a test that looks what is left there; its path is short, for the sake of sockets."""
    folder = Path(tempfile.mkdtemp(prefix="t"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def user(tmp_path: Path) -> Iterator[User]:
    """A user whose every process has ended when the test has."""
    folder, home = tmp_path / "work", tmp_path / "home"
    folder.mkdir()
    home.mkdir()
    user = User(folder, home, clean_environ(home))
    yield user
    user.end()


@dataclass
class FakeNvml:
    """A machine's GPUs as NVML tells of them, through a libnvidia-ml.so.1 of our own: see fake_nvml/fake_nvml.c.

    Attributes:
        file: What it answers.
        environ: The variables with which a process finds it.
    """

    file: Path
    environ: dict[str, str]

    def set(self, *lines: str) -> dict[str, str]:
        """Say what the machine has; give the variables."""
        self.file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return self.environ


def compiled(library: Path, source: str) -> Path:
    """Compile a library of the tests' own, or skip the test."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("no C compiler (Debian: gcc libc6-dev)")
    options = ["-std=gnu11", "-shared", "-fPIC", f"-Wl,-soname,{library.name}", "-o", library]
    done = subprocess.run([compiler, *options, Path(__file__).parent / source], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return library


@pytest.fixture(scope="session")
def nvml_library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the test double, compiled."""
    return compiled(tmp_path_factory.mktemp("nvml") / "libnvidia-ml.so.1", "fake_nvml/fake_nvml.c").parent


@pytest.fixture(scope="session")
def power_layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The library that notes what a process does to a disk (power_layer/power_layer.c), compiled."""
    return compiled(tmp_path_factory.mktemp("power") / "power_layer.so", "power_layer/power_layer.c")


@pytest.fixture
def nvml(nvml_library: Path, tmp_path: Path) -> FakeNvml:
    """A machine whose GPUs the test decides; none to begin with."""
    file = tmp_path / "nvml.txt"
    file.touch()
    return FakeNvml(file, {"LD_LIBRARY_PATH": str(nvml_library), "FAKE_NVML": str(file)})
