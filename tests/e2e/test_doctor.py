"""`sweeper doctor` on this machine, on a broken one, and where nothing answers."""

from __future__ import annotations

import json
import socket

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TORCH = """
import types
__version__, version = "2.15.0", types.SimpleNamespace(cuda="13.2", hip=None)
cuda = types.SimpleNamespace(is_available=lambda: False, get_arch_list=lambda: [])
"""


@pytest.fixture
def quick(user):
    """A torch that takes no time to import."""
    user.write("torch.py", TORCH)
    return {"PYTHONPATH": f"{user.folder}:{user.environ['PYTHONPATH']}"}


@pytest.mark.long
def test_a_machine_that_runs_sweeps_is_healthy(user):
    """The real torch, the running embedded server and its clock are found, and nothing is changed."""
    url = user.serve()["WANDB_BASE_URL"]
    before = sorted(user.home.rglob("*"))
    findings = {one["check"]: one for one in json.loads(user.run("doctor", "--json").stdout)}
    assert findings["server"]["verdict"] == "ok"
    assert findings["server"]["found"] == f"{url} (embedded), as local"
    assert "the server" in findings["clock"]["found"]
    assert findings["torch"]["verdict"] == "ok"
    assert {"python", "wandb", "driver", "home", "files", "processes", "cluster"} <= findings.keys()
    assert sorted(user.home.rglob("*")) == before


def test_what_is_broken_has_a_fix_and_an_exit_code(user, nvml, quick):
    """A lost GPU and a driver too old for torch: named in 80 columns, with what to do, exit code 1."""
    environ = nvml.set("driver|535.1|12020", "gpu|GPU-1|H100|81559|4|-|-|0", "gpu|GPU-2|H100|81559|4|-|lost|0")
    done = user.run("doctor", code=1, **environ, **quick)
    lines = [line.rstrip() for line in done.stdout.splitlines()]
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("ok    gpu0") and line.endswith("H100 80 GiB, idle") for line in lines)
    assert any(line.startswith("fail  gpu1") and "GPU is lost" in line for line in lines)
    assert any(line.startswith("fail  torch") and "driver 535.1" in line for line in lines)
    assert "fix: update the driver, or install a torch built for CUDA 12" in done.stdout
    assert "2 fail" in done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_a_server_that_never_answers_does_not_hold_the_doctor(user, quick):
    """It takes the connection and says nothing: a finding within seconds, and the others are there as well."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = user.run("doctor", "--json", code=1, WANDB_BASE_URL=url, WANDB_API_KEY="x" * 40, **quick)
    findings = {one["check"]: one for one in json.loads(done.stdout)}
    assert findings["server"]["verdict"] == "fail"
    assert findings["server"]["found"] == f"{url} (W&B) does not answer: timed out"
    assert findings["home"]["verdict"] in {"ok", "warn"}
