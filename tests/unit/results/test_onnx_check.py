"""A model file is checked by the standard and by running it."""

from __future__ import annotations

import sys
from pathlib import Path

import onnx
import pytest
from onnx import TensorProto, helper

from sweeper.errors import ResultError
from sweeper.results.onnx_check import check_model


def _doubler(path: Path, kind: int = TensorProto.FLOAT, **tricks: str) -> Path:
    """Write a model that adds its input to itself."""
    sides = ["batch", 3]
    node = helper.make_node(tricks.get("op", "Add"), ["x", "x"], ["y"])
    values = [helper.make_tensor_value_info(name, kind, sides) for name in ("x", "y")]
    graph = helper.make_graph([node], "doubler", values[:1], values[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    return path


@pytest.mark.parametrize("kind", [TensorProto.FLOAT, TensorProto.DOUBLE, TensorProto.INT64])
def test_a_model_that_runs_is_described(tmp_path, kind):
    """Opset, and each input and output with its shape."""
    checked = check_model(_doubler(tmp_path / "model.onnx", kind))
    assert (checked.opset, checked.inputs, checked.outputs) == (20, {"x": ["batch", 3]}, {"y": ["batch", 3]})


def test_without_onnxruntime_a_model_is_not_checked_and_says_so(tmp_path, monkeypatch):
    """Whoever brings a PyTorch of their own need not have it: the file is there, with the way to check it."""
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # as if it were not installed
    model = check_model(_doubler(tmp_path / "model.onnx"))
    assert (model.path, model.opset) == (str(tmp_path / "model.onnx"), None)
    assert "onnxruntime" in model.unchecked
    assert "pip install onnx onnxruntime" in model.unchecked


def test_a_broken_file_is_named(tmp_path):
    """Half a file, no file, or an operator that does not exist: where it lies and what is wrong."""
    whole = _doubler(tmp_path / "whole.onnx").read_bytes()
    (tmp_path / "half.onnx").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.onnx").write_text("hello")
    _doubler(tmp_path / "op.onnx", op="Magic")
    for name in ("half.onnx", "text.onnx", "op.onnx"):
        with pytest.raises(ResultError, match=f"{name} is no model that works: ") as caught:
            check_model(tmp_path / name)
        assert caught.value.hint
