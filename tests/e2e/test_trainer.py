"""The shipped trainer as users meet it: in a sweep, under the stock agent, interrupted, and its best run fetched."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from trainer.train import METRICS

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

ROOT = Path(__file__).parents[2]
SWEEP = """
method: grid
program: trainer/train.py
project: nets
metric: {name: val_accuracy, goal: maximize}
parameters:
  dataset: {value: digits}
  kernels: {value: [4, 8]}
  epochs: {value: 2}
  learning_rate: {values: [0.01, 0.02]}
"""


def test_a_run_leaves_all_that_the_trainer_declares(user):
    """Every metric, picture and table, and the net twice, reach the embedded server; METRICS names no more, no less."""
    user.run("create", user.write("sweep.yaml", SWEEP))
    user.run("launch", "--workers", "1", "--count", "1")
    code = """
    import json, wandb
    (run,) = wandb.Api().runs("local/nets")
    keys = set(run.summary_metrics) | {key for row in run.scan_history() for key in row}
    (model,) = [artifact for artifact in run.logged_artifacts() if artifact.type == "model"]
    stored = [model.name == f"model-{run.id}:v0", [[file.name, file.size] for file in model.files()], model.metadata]
    files = [[file.name, file.size] for file in run.files()]
    print(json.dumps([sorted(keys), files, dict(run.summary_metrics), stored]))
    """
    keys, files, summary, (named, stored, settings) = json.loads(user.python(code, **user.sdk()).stdout)
    own = {key for key in keys if not key.startswith(("_", "gradients/", "parameters/"))}
    assert own == set(METRICS) - {"gpu_peak_mib"}
    assert any(key.startswith("gradients/") for key in keys)
    sizes = dict(files)
    assert sizes["model.onnx"] > 1000
    assert named
    assert (stored, settings["epochs"]) == ([["model.onnx", sizes["model.onnx"]]], 2)
    for part in ("media/table/confusion_matrix_table", "media/table/worst_mistakes", "media/images/worst_images"):
        assert [size for name, size in files if name.startswith(part) and size > 50], part
    assert summary["best_val_accuracy"] >= summary["val_accuracy"] > 0.8
    assert summary["onnx_max_difference"] < 1e-4


def test_the_stock_agent_starts_it_as_a_program(user, tmp_path):
    """`wandb agent` on a file with `program: trainer/train.py` trains with the sweep's parameters."""
    created = json.loads(user.run("create", "--json", user.write("sweep.yaml", SWEEP)).stdout)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # it starts `python`
    environ = {**user.environ, **user.sdk(), "WANDB_DIR": str(tmp_path), "PATH": path}
    agent = [sys.executable, "-m", "wandb", "agent", "--count", "1", created["sweep"]]
    done = subprocess.run(agent, cwd=ROOT, env=environ, capture_output=True, text=True, timeout=150)
    assert done.returncode == 0, done.stderr
    (run,) = user.status()["runs"]
    assert (run["state"], run["params"]) == ("finished", {"learning_rate": 0.01}), done.stdout + done.stderr


ALONE = ("--dataset", "digits", "--kernels", "[4, 8]", "--epochs", "3", "--dropout", "0.2", "--watch", "false")


class Alone:
    """A run without a sweep, in a process of its own."""

    def __init__(self, folder: Path, checkpoint: Path, **more: str) -> None:
        folder.mkdir()
        self.folder, self.checkpoint = folder, checkpoint / "checkpoint.pt"
        environ = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_", "SWEEPER_"))}
        environ |= {"HOME": str(folder), "XDG_CACHE_HOME": str(folder.parent / "cache"), "NETRC": str(folder / "none")}
        environ |= {"SWEEPER_CHECKPOINT_DIR": str(checkpoint), "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        environ |= more
        self.process = subprocess.Popen(
            [sys.executable, "-m", "trainer.train", *ALONE],
            cwd=folder,
            env=environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def end(self) -> tuple[int, str]:
        """Wait for its end; give exit code and what it printed."""
        said, _ = self.process.communicate(timeout=150)
        return self.process.returncode, said

    def model(self) -> str:
        """Give the fingerprint of its net."""
        (file,) = self.folder.glob("wandb/offline-run-*/files/model.onnx")
        return hashlib.sha256(file.read_bytes()).hexdigest()


@pytest.mark.chaos
@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, -signal.SIGKILL), (signal.SIGTERM, 143)])
def test_killed_and_started_again_is_never_killed(user, tmp_path, number, code):
    """After kill -9 or SIGTERM the same command goes on, and ends with the net, bit for bit, of an undisturbed run."""
    whole = Alone(tmp_path / "whole", tmp_path / "kept")
    assert whole.end()[0] == 0
    assert not whole.checkpoint.exists()

    first = Alone(tmp_path / "first", tmp_path / "moved")
    user.wait(first.checkpoint.exists, "the first pass's checkpoint")
    first.process.send_signal(number)
    ended, said = first.end()
    assert ended == code, said
    assert first.checkpoint.exists()
    assert "epoch 3/3" not in said

    second = Alone(tmp_path / "second", tmp_path / "moved")
    ended, said = second.end()
    assert ended == 0, said
    assert "epoch 1/3" not in said
    assert "epoch 3/3" in said
    assert second.model() == whole.model()


def test_a_preempted_run_tells_the_server(user, tmp_path):
    """SIGTERM leaves the run as preempted, with what it logged."""
    user.run("create", user.write("sweep.yaml", SWEEP))
    run = Alone(tmp_path / "alone", tmp_path / "kept", WANDB_PROJECT="alone", **user.sdk())
    user.wait(run.checkpoint.exists, "the first pass's checkpoint")
    run.process.terminate()
    assert run.end()[0] == 143
    code = "import wandb; (run,) = wandb.Api().runs('local/alone'); print(run.state, run.summary['best_epoch'])"
    state, epoch = user.python(code, **user.sdk()).stdout.split()
    assert state in {"preempting", "preempted"}
    assert int(epoch) >= 1
