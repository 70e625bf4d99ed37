"""A sweep's own scheduler beside a launch: the SDK's `wandb sweep-scheduler`, which proposes the runs (wandb 0.31).

One scheduler is enough for a sweep, and two would not know of each other's runs: one is started only where none is
heard of, and only on our own server, which tells.
"""

from __future__ import annotations

import contextlib
import importlib.util
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sweeper import private_files
from sweeper.backend import run_orders
from sweeper.definition.metric import Scheduler
from sweeper.errors import LaunchError, SweeperError
from sweeper.processes import python
from sweeper.ref import SweepRef
from sweeper.worker.run_log import tail

POLL_S = 5
"""How often it looks for results; it takes no less (wandb 0.31)."""
GRACE_S = 10.0
_PACKAGES = {"wandb": "sweeps", "optuna": "optuna", "ax": "ax"}
_INSTALL = {
    "sweeps": "pip install sweeps (0.3.0 needs numpy below 2)",
    "optuna": "pip install optuna",
    "ax": "pip install ax-platform",
}
# `python -m wandb` with one thing before it; the module is named in this text only, where no tool finds it
_WANDB = """
import runpy
from sweeper.processes import die_with_parent

die_with_parent()
runpy.run_module("wandb", run_name="__main__", alter_sys=True)
"""


def check(scheduler: Scheduler) -> None:
    """See that a scheduler could work here.

    Raises:
        LaunchError: Its package or its source is missing.
    """
    package = _PACKAGES[scheduler.engine]
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:  # a folder `sweeps` with sweep files is no package
        fix = f"{_INSTALL[package]}, or leave `scheduler:` out: this server's own search needs nothing"
        raise LaunchError(f"`scheduler: {{engine: {scheduler.engine}}}` needs the package {package}", fix)
    if scheduler.source is not None and not Path(scheduler.source).is_file():
        fix = "stand in the directory that its path starts from"
        raise LaunchError(f"the scheduler's source {scheduler.source} is not in {Path.cwd()}", fix)


@dataclass
class SchedulerProcess:
    """The scheduler of one launch.

    Attributes:
        ref: The sweep.
        environ: Its environment: the W&B server and its key.
        log: The file with what it prints.
        runs: How many runs it keeps under way.
        process: It, once started.
    """

    ref: SweepRef
    environ: Mapping[str, str]
    log: Path
    runs: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def pids(self) -> tuple[int, ...]:
        """Its process, if it was started."""
        return () if self.process is None else (self.process.pid,)

    def start(self) -> None:
        """Start it, in a session of its own: Ctrl-C is for the launch alone, which ends it when no run needs it."""
        options = ["--batch-size", str(self.runs), "--poll-interval", str(POLL_S)]
        folder = self.log.with_name("scheduler")
        # its own log goes there if that is there, and else to /tmp
        (folder / "wandb").mkdir(parents=True, exist_ok=True)
        env = {**self.environ, "WANDB_SILENT": "false", "WANDB_QUIET": "false", "WANDB_DIR": str(folder)}
        with private_files.open_file(self.log, "ab") as log:
            self.process = subprocess.Popen(
                python("-c", _WANDB, "sweep-scheduler", *options, self.ref.path),
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def failure(self) -> str:
        """Say why it gave up, with the last error of its log; empty if it has not."""
        if self.process is None or not self.process.poll():
            return ""
        lines = tail(self.log).splitlines()
        last = next((line for line in reversed(lines) if line.startswith("wandb: ERROR")), lines[-1] if lines else "")
        return f"the scheduler gave up: {last.removeprefix('wandb: ERROR ') or 'it said nothing'} (log: {self.log})"

    def close(self) -> None:
        """End it, and tell the server, which would otherwise take it to be at work for a while."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            with contextlib.suppress(subprocess.TimeoutExpired):  # it waits for its own poll, up to POLL_S
                self.process.wait(GRACE_S)
            self.process.kill()
            self.process.wait()
        with contextlib.suppress(SweeperError):
            run_orders.set_state(self.ref.controller_run, "failed")
