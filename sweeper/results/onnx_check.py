"""Whether an ONNX file is whole, by the standard's own rules and by running it."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sweeper.errors import ResultError
from sweeper.processes import python

LIMIT_S = 120
"""Seconds that a check may take, of the clock and of a core: the largest models that people export take a few."""
MEMORY = 4 * 2**30
"""Bytes that a check may use, beside six times the model's own: it is read, checked, optimised and run."""
_NEEDED = ("onnx", "onnxruntime")
_KEPT = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "LD_LIBRARY_PATH", "TMPDIR", "VIRTUAL_ENV")
"""What the process that runs a model sees of the environment: no keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelFile:
    """A file that was checked, where there is what checks it.

    Attributes:
        path: Where it lies.
        unchecked: Why it was not checked, and the way out; empty if it was.
        opset: Of ONNX's standard operators; None if it was not checked.
        inputs: Name and shape of each input; a name in a shape is a side of any length.
        outputs: The same of each output.
    """

    path: str
    unchecked: str = ""
    opset: int | None = None
    inputs: dict[str, list[int | str]] = field(default_factory=dict)
    outputs: dict[str, list[int | str]] = field(default_factory=dict)


def check_model(path: Path) -> ModelFile:
    """Check a file with `onnx.checker`, and compute its outputs once, from zeros: in a process with limits of its own.

    Without onnx and onnxruntime, which only the extra `trainer` brings, nothing is checked, and the result says so.

    Raises:
        ResultError: It is no model, does not run, or takes more time or memory than models do.
    """
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        return ModelFile(path=str(path), unchecked=f"{missing[0]} is not installed; pip install {' '.join(_NEEDED)}")
    own = sum(file.stat().st_size for file in path.parent.iterdir() if file.name.startswith(path.name))
    memory = MEMORY + 6 * own
    said = _run(path, memory)
    if "error" in said:
        fix = "see the run's page for what it exported"
        raise ResultError(f"{path} is no model that works: {said['error']}", fix)
    return ModelFile(path=str(path), **said)


def _run(path: Path, memory: int) -> dict[str, Any]:
    env = {name: value for name, value in os.environ.items() if name in _KEPT}  # noqa: TID251 most of it is not for it
    # onnxruntime (1.29 to 1.32) otherwise leaves a device id in the home directory and calls its makers
    env |= {"ORT_DISABLE_TELEMETRY": "1", "MALLOC_ARENA_MAX": "2", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = python("-m", "sweeper.results.onnx_run", str(path.absolute()), str(memory), str(LIMIT_S))
    try:
        done = subprocess.run(
            command, env=env, cwd=path.parent, capture_output=True, timeout=LIMIT_S, stdin=subprocess.DEVNULL
        )
    except subprocess.TimeoutExpired:
        return {"error": f"its check takes more than {LIMIT_S} s"}
    try:
        said: dict[str, Any] = json.loads(done.stdout)
    except ValueError:  # it was killed, by its limits or by what they made of it
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2][:300]
        return {"error": f"its check ended with code {done.returncode}, it may use {memory / 2**30:.0f} GiB: {last}"}
    return said
