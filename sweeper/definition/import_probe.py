"""Whether a function can be imported, tried in a process of its own: a user's module may do anything when it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from sweeper.definition.obstacle import GUARD, Obstacle
from sweeper.definition.program import Choice
from sweeper.processes import python

LIMIT_S = 20.0
"""How long an import may take; one that takes longer may still be right."""

_CODE = """
import importlib, json, os, sys, traceback
sys.path.insert(0, os.getcwd())  # the folder comes first for the user's module, not for the line above
module, name, answer = sys.argv[1:]
sys.argv = [module]
found = {}
try:
    function = getattr(importlib.import_module(module), name, None)
    if getattr(sys.modules.get("wandb"), "run", None) is not None:
        found = {"trains": f"importing {module} calls wandb.init, before there is a run"}
    elif function is None:
        found = {"function": f"{module} has no function {name!r}"}
    elif not callable(function):
        found = {"function": f"{module}:{name} is no function, it is {type(function).__name__}"}
except BaseException as error:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    own = [frame for frame in frames if "importlib" not in frame.filename]
    where = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    said = traceback.format_exception_only(error)[-1].strip()
    found = {"import": f"cannot import {module}: {said}{where}"}
with open(answer, "w") as file:
    json.dump(found, file)
os._exit(0)
"""


def obstacles(choice: Choice, environ: Mapping[str, str], *, limit_s: float = LIMIT_S) -> Iterator[Obstacle]:
    """Import the function that was chosen in a process of its own, in the current folder.

    Args:
        choice: The function.
        environ: The environment for it.
        limit_s: Seconds it may take.
    """
    module, _, name = choice.target.partition(":")
    try:
        found = _answer(module, name, environ, limit_s)
    except TimeoutError as error:
        yield Obstacle("note", choice.key, str(error), "not checked; the launch will tell")
        return
    if said := found.get("import"):
        yield Obstacle("missing", choice.key, said, f"make `python -c 'import {module}'` work here")
    elif said := found.get("trains"):
        yield Obstacle("wrong", choice.key, said, GUARD)
    elif said := found.get("function"):
        yield Obstacle("wrong", choice.key, said, "name a function that takes no arguments")


def _answer(module: str, name: str, environ: Mapping[str, str], limit_s: float) -> dict[str, str]:
    """Tell what went wrong, by its kind; nothing if the function is there.

    Raises:
        TimeoutError: It takes longer, so that nobody knows.
    """
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        command = python("-c", _CODE, module, name, str(answer))
        # W&B is switched off: a script that starts a run when it is imported makes none
        env = {**environ, "WANDB_MODE": "disabled"}
        with subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            try:
                code = process.wait(limit_s)
            except subprocess.TimeoutExpired as error:
                raise TimeoutError(f"importing {module} takes longer than {limit_s:g} s") from error
            finally:
                if process.poll() is None:  # it and what it has started
                    os.killpg(process.pid, signal.SIGKILL)
        if not answer.exists():  # it ended the process by itself, or was killed
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
            return {"import": f"importing {module} ends Python with {how}"}
        found: dict[str, str] = json.loads(answer.read_text(encoding="utf-8"))
        return found
