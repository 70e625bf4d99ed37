"""The ONNX file: it is the net, whole, for any batch, in no time, and nobody is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from trainer.export import Exported, ExportError, export_onnx
from trainer.model import ACTIVATIONS, ConvNet

ROOT = Path(__file__).parents[3]
IMAGES = torch.rand(9, 1, 28, 28, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> tuple[ConvNet, Path, Exported]:
    """Give a net, the file it was exported to, and what is known of it."""
    torch.manual_seed(0)
    model = ConvNet((4, 8)).to(memory_format=torch.channels_last)
    path = tmp_path_factory.mktemp("onnx") / "model.onnx"
    return model, path, export_onnx(model, IMAGES, path)


@pytest.mark.parametrize("batch", [1, 2, 7])
def test_exported_net_equals_the_net(exported: tuple[ConvNet, Path, Exported], batch: int) -> None:
    """The file gives the net's logits, for batches of any size."""
    model, path, _ = exported
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"images": IMAGES[:batch].numpy()})
    np.testing.assert_allclose(logits, model(IMAGES[:batch]).detach().numpy(), atol=1e-5)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_every_form_of_the_net_can_be_exported(tmp_path: Path, activation: str) -> None:
    """Colour, depth, dropout and each activation become standard operators."""
    net = ConvNet((2, 3, 4), channels=3, side=32, kernel_size=3, activation=activation, dropout=0.5)
    images = torch.rand(4, 3, 32, 32)
    assert export_onnx(net, images, tmp_path / "model.onnx").max_difference < 1e-4


def test_a_net_can_go_on_after_its_export(tmp_path: Path) -> None:
    """It is not moved, and still in training where it was: what comes after an export finds it as it was."""
    net = ConvNet((2, 3), dropout=0.5).train()
    export_onnx(net, IMAGES, tmp_path / "model.onnx")
    assert net.training


def test_exported_net_is_one_file(exported: tuple[ConvNet, Path, Exported]) -> None:
    """The weights lie inside: nothing else has to be kept."""
    _, path, _ = exported
    assert [file.name for file in path.parent.iterdir()] == ["model.onnx"]


def test_what_is_said_of_the_file_is_true(exported: tuple[ConvNet, Path, Exported]) -> None:
    """Opset, input and difference are those of the file."""
    _, path, said = exported
    graph = onnx.load(path)
    assert said.opset == graph.opset_import[0].version
    assert said.inputs == "images (batch, 1, 28, 28) float32 in [0, 1]"
    assert [value.name for value in graph.graph.input] == ["images"]
    assert graph.graph.input[0].type.tensor_type.shape.dim[0].dim_param == "batch"
    assert 0 <= said.max_difference < 1e-5


def test_a_file_that_is_not_the_net_is_an_error(tmp_path: Path) -> None:
    """A net whose file computes something else must not be kept."""

    class Fickle(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            """Say one thing while it is exported and another afterwards."""
            return images.flatten(1) + (0 if torch.onnx.is_in_onnx_export() else 1)

    with pytest.raises(ExportError, match="differ by 1"):
        export_onnx(Fickle(), IMAGES, tmp_path / "model.onnx")


def test_a_net_that_gives_no_number_is_an_error(tmp_path: Path) -> None:
    """NaN differs from everything, and from itself."""

    class Broken(nn.Module):
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            """Give NaN, but while it is exported."""
            return images.flatten(1) * (1 if torch.onnx.is_in_onnx_export() else float("nan"))

    with pytest.raises(ExportError, match="differ by nan on 9 images"):
        export_onnx(Broken(), IMAGES, tmp_path / "model.onnx")


def test_export_says_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The exporter's notes to its developers do not reach the user's terminal."""
    export_onnx(ConvNet((2, 2)), IMAGES, tmp_path / "model.onnx")
    assert capfd.readouterr() == ("", "")


EXPORT = """
import json, os, sys, torch
from pathlib import Path
from trainer.export import export_onnx
from trainer.model import ConvNet
export_onnx(ConvNet((2, 2)), torch.rand(4, 1, 28, 28), Path(sys.argv[1]))
print(json.dumps(["torch.onnx._internal.exporter._core" in sys.modules, "onnxscript" in sys.modules]))
"""


def test_a_fresh_process_exports_quickly_and_silently(tmp_path: Path) -> None:
    """The exporter that takes 9 s to import stays out, and onnxruntime leaves nothing in the user's home."""
    home = tmp_path / "home"
    home.mkdir()
    command = [sys.executable, "-c", EXPORT, str(tmp_path / "model.onnx")]
    environ = {"HOME": str(home), "PATH": "", "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=100, check=True)
    assert json.loads(done.stdout) == [False, False]
    assert done.stderr == ""
    assert list(home.rglob("*")) == []
