"""The Python that starts scripts: sweeper's own, or the one of the environment that the trainer lives in.

Nothing of sweeper need be installed there. A script is started with `python`, which a run looks for on its PATH, and
is told all else by its environment, which the SDK reads, of whatever version it is there.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sweeper.definition.obstacle import Obstacle
from sweeper.errors import TrainerError

if TYPE_CHECKING:
    from sweeper.definition.program import Choice  # here alone: commands name an interpreter before they need pydantic

PYTHON = "SWEEPER_PYTHON"
"""Names that Python in the environment; `--python` does so for one command."""
SDK = "SWEEPER_PYTHON_WANDB"
"""Names the version of the SDK that it has."""
OLDEST_SDK = (0, 15)
"""Of a script; older ones have not been tried."""
LIMIT_S = 60.0
"""How long it may take to import the SDK; from a cold network disk it is half of that."""
NAMES = ("python", "python3")
"""What scripts, shells and `command:` call it."""

_LOOK = """
import json, sys
found = {"python": list(sys.version_info[:2])}
try:
    import wandb
    found["wandb"] = getattr(wandb, "__version__", None)  # a folder of this name is none
except ImportError as error:
    found["error"] = str(error) if getattr(error, "name", None) != "wandb" else ""
except Exception as error:
    found["error"] = type(error).__name__ + ": " + str(error)
sys.stdout.write("\\n" + json.dumps(found) + "\\n")
"""
# prints what is wrong with a script, as Python says it
_COMPILE = """
import sys, warnings
warnings.simplefilter("ignore")
try:
    compile(open(sys.argv[1], "rb").read(), sys.argv[1], "exec", dont_inherit=True)
except (SyntaxError, ValueError) as error:
    line = getattr(error, "lineno", None)
    said = getattr(error, "msg", None) or str(error)
    where = ", line %d" % line if line else ""
    sys.stdout.write("\\n%s: %s: %s\\n" % (where, type(error).__name__, said))
"""


def chosen(asked: str | None, environ: Mapping[str, str]) -> dict[str, str]:
    """Make an environment in which scripts start with the Python that the user names, which is tried first.

    Args:
        asked: What `--python` says; None for what the environment says, if anything.
        environ: The environment.

    Raises:
        TrainerError: It is no Python, or no run could log from there.
    """
    text = asked or environ.get(PYTHON)
    without = {name: value for name, value in environ.items() if name not in {PYTHON, SDK}}
    if not text:
        return without
    source = "--python" if asked else PYTHON
    path = _find(text, source, environ)
    if _is_ours(path):
        return without
    return {**without, PYTHON: str(path), SDK: _sdk_of(path, f"{source} {text}", environ)}


def _find(text: str, source: str, environ: Mapping[str, str]) -> Path:
    """Find the file; links stay as they are, for the environment of a Python is the one whose link started it."""
    what = f"{source} {text}"
    if "/" not in text and not Path(text).exists():
        found = shutil.which(text, path=environ.get("PATH", os.defpath))
        if found is None:
            raise TrainerError(f"{what}: there is no such command on PATH", "name its file, such as .venv/bin/python")
        return Path(found).absolute()
    path = Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 `resolve` would follow the link
    inner = next((path / "bin" / name for name in NAMES if (path / "bin" / name).is_file()), None)
    if inner is not None:  # the folder of an environment
        return inner
    if path.is_dir():
        raise TrainerError(f"{what} is a folder without bin/python", "name the Python itself")
    if not path.is_file():
        raise TrainerError(f"{what}: there is no such file", "name a Python, such as .venv/bin/python")
    if not os.access(path, os.X_OK):
        raise TrainerError(f"{what} may not be executed", f"name a Python, or chmod +x {shlex.quote(text)}")
    return path


def _is_ours(path: Path) -> bool:
    own = Path(sys.executable)
    return path.parent == own.parent and path.resolve() == own.resolve()


def _sdk_of(path: Path, what: str, environ: Mapping[str, str]) -> str:
    """Have it import the SDK; give the version.

    Raises:
        TrainerError: It is no Python, or has no SDK that could log.
    """
    try:
        found = json.loads(_answer(path, "-c", _LOOK, environ=environ).splitlines()[-1])
        python, version, error = found["python"], found.get("wandb"), found.get("error")
    except subprocess.TimeoutExpired as late:
        raise TrainerError(f"{what} takes longer than {LIMIT_S:g} s to import wandb", "is its disk slow?") from late
    except (OSError, ValueError, LookupError, TypeError) as fault:
        raise TrainerError(f"{what} is no Python", "name a Python, such as .venv/bin/python") from fault
    install = f"{shlex.quote(str(path))} -m pip install"
    if error:
        said = " ".join(error.split())
        raise TrainerError(
            f"{what} cannot import wandb: {said:.300}", f"mend that environment: {install} --upgrade wandb"
        )
    if not version:
        number = ".".join(map(str, python))
        raise TrainerError(f"{what} (Python {number}) has no wandb, so no run could log", f"{install} wandb")
    if tuple(int(part) for part in str(version).split(".")[:2] if part.isdecimal()) < OLDEST_SDK:
        oldest = ".".join(map(str, OLDEST_SDK))
        fix = f"{install} 'wandb>={oldest}'"
        raise TrainerError(f"{what} has wandb {version}, and the oldest that sweeper knows is {oldest}", fix)
    return str(version)


def _answer(path: Path, *arguments: str, environ: Mapping[str, str]) -> str:
    """Run it in a folder of its own, so that nothing of the user's is imported, and read what it prints."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [str(path), *arguments],
            cwd=folder,
            env={**environ, "WANDB_MODE": "disabled", "WANDB_DIR": folder},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
        )
    return done.stdout


