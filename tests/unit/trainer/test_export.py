"""The ONNX file, and what importing the trainer costs a process that forks runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from trainer.export import export_onnx
from trainer.model import ConvNet

ROOT = Path(__file__).parents[3]

IMPORT_PROBE = """
import json, multiprocessing, sys, threading
import psutil
import trainer.train, torch
print(json.dumps({
    "threads": threading.active_count(),
    "children": len(psutil.Process().children(recursive=True)),
    "cuda": torch.cuda.is_initialized(),
    "torchvision": "torchvision" in sys.modules,
    "exporter": "torch._dynamo" in sys.modules and "onnxscript" in sys.modules,
}))
"""


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[ConvNet, Path]:
    """Give a net and the file it was exported to."""
    torch.manual_seed(0)
    model = ConvNet((4, 8), classes=10)
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    export_onnx(model, path)
    return model, path


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_exported_net_equals_the_net(exported: tuple[ConvNet, Path], batch: int) -> None:
    """The file gives the net's logits, for batches of any size."""
    model, path = exported
    images = torch.rand(batch, 1, 28, 28, generator=torch.Generator().manual_seed(batch))
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"images": images.numpy()})
    np.testing.assert_allclose(logits, model(images).detach().numpy(), atol=1e-5)


def test_exported_net_is_one_file(exported: tuple[ConvNet, Path]) -> None:
    """The weights lie inside: nothing else has to be kept."""
    _, path = exported
    assert [file.name for file in path.parent.iterdir()] == ["model.onnx"]


def test_export_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The exporter's notes to its developers do not reach the user's terminal."""
    export_onnx(ConvNet((2, 2), classes=10), tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")


def test_import_leaves_the_process_safe_to_fork() -> None:
    """A forkserver may preload the trainer: no thread, no child, no CUDA, no torchvision; the exporter is in."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_PROBE], cwd=ROOT, capture_output=True, text=True, timeout=100, check=True
    )
    assert json.loads(done.stdout) == {
        "threads": 1,
        "children": 0,
        "cuda": False,
        "torchvision": False,
        "exporter": True,
    }
    assert done.stderr == ""
