"""Write the trained net as one ONNX file, and check that it is the net."""

from __future__ import annotations

import copy
import os
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
import torch.onnx  # or it is imported when it is first used, in each run
from torch import nn

# Otherwise onnxruntime (1.29 to 1.32) leaves a device id in the home directory and calls its makers. Read at import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # noqa: TID251
import onnxruntime

TOLERANCE = 1e-3
"""A difference between two correct programs is rounding: about 1e-6 on logits of about 10."""

INPUT, OUTPUT = "images", "logits"


class ExportError(RuntimeError):
    """The file does not compute what the net computes."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What there is to know of the file.

    Attributes:
        opset: Of ONNX's standard operators.
        inputs: Its input, in words: name, shape and type.
        max_difference: Between its logits and the net's, over the images it was checked with.
    """

    opset: int
    inputs: str
    max_difference: float


def export_onnx(model: nn.Module, images: torch.Tensor, path: Path) -> Exported:
    """Write `images` `(batch, channels, side, side)` in [0, 1] -> `logits` `(batch, classes)`, for any batch size.

    The weights lie inside the file. The model is left as it is.

    Args:
        model: The net.
        images: Some to check the file with.
        path: The file.

    Raises:
        ExportError: The file and the net differ by more than rounding.
    """
    model, images = copy.deepcopy(model).cpu().eval(), images.cpu()
    with warnings.catch_warnings():
        # dynamo=False, because the other way imports 1,800 modules: 9.5 s where this takes 0.05 s (torch 2.15).
        # It says that it is the older way.
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            model,
            (images[:2].contiguous(),),
            path,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_axes={INPUT: {0: "batch"}, OUTPUT: {0: "batch"}},
            dynamo=False,
        )
    graph = onnx.load(path)
    onnx.checker.check_model(graph, full_check=True)
    difference = _max_difference(model, images, path)
    if not difference <= TOLERANCE:  # also when it is no number
        raise ExportError(f"{path.name} and the net differ by {difference:.2g} on {len(images)} images")
    shape = ", ".join(["batch", *map(str, images.shape[1:])])
    return Exported(graph.opset_import[0].version, f"{INPUT} ({shape}) float32 in [0, 1]", difference)


@torch.no_grad()
def _max_difference(model: nn.Module, images: torch.Tensor, path: Path) -> float:
    """Compare the file's logits with the net's, for a batch of another size than it was exported with."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run([OUTPUT], {INPUT: images.numpy()})
    return float(np.abs(np.asarray(logits) - model(images).numpy()).max())