def option(python: str | None) -> str:
    """Write the option for a command that shall take the same Python; empty where none was named."""
    return f" --python {shlex.quote(python)}" if python else ""


def refusal(choice: Choice, environ: Mapping[str, str]) -> Iterator[Obstacle]:
    """Say why another Python cannot run a choice, if it cannot: functions are called in sweeper's own process."""
    path = environ.get(PYTHON)
    if path and choice.command is None:
        there = f"{shlex.quote(path)} -m pip install sweeper"
        yield Obstacle(
            "wrong",
            choice.key,
            f"{choice.target} is a function, which sweeper calls in its own Python, and --python is for scripts",
            f"name a script (`program: train.py`), or install sweeper there and launch from it: {there}",
        )


def own(environ: Mapping[str, str]) -> Path:
    """Give the Python that scripts start with."""
    return Path(environ.get(PYTHON) or sys.executable)


def path_of_runs(environ: Mapping[str, str]) -> str:
    """Give the PATH of a run: the folder of that Python comes first, also where no environment is active."""
    return os.pathsep.join(filter(None, [str(own(environ).parent), environ.get("PATH")]))


def executable(name: str, environ: Mapping[str, str]) -> str | None:
    """Find a command as a run will; None if there is none."""
    if name in NAMES and environ.get(PYTHON):
        return environ[PYTHON]
    return shutil.which(name, path=path_of_runs({"PATH": os.defpath, **environ}))


def starts(found: str, environ: Mapping[str, str]) -> bool:
    """Whether a command that was found is that Python, of whose modules something can be known."""
    return Path(found).parent == own(environ).parent


@lru_cache(maxsize=64)
def _compiled(path: Path, script: Path, _changed_ns: int) -> str:
    try:
        said = _answer(path, "-c", _COMPILE, str(script), environ={})
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.strip("\n")


def fault_in(script: Path, environ: Mapping[str, str]) -> str:
    """Say what another Python does not read in a script: `, line 3: SyntaxError: ...`; empty if it reads all."""
    return _compiled(own(environ), script.absolute(), script.stat().st_mtime_ns)


def for_runs(environ: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Complete the environment of workers whose runs start scripts with another Python.

    Args:
        environ: Theirs, as `chosen` has left it.
        folder: Where to write a `python`, for a Python that has another name where it lies.
    """
    env = dict(environ)
    if PYTHON not in env:
        return env
    path = Path(env[PYTHON])
    home = path.parent.parent
    env.pop("VIRTUAL_ENV", None)  # it names the environment of sweeper
    if (home / "pyvenv.cfg").is_file():
        env["VIRTUAL_ENV"] = str(home)
    beside = path.parent / NAMES[0]
    if not (beside.exists() and beside.samefile(path)):
        folder.mkdir(mode=0o700)
        for name in NAMES:  # no link: of one, Python would not find its environment
            (folder / name).write_text(f'#!/bin/sh\nexec {shlex.quote(str(path))} "$@"\n')
            (folder / name).chmod(0o700)
        env["PATH"] = path_of_runs(env)
        env[PYTHON] = str(folder / NAMES[0])
    return env
