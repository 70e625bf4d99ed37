"""Models that ask for more than a model needs."""

from __future__ import annotations

import json
import socket
import subprocess

import onnx
import pytest
from onnx import TensorProto, helper

from sweeper.errors import ResultError
from sweeper.processes import python
from sweeper.results.onnx_check import check_model

CONFINED = """
import os, socket, sys
from sweeper.results.onnx_run import confine
confine(2**30, 5)
try:
    bytearray(2**31)
except MemoryError:
    print("memory")
try:
    with open("file", "w") as file:
        file.write("x")
        file.flush()
except OSError:
    print("file")
try:
    socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=2)
except OSError:
    print("network")
"""


def test_a_confined_process_has_its_bounds(tmp_path):
    """Memory and files everywhere; the network where the kernel lets users leave it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        command = python("-c", CONFINED, str(server.getsockname()[1]))
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.stdout.split()[:2] == ["memory", "file"], done.stderr


def test_a_model_that_wants_all_memory_gets_its_share(tmp_path):
    """A kilobyte that asks for 256 GiB: the process ends or says so, and nothing else notices."""
    shape = helper.make_tensor("shape", TensorProto.INT64, [3], [4096, 4096, 4096])
    node = helper.make_node("ConstantOfShape", ["shape"], ["big"])
    total = helper.make_node("ReduceSum", ["big"], ["y"], keepdims=0)
    output = helper.make_tensor_value_info("y", TensorProto.FLOAT, [])
    graph = helper.make_graph([node, total], "bomb", [], [output], initializer=[shape])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, tmp_path / "bomb.onnx")
    with pytest.raises(ResultError, match=r"bomb\.onnx is no model that works"):
        check_model(tmp_path / "bomb.onnx")


def test_a_model_that_never_ends_is_ended(tmp_path):
    """Its loop runs 2**62 times; it gets the seconds of a core that it was given."""
    ints = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.INT64, shape)  # noqa: E731
    yes = helper.make_tensor_value_info("go", TensorProto.BOOL, [])
    on = helper.make_tensor_value_info("on", TensorProto.BOOL, [])
    body = helper.make_graph(
        [helper.make_node("Identity", ["go"], ["on"]), helper.make_node("Add", ["a", "a"], ["b"])],
        "body",
        [ints("i"), yes, ints("a")],
        [on, ints("b")],
    )
    start = [
        helper.make_tensor("n", TensorProto.INT64, [], [2**62]),
        helper.make_tensor("true", TensorProto.BOOL, [], [True]),
        helper.make_tensor("one", TensorProto.INT64, [], [1]),
    ]
    loop = helper.make_node("Loop", ["n", "true", "one"], ["y"], body=body)
    graph = helper.make_graph([loop], "endless", [], [ints("y")], initializer=start)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, tmp_path / "endless.onnx")
    command = python("-m", "sweeper.results.onnx_run", str(tmp_path / "endless.onnx"), str(2**32), "3")
    done = subprocess.run(command, capture_output=True, timeout=60)
    assert done.returncode < 0, json.loads(done.stdout)
