"""Write the trained net as one ONNX file."""

from __future__ import annotations

import contextlib
import importlib
from pathlib import Path

import torch
from torch import nn

# The first export of a process imports 1,800 modules (7 to 10 s; the export itself takes 1 s). Importing them with
# this module lets a forkserver that preloads `trainer.train` pay once for all runs: these three bring all but 50.
# The names are internal to torch and onnxscript: where another version has moved one, the first export is slow again.
for _module in (
    "torch.export._trace",
    "torch.onnx._internal.exporter._compat",
    "onnxscript.function_libs.torch_lib.ops",
):
    with contextlib.suppress(ImportError):
        importlib.import_module(_module)


def export_onnx(model: nn.Module, path: Path) -> None:
    """Write `images` `(batch, 1, 28, 28)` -> `logits` `(batch, classes)`, any batch size, weights inside the file.

    Moves the model to the CPU and into evaluation mode.
    """
    torch.onnx.export(
        model.cpu().eval(),
        (torch.zeros(2, 1, 28, 28),),  # not one image: torch.export may take sizes 0 and 1 for constants
        path,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        external_data=False,  # else the weights lie in a second file that is easily lost
        verbose=False,
    )
