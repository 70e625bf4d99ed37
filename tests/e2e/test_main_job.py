"""The main job, with the real SDK, the real server and real processes: create, launch, status."""

from __future__ import annotations

import json
import stat

import onnx
import pytest

from sweeper.launch.cores import usable_cores

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TOY = """
import os, wandb

def train():
    with wandb.init() as run:
        for step in range(3):
            run.log({"loss": run.config.x + 1 / (step + 1)})
        run.summary["pid"] = os.getpid()
        run.summary["device"] = os.environ["CUDA_VISIBLE_DEVICES"]
        run.summary["threads"] = os.environ["OMP_NUM_THREADS"]
"""
GRID = """
method: grid
name: toy
project: toys
metric: {name: loss, goal: minimize}
parameters:
  x: {values: [1, 2, 3, 4]}
"""


def test_create_launch_status(user, nvml):
    """A grid of four on two GPUs' slots: each configuration once, a fresh pinned process each, the best one shown."""
    user.write("toy.py", TOY)
    created = user.run("create", user.write("grid.yaml", GRID))
    assert "local/toys/" in created.stdout
    assert "http://127.0.0.1:" in created.stdout
    assert "runs   4" in created.stdout
    assert "next: sweeper launch" in created.stdout
    assert "embedded server" in created.stderr

    # a container without the driver's library: only its program tells of GPUs
    user.write("nvidia-smi", "#!/bin/sh\n").chmod(0o755)
    no_library = {**nvml.set("init|12"), "PATH": f"{user.folder}:{user.environ['PATH']}"}
    launched = user.run("launch", "--gpus", "0,1", "--trainer", "toy:train", **no_library)
    assert "no NVIDIA driver" in launched.stderr
    assert "these numbers are unchecked" in " ".join(launched.stderr.split())
    assert "4/4" in launched.stdout

    status = user.status()
    assert (status["state"], status["done"], status["total"]) == ("finished", 4, 4)
    assert sorted(run["params"]["x"] for run in status["runs"]) == [1, 2, 3, 4]
    assert {run["state"] for run in status["runs"]} == {"finished"}
    assert {run["slot"] for run in status["runs"]} == {"gpu0", "gpu1"}
    assert status["best"]["params"] == {"x": 1}
    assert status["best"]["best"] == pytest.approx(1 + 1 / 3)

    code = "import wandb, json; print(json.dumps([dict(r.summary_metrics) for r in wandb.Api().runs('local/toys')]))"
    summaries = json.loads(user.python(code, **user.sdk()).stdout)
    assert len({summary["pid"] for summary in summaries}) == 4
    assert {summary["device"] for summary in summaries} == {"0", "1"}
    assert {summary["threads"] for summary in summaries} == {str(max(1, usable_cores() // 2))}


SEES = """
import os, wandb

def train():
    with wandb.init() as run:
        names = ("CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER", "OMP_NUM_THREADS")
        run.log({"loss": run.config.x})
        run.summary["sees"] = " ".join(os.environ[name] for name in names)
"""


def sights(user) -> set[str]:
    """What the runs saw."""
    code = "import wandb; print(*(run.summary_metrics['sees'] for run in wandb.Api().runs('local/toys')), sep='\\n')"
    return set(user.python(code, **user.sdk()).stdout.splitlines())


def test_runs_are_pinned_to_the_uuids_of_their_gpus(user, nvml):
    """A GPU, a MIG device and a busy GPU by number, UUID and range: each run sees its own and no other."""
    user.write("toy.py", SEES)
    user.run("create", user.write("grid.yaml", GRID))
    environ = nvml.set(
        "gpu|GPU-0aaa|NVIDIA H100|81559|4|-|-|0",
        "gpu|GPU-1bbb|NVIDIA H100|81559|87|-|mig|0",
        "mig|MIG-2ccc|NVIDIA H100 MIG 1g.10gb|9856|12|-",
        "gpu|GPU-3ddd|NVIDIA H100|81559|70000|4242:69000|-|0",
    )
    launched = user.run("launch", "--gpus", "GPU-0,1-2", "--trainer", "toy:train", **environ)
    assert "launching" in launched.stderr
    assert "on gpu0, gpu1mig0, gpu2:" in launched.stderr
    assert "gpu2 is busy: 70000 of 81559 MiB in use by pid 4242 (69000 MiB)" in launched.stderr
    threads = max(1, usable_cores() // 3)
    places = {f"{uuid} PCI_BUS_ID {threads}" for uuid in ("GPU-0aaa", "MIG-2ccc", "GPU-3ddd")}
    assert sights(user) <= places
    assert {run["slot"] for run in user.status()["runs"]} <= {"gpu0", "gpu1mig0", "gpu2"}


def test_a_gpu_that_is_not_there_is_refused_before_anything_starts(user, nvml):
    """Unknown, hidden, or none idle: one error that names what is there, and no server is started."""
    environ = nvml.set("gpu|GPU-0aaa|NVIDIA H100|81559|70000|4242:69000|-|0")
    for gpus, mask, says in [
        ("3", None, "no GPU 3 on this machine"),
        ("idle", None, "pid 4242"),
        ("0", "", "hidden by CUDA_VISIBLE_DEVICES"),
    ]:
        masked = environ if mask is None else {**environ, "CUDA_VISIBLE_DEVICES": mask}
        failed = user.run("launch", "--gpus", gpus, code=1, **masked)
        assert says in failed.stderr
        assert failed.stderr.count("error:") == 1
        assert "Traceback" not in failed.stderr
    assert not (user.home / "server").exists()


def test_the_shipped_trainer_leaves_a_model(user):
    """The ConvNet learns the shipped digits, and the best run's ONNX file lies where `status` says."""
    sweep = """
    method: random
    run_cap: 1
    metric: {name: val_accuracy, goal: maximize}
    parameters:
      dataset: {value: digits}
      kernels: {value: [8, 16]}
      epochs: {value: 1}
    """
    user.run("create", user.write("one.yaml", sweep))
    launched = user.run("launch", "--workers", "1", "--count", "1")
    status = user.status()
    assert status["best"]["best"] > 0.85
    assert status["model"].endswith(".onnx")
    onnx.checker.check_model(onnx.load(status["model"]))
    assert "model" in launched.stdout


def test_count_is_exact_over_all_workers(user):
    """Five runs of an endless sweep on two workers are five runs, and the sweep goes on afterwards."""
    user.write("toy.py", TOY)
    endless = GRID.replace("grid", "random").replace("values: [1, 2, 3, 4]", "min: 0.0, max: 1.0")
    created = user.run("create", user.write("endless.yaml", endless))
    assert "until stopped" in created.stdout
    user.run("launch", "--count", "5", "--trainer", "toy:train")
    status = user.status()
    assert (status["state"], status["done"], len(status["runs"]), status["total"]) == ("running", 5, 5, None)


def test_an_invalid_file_is_one_clear_error(user):
    """File, line, key and fix on stderr, exit code 1, nothing on stdout, no server started."""
    file = user.write("bad.yaml", "method: random\nparameters:\n  lr: {vales: [1]}\n")
    failed = user.run("create", file, code=1)
    assert f"{file}:3:8: parameters.lr.vales: unknown key" in failed.stderr
    assert "did you mean `values`?" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert failed.stdout == ""
    assert not (user.home / "server").exists()


@pytest.mark.parametrize(
    ("args", "code", "says"),
    [
        (["status"], 1, "no sweep was created yet"),
        (["create", "nowhere.yaml"], 1, "No such file"),
        (["status", "a/b/c/d"], 1, "4 parts"),
        (["status", "local/nowhere/abcd1234"], 1, "no sweep local/nowhere/abcd1234"),
        (["launch", "--gpus", "0", "--workers", "1"], 2, "exclude each other"),
        (["create", "--backend", "wandb", "x.yaml"], 1, "x.yaml"),
        (["launch", "--backend", "wandb"], 1, "no W&B credentials"),
    ],
)
def test_wrong_inputs_are_errors_without_a_traceback(user, args, code, says):
    """What is wrong and what to do, exit code 1; 2 where the command line could never be meant."""
    failed = user.run(*args, code=code)
    assert says in failed.stderr
    assert failed.stderr.count("error:") == 1
    assert "Traceback" not in failed.stderr


DEAD = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"WANDB_BASE_URL": DEAD, "WANDB_API_KEY": "x" * 40}, f"nobody answers at {DEAD}"),
        ({"WANDB_BASE_URL": "wandb.acme.org", "WANDB_API_KEY": "x" * 40}, "no address"),
        ({"WANDB_BASE_URL": DEAD}, None),
    ],
    ids=["dead", "no address", "no key"],
)
def test_a_w_and_b_server_that_is_none_is_named_in_seconds(user, environ, says):
    """A key without a living server is an error; a server without a key is not asked, the embedded one is."""
    file = user.write("grid.yaml", GRID)
    done = user.run("create", file, code=1 if says else 0, **environ)
    assert (says or "embedded server") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_taken_port_is_refused(user):
    """Two servers cannot have one port, nor one data directory."""
    user.run("create", user.write("grid.yaml", GRID))
    port = user.sdk()["WANDB_BASE_URL"].rpartition(":")[2]
    assert "taken" in user.run("serve", "--port", port, "--data", user.home / "other", code=1).stderr
    assert "already" in user.run("serve", code=1).stderr


