"""Slurm's own commands: asked, and quoted where they refuse."""

from __future__ import annotations

import shlex
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sweeper.errors import LaunchError

TIMEOUT_S = 60.0
_MORE = {
    "partition": "sinfo -s",
    "qos": "sacctmgr show assoc user=$USER format=account,qos,maxjobs,maxsubmit",
    "limit": "sacctmgr show assoc user=$USER format=account,qos,maxjobs,maxsubmit",
    "account": "sacctmgr show assoc user=$USER format=account,partition,qos",
    "array": "scontrol show config | grep -i array",
    "node": "sinfo -N -l",
    "gres": "sinfo -o '%P %G %D'",
    "time": "sinfo -o '%P %l'",
}
"""The command that shows more, by a word of the refusal."""


class SlurmError(LaunchError):
    """Slurm refused, or does not answer."""


def check_here() -> None:
    """Make sure that this machine has Slurm's commands.

    Raises:
        LaunchError: It has not.
    """
    if shutil.which("sbatch") is None:
        fix = (
            "log in where jobs are submitted (`module load slurm` on some sites), or launch on this machine: --on local"
        )
        raise LaunchError("there is no Slurm here: no sbatch on PATH", fix)


def ask(*command: str, environ: Mapping[str, str] | None = None, timeout_s: float = TIMEOUT_S) -> str:
    """Run a command and give what it prints.

    Raises:
        SlurmError: It fails, or takes too long.
    """
    try:
        done = subprocess.run(
            command,
            env=None if environ is None else dict(environ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
    except FileNotFoundError as error:
        raise SlurmError(f"there is no {command[0]} on PATH", "log in where Slurm's commands are") from error
    except subprocess.TimeoutExpired as error:
        raise SlurmError(f"{command[0]} does not answer within {timeout_s:g} s", "look: scontrol ping") from error
    if done.returncode:
        said = _said(done.stderr or done.stdout)
        raise SlurmError(
            f"{command[0]} refused: {said}", f"what it was asked: {shlex.join(command)}; more: {more(said)}"
        )
    return done.stdout


def submit(script: Path, environ: Mapping[str, str], *options: str) -> str:
    """Submit a script; give the job's number.

    Raises:
        SlurmError: It is refused.
    """
    return ask("sbatch", "--parsable", *options, str(script), environ=environ).strip().partition(";")[0]


def more(said: str) -> str:
    """Name the command that shows more about a refusal."""
    return next((command for word, command in _MORE.items() if word in said.lower()), "scontrol ping; sinfo")


def _said(text: str) -> str:
    """Take the words of an error out of what a command printed."""
    lines = [line.partition("error: ")[2] or line.strip() for line in text.splitlines() if line.strip()]
    return "; ".join(dict.fromkeys(lines)) or "it said nothing"
