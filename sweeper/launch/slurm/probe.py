"""`python -m sweeper.launch.slurm.probe MARK [URL]`: what a compute node sees, asked before anything is submitted."""

from __future__ import annotations

import json
import os
import secrets
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sweeper import __version__, private_files
from sweeper.errors import LaunchError
from sweeper.launch.slurm import commands
from sweeper.processes import python

WITHIN_S = 15
"""Seconds within which a node must be free for it; if none is, the first job will tell."""
_BUSY = ("unable to allocate resources", "immediate", "timed out", "busy", "required node", "not available", "pending")


def look(mark: Path, url: str) -> dict[str, str]:
    """Tell what this machine sees: sweeper's version, the folder, the server.

    Args:
        mark: A file that was just put into the folder that all nodes are to share.
        url: The server's address; empty where it is not up yet.
    """
    seen = {"version": __version__, "folder": _look_at(mark), "server": ""}
    if url:
        from sweeper.backend.http import ask  # a node without a server to ask needs no requests

        try:
            ask(f"{url.rstrip('/')}/healthz", timeout_s=10, direct=False)
        except OSError as error:
            seen["server"] = str(error) or type(error).__name__
    return seen


def _look_at(mark: Path) -> str:
    """Say what is wrong with a shared folder as this machine has it; empty for nothing."""
    if not mark.parent.is_dir():
        return "missing"
    if not mark.exists():
        return "another"
    return "" if os.access(mark.parent, os.W_OK) else "read-only"


def check(folder: Path, url: str, options: Sequence[str], environ: Mapping[str, str]) -> str:
    """Have a compute node look, and refuse what no job could work with.

    Args:
        folder: One that all nodes are to share.
        url: The server's address; empty where it is not up yet.
        options: Where to: the partition, who pays.
        environ: The user's environment.

    Returns:
        Why no node could be asked now; empty if one was.

    Raises:
        LaunchError: The node does not see the folder or the server, or has another sweeper.
    """
    command = ["srun", f"--immediate={WITHIN_S}", "--nodes=1", "--ntasks=1", "--time=2", "--quiet", *options]
    mark = folder / f".probe-{secrets.token_hex(8)}"
    command += python("-m", "sweeper.launch.slurm.probe", str(mark), url)
    try:
        private_files.replace(mark, "")  # a node may have a folder of its own of that name
        said = commands.ask(*command, environ=environ, timeout_s=WITHIN_S * 4)
    except commands.SlurmError as error:
        if any(word in error.message.lower() for word in _BUSY) or "does not answer" in error.message:
            return error.message
        if any(word in error.message.lower() for word in ("sweeper", "execve", "no such file")):
            what = f"a compute node cannot start this sweeper ({sys.executable}): {error.message}"
            raise LaunchError(what, "install it on a file system that all nodes share") from error
        raise
    finally:
        mark.unlink(missing_ok=True)
    judge(json.loads(said.strip().splitlines()[-1]), folder, url)
    return ""


def judge(seen: Mapping[str, str], folder: Path, url: str) -> None:
    """Refuse what a node told of itself.

    Raises:
        LaunchError: It does not see the folder or the server, or has another sweeper.
    """
    if seen["folder"]:
        wrong = {
            "missing": f"a compute node does not see {folder}",
            "another": f"a compute node has another folder at {folder} than this machine",
            "read-only": f"a compute node may not write into {folder}",
        }
        fix = f"set SWEEPER_HOME to a folder that all nodes share, and create the sweep there; look: srun df {folder}"
        raise LaunchError(wrong[seen["folder"]], fix)
    if seen["version"] != __version__:
        fix = "use one installation on a file system that all nodes share"
        raise LaunchError(f"a compute node has sweeper {seen['version']}, and this machine {__version__}", fix)
    if seen["server"]:
        fix = f"look: srun curl {url}/healthz; without --server the server is a job, which nodes reach"
        raise LaunchError(f"a compute node does not reach {url}: {seen['server']}", fix)


def main(argv: Sequence[str]) -> int:
    """Print what this node sees as a line of JSON."""
    print(json.dumps(look(Path(argv[0]), argv[1] if len(argv) > 1 else "")))  # noqa: T201 whoever asked reads it
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
