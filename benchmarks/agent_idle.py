"""How long a stock `wandb.agent(function=...)` idles between runs, and how fast Ctrl-C ends it.

The same agent twice on the same server: as it is, and as one whose heartbeats are answered at once (it names itself in
the header that our own workers send). Idle is the time from a function's return to the next call, which holds what the
SDK itself does between two runs: it ends its service process and starts another (0.25 s on a quiet machine).

    .venv/bin/python benchmarks/agent_idle.py [--quick] [--seconds 6] [--runs 6]
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
AGENT = """
import sys, time, wandb

seconds = float(sys.argv[3])

def trial():
    print("start", time.time(), flush=True)
    with wandb.init() as run:
        end = time.time() + seconds
        while time.time() < end:
            time.sleep(0.02)  # short, so that an exception can get in
        run.log({"loss": run.config.x})
    print("end", time.time(), flush=True)

wandb.agent(sys.argv[1], function=trial, entity="local", project="bench", count=int(sys.argv[2]))
"""
DEFINITION = {"method": "random", "metric": {"name": "loss"}, "parameters": {"x": {"min": 0.0, "max": 1.0}}}
AT_ONCE = {"WANDB_X_EXTRA_HTTP_HEADERS": json.dumps({"X-Sweeper-Holder": "benchmark"})}


class Session:
    """A state directory with a server, and agents."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sweep.json").write_text(json.dumps(DEFINITION))
        self.env = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        self.env |= {"SWEEPER_HOME": str(folder / "home"), "HOME": str(folder), "PYTHONPATH": str(ROOT)}

    def sweeper(self, *args: str) -> str:
        """Run a command."""
        command = [sys.executable, "-m", "sweeper", *args]
        return subprocess.run(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, text=True).stdout

    def agent(self, count: int, seconds: float, **environ: str) -> subprocess.Popen[str]:
        """Start an agent of a new sweep."""
        self.sweeper("create", "--backend", "local", "--project", "bench", "sweep.json")
        sweep = json.loads(self.sweeper("status", "--json"))["sweep"].rpartition("/")[2]
        server = self.folder / "home" / "server"
        sdk = {
            "WANDB_BASE_URL": json.loads((server / "server.json").read_text())["url"],
            "WANDB_API_KEY": (server / "api-key").read_text().strip(),
            "WANDB_ERROR_REPORTING": "false",
        }
        command = [sys.executable, "-c", AGENT, sweep, str(count), str(seconds)]
        env = {**self.env, **sdk, **environ}
        return subprocess.Popen(command, cwd=self.folder, env=env, stdout=subprocess.PIPE, stderr=2, text=True)


def idle(agent: subprocess.Popen[str]) -> list[float]:
    """Let an agent end; the times between its runs."""
    words = [line.split() for line in agent.communicate()[0].splitlines() if line.startswith(("start ", "end "))]
    pairs = itertools.pairwise(words)
    return [float(after[1]) - float(before[1]) for before, after in pairs if before[0] == "end" and after[0] == "start"]


def interrupted(agent: subprocess.Popen[str], after_s: float) -> float:
    """Interrupt an agent some time after its run's start; how long it takes to end."""
    next(line for line in agent.stdout or () if line.startswith("start"))
    time.sleep(after_s)
    agent.send_signal(signal.SIGINT)
    begin = time.monotonic()
    agent.communicate()
    return time.monotonic() - begin


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="three runs, one interruption")
    parser.add_argument("--seconds", type=float, default=6.0, help="length of a run")
    parser.add_argument("--runs", type=int, default=6)
    wanted = parser.parse_args()
    count, moments = (3, [8.0]) if wanted.quick else (wanted.runs, [3.0, 8.0, 12.0])
    with tempfile.TemporaryDirectory() as folder:
        session = Session(Path(folder))
        try:
            held = idle(session.agent(count, wanted.seconds))
            plain = idle(session.agent(count, wanted.seconds, **AT_ONCE))
            ends = [interrupted(session.agent(2, 60), after) for after in moments]
            plain_ends = [interrupted(session.agent(2, 60, **AT_ONCE), after) for after in moments]
        finally:
            session.sweeper("server", "stop")
            time.sleep(1)
    print(f"idle between {count} runs of {wanted.seconds:g} s, held heartbeats: {_shown(held)}")
    print(f"the same, heartbeats answered at once: {_shown(plain)}")
    print(f"at once / held = {statistics.median(plain) / statistics.median(held):.1f}")
    print(f"from Ctrl-C to the agent's end: held {_shown(ends)}; at once {_shown(plain_ends)}")


def _shown(times: list[float]) -> str:
    return f"median {statistics.median(times):.2f} s, worst {max(times):.2f} s"


if __name__ == "__main__":
    main()