def test_a_missing_trainer_takes_no_run(user):
    """A module or function that is not there is found before the server gives out a run."""
    user.write("toy.py", TOY)
    user.run("create", user.write("grid.yaml", GRID))
    assert "no module 'nowhere'" in user.run("launch", "--trainer", "nowhere:train", code=1).stderr
    assert "no function 'nothing'" in user.run("launch", "--trainer", "toy:nothing", code=1).stderr
    assert user.status()["runs"] == []


def test_the_key_is_private(user):
    """The random key has 40 characters or more, and only its owner can read it."""
    user.run("create", user.write("grid.yaml", GRID))
    key = user.home / "server" / "api-key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.parent.stat().st_mode) == 0o700
    assert len(key.read_text().strip()) >= 40
    assert user.processes()
    assert user.processes(key.read_text().strip()) == []


def test_the_background_server_is_managed(user):
    """`server status` finds it, `server stop` ends it, and the next command starts it at the same address."""
    assert "no server" in user.run("server", "status", code=1).stdout
    user.run("create", user.write("grid.yaml", GRID))
    address = user.sdk()["WANDB_BASE_URL"]
    assert address in user.run("server", "status").stdout
    assert "stopped" in user.run("server", "stop").stdout
    assert user.processes() == []
    assert user.status()["total"] == 4
    assert user.sdk()["WANDB_BASE_URL"] == address


