"""Whether an ONNX file is whole, by the standard's own rules and by running it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sweeper.errors import ResultError

_DTYPES = {"tensor(float)": "float32", "tensor(double)": "float64"}  # the others have numpy's own names


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
    """Check a file with `onnx.checker`, and compute its outputs once, from zeros.

    Without onnx and onnxruntime, which only the extra `trainer` brings, nothing is checked, and the result says so.

    Raises:
        ResultError: It is no model, or does not run.
    """
    # onnxruntime (1.29 to 1.32) otherwise leaves a device id in the home directory and calls its makers
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # noqa: TID251 it knows no other way to be told
    try:
        import onnx
        import onnxruntime
    except ImportError as error:
        return ModelFile(path=str(path), unchecked=f"{error}; pip install onnx onnxruntime")

    try:
        onnx.checker.check_model(str(path), full_check=True)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        session.run(None, {value.name: _zeros(value) for value in session.get_inputs()})
        # the default domain has two spellings
        opset = next(item.version for item in onnx.load(path).opset_import if item.domain in {"", "ai.onnx"})
    except Exception as error:  # onnx and onnxruntime have a dozen classes without a common one
        why = " ".join(str(error).split())[:300]
        raise ResultError(f"{path} is no model that works: {why}", "see the run's page for what it exported") from error
    return ModelFile(
        path=str(path), opset=opset, inputs=_shapes(session.get_inputs()), outputs=_shapes(session.get_outputs())
    )


def _zeros(value: Any) -> Any:
    import numpy as np

    shape = [side if isinstance(side, int) else 1 for side in value.shape]  # the name of a side stands for any length
    return np.zeros(shape, dtype=_DTYPES.get(value.type, value.type[len("tensor(") : -1]))


def _shapes(values: Sequence[Any]) -> dict[str, list[int | str]]:
    return {value.name: [side if isinstance(side, int) else side or "?" for side in value.shape] for value in values}
