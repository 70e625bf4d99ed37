"""`python -m sweeper.results.onnx_run FILE BYTES SECONDS`: a model checked and run, in a process that can do no harm.

A model is a program of whoever trained it: it may ask for any time and memory. It gets neither more of these than it is
given, nor a file to write, nor, where the kernel lets us, a network.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64"}  # the others have numpy's own names
_NEW_USER, _NEW_NETWORK = 0x10000000, 0x40000000  # linux/sched.h
MAX_VALUES = 1000
"""Inputs and outputs that are described."""


def confine(memory: int, cpu_s: int) -> None:
    """Bound what this process can take, for good.

    Args:
        memory: Bytes of memory of its own.
        cpu_s: Seconds of one core.
    """
    if sys.platform == "linux":  # before any thread is there; a kernel that forbids it leaves us the network
        ctypes.CDLL(None).unshare(_NEW_USER | _NEW_NETWORK)
    limits = {resource.RLIMIT_DATA: memory, resource.RLIMIT_CPU: cpu_s, resource.RLIMIT_FSIZE: 0}
    for limit, value in limits.items():
        hard = resource.getrlimit(limit)[1]
        least = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (least, least))


def describe(path: Path) -> dict[str, Any]:
    """Check a model by the standard's rules and compute its outputs once, from zeros."""
    import onnx
    import onnxruntime

    onnx.checker.check_model(str(path), full_check=True)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    if len(session.get_inputs()) + len(session.get_outputs()) > MAX_VALUES:
        raise ValueError(f"it has more than {MAX_VALUES} inputs and outputs")
    session.run(None, {value.name: _zeros(value) for value in session.get_inputs()})
    # the default domain has two spellings
    opset = next(item.version for item in onnx.load(path).opset_import if item.domain in {"", "ai.onnx"})
    return {"opset": opset, "inputs": _shapes(session.get_inputs()), "outputs": _shapes(session.get_outputs())}


def _zeros(value: Any) -> Any:
    import numpy as np

    shape = [side if isinstance(side, int) else 1 for side in value.shape]  # the name of a side stands for any length
    return np.zeros(shape, dtype=_DTYPES.get(value.type, value.type[len("tensor(") : -1]))


def _shapes(values: Sequence[Any]) -> dict[str, list[int | str]]:
    return {value.name: [side if isinstance(side, int) else side or "?" for side in value.shape] for value in values}


def main(file: str, memory: str, seconds: str) -> None:
    """Describe a model on stdout, or say what is wrong with it."""
    answer = os.dup(1)
    os.dup2(2, 1)  # what the libraries print is no part of it
    confine(int(memory), int(seconds))
    try:
        said = describe(Path(file))
    except Exception as error:  # noqa: BLE001 onnx and onnxruntime have a dozen classes without a common one
        said = {"error": " ".join(str(error).split())[:300] or type(error).__name__}
    os.write(answer, json.dumps(said).encode())


if __name__ == "__main__":
    main(*sys.argv[1:])