def test_a_login_for_something_else_is_no_wandb_login(user):
    """A netrc file with another machine's password does not send anybody to the internet, and is not touched."""
    netrc = user.home / "netrc"
    netrc.write_text("machine example.org login me password secret\n")
    netrc.chmod(0o600)
    assert "embedded server" in user.run("create", user.write("grid.yaml", GRID)).stderr
    assert netrc.read_text() == "machine example.org login me password secret\n"


def test_another_w_and_b_server_is_reached_by_two_variables(user, tmp_path):
    """WANDB_BASE_URL and WANDB_API_KEY are all it takes: the same verbs run on a second server, and nothing here."""
    user.write("toy.py", TOY)
    data = tmp_path / "elsewhere"
    server = user.start("serve", "--data", data)
    record = user.wait(lambda: (data / "server.json").exists() and (data / "api-key").exists(), "the second server")
    assert record
    key = user.run("server", "add-user", "alice", "--data", data).stdout.strip()
    url = json.loads((data / "server.json").read_text())["url"]
    there = {"WANDB_BASE_URL": url, "WANDB_API_KEY": key}

    created = user.run("create", "--backend", "wandb", user.write("grid.yaml", GRID), **there)
    assert "alice/toys/" in created.stdout
    assert url in created.stdout
    offline = user.run("launch", "--trainer", "toy:train", code=1, **there, WANDB_MODE="offline")
    assert "WANDB_MODE is offline" in offline.stderr
    user.run("launch", "--backend", "wandb", "--count", "2", "--trainer", "toy:train", **there)
    status = user.status(**there)
    assert status["sweep"].startswith("alice/toys/")
    assert status["done"] == 2
    assert "paused" in user.run("pause", **there).stdout
    assert not (user.home / "server").exists()
    server.terminate()
    assert server.wait(timeout=30) == 0
