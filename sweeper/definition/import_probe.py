"""Whether a function can be imported, tried in a process of its own: a user's module may do anything when it is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

LIMIT_S = 20.0
"""How long an import may take; one that takes longer may still be right."""

_CODE = """
import importlib, json, sys, traceback
module, name, answer = sys.argv[1:]
sys.argv = [module]
found = {}
try:
    function = getattr(importlib.import_module(module), name, None)
    if function is None:
        found = {"error": f"{module} has no function {name!r}"}
    elif not callable(function):
        found = {"error": f"{module}:{name} is no function, it is {type(function).__name__}"}
except BaseException as error:
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    own = [frame for frame in frames if "importlib" not in frame.filename]
    where = f" ({own[-1].filename}, line {own[-1].lineno})" if own else ""
    said = traceback.format_exception_only(error)[-1].strip()
    found = {"error": f"cannot import {module}: {said}{where}"}
with open(answer, "w") as file:
    json.dump(found, file)
import os
os._exit(0)
"""


def import_error(target: str, environ: Mapping[str, str], *, limit_s: float = LIMIT_S) -> str | None:
    """Import `package.module:function` in a process of its own, in the current folder.

    Args:
        target: The function.
        environ: The environment for it.
        limit_s: Seconds it may take.

    Returns:
        What went wrong, in words; None if it is there.

    Raises:
        TimeoutError: It takes longer, so that nobody knows.
    """
    module, _, name = target.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "answer"
        command = [sys.executable, "-c", _CODE, module, name, str(answer)]
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
            return f"importing {module} ends Python with {how}"
        found: dict[str, str] = json.loads(answer.read_text(encoding="utf-8"))
        return found.get("error")
