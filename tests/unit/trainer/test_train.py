"""A whole run, as an agent, as a program and alone; and what it costs to import it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import wandb
import yaml

from trainer import train as trainer
from trainer.config import ConfigError, TrainConfig
from trainer.data import load

ROOT = Path(__file__).parents[3]
SMALL = {"dataset": "digits", "epochs": 1, "kernels": [4, 8], "learning_rate": 0.01}
LEFT_OPEN = "ignore:unclosed file:ResourceWarning"  # wandb 0.31 and the sweep's parameter file


@pytest.fixture
def sweep(wandb_offline: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the file into which an agent writes a run's parameters."""
    file = wandb_offline / "parameters.yaml"
    monkeypatch.setenv("WANDB_SWEEP_ID", "sweep123")
    monkeypatch.setenv("WANDB_SWEEP_PARAM_PATH", str(file))
    return file


def _write(file: Path, parameters: dict[str, object]) -> None:
    file.write_text(yaml.safe_dump({"wandb_version": 1, **{k: {"value": v} for k, v in parameters.items()}}))


@pytest.mark.filterwarnings(LEFT_OPEN)
def test_run_of_a_sweep_saves_a_net_that_reads_digits(sweep: Path, wandb_offline: Path, cache: Path) -> None:
    """train() takes its parameters from the agent and leaves model.onnx in the run's own directory."""
    _write(sweep, SMALL)
    trainer.train()
    (path,) = wandb_offline.glob("wandb/offline-run-*/files/model.onnx")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    test = load("digits").test
    images = test.images.numpy().transpose(0, 3, 1, 2).astype(np.float32) / 255
    (logits,) = session.run(["logits"], {"images": images})
    assert (logits.argmax(axis=1) == test.labels.numpy()).mean() > 0.85
    assert not list(cache.glob("sweeper/checkpoints/*"))  # done: nothing to go on with


@pytest.mark.filterwarnings(LEFT_OPEN)
def test_run_with_a_wrong_key_fails_before_it_trains(sweep: Path) -> None:
    """A parameter that the trainer does not know fails the run instead of being ignored."""
    _write(sweep, {"epoch": 3})
    with pytest.raises(ConfigError, match="epoch: no such parameter; the nearest is 'epochs'"):
        trainer.train()


def _alone(folder: Path, *args: str, **environ: str) -> subprocess.CompletedProcess[str]:
    env = {"HOME": str(folder), "PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", **environ}
    command = [sys.executable, "-m", "trainer.train", *args]
    return subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=110)


KNOBS = ("--dataset", "digits", "--epochs", "1", "--kernels", "[4, 8]", "--batch_size", "256")


def test_it_runs_alone(tmp_path: Path) -> None:
    """Without sweep, server, network or account a run trains, and keeps its net and its log in ./wandb."""
    done = _alone(tmp_path, *KNOBS, "--learning-rate", "0.01")
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1: loss " in done.stdout
    (model,) = tmp_path.glob("wandb/offline-run-*/files/model.onnx")
    assert model.stat().st_size > 1000


def test_a_disabled_run_trains_too(tmp_path: Path) -> None:
    """WANDB_MODE is the user's to set: a disabled run leaves nothing where it was started."""
    (tmp_path / "tmp").mkdir()
    done = _alone(tmp_path, *KNOBS, WANDB_MODE="disabled", TMPDIR=str(tmp_path / "tmp"))
    assert done.returncode == 0, done.stderr
    assert "epoch 1/1: loss " in done.stdout
    assert not (tmp_path / "wandb").exists()


def test_help_lists_every_knob(tmp_path: Path) -> None:
    """Each has its comment and its default."""
    said = "".join(_alone(tmp_path, "--help", COLUMNS="80").stdout.split())  # it breaks lines in words, too
    for name, knob in TrainConfig.model_fields.items():
        expected = f"--{name.replace('_', '-')} X {knob.description} Default: {json.dumps(knob.default)}"
        assert "".join(expected.split()) in said


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["--epochs", "0"], "epochs: Input should be greater than 0, not 0"),
        (["--kernels", "[1,1,1,1,1]"], "kernels: 5 blocks"),
        (["--epoch-count", "3"], "--epoch-count"),
        (["--watch", "perhaps"], "watch: "),
    ],
)
def test_wrong_arguments_are_named(args: list[str], says: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A value no run could train with is one line and exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        trainer.main(args)
    assert says in capsys.readouterr().err


IMPORTED = """
import json, sys, threading
import trainer.train
heavy = ["torch", "torchvision", "wandb", "numpy", "onnx", "onnxruntime"]
print(json.dumps([[name for name in heavy if name in sys.modules], threading.active_count()]))
"""


def test_importing_the_trainer_is_cheap() -> None:
    """What `sweeper check` imports to learn the parameters brings nothing heavy and starts nothing."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTED], cwd=ROOT, capture_output=True, text=True, timeout=100, check=True
    )
    assert json.loads(done.stdout) == [[], 1]
    assert done.stderr == ""


def test_it_declares_what_it_knows() -> None:
    """CONFIG and METRICS are what a sweep file can be checked against."""
    assert trainer.CONFIG is TrainConfig
    assert {"val_accuracy", "loss", "test_accuracy"} < set(trainer.METRICS)


@pytest.mark.filterwarnings(LEFT_OPEN)
@pytest.mark.parametrize("lent", [True, False])
def test_a_run_that_raises_leaves_no_checkpoint_of_its_own(
    sweep: Path, wandb_offline: Path, cache: Path, monkeypatch: pytest.MonkeyPatch, lent: bool
) -> None:
    """A stopped or failed run is not continued; in a folder that was given to it, the giver decides."""
    given = wandb_offline / "given"
    if lent:
        monkeypatch.setenv("SWEEPER_CHECKPOINT_DIR", str(given))
    _write(sweep, {**SMALL, "epochs": 3})
    log = wandb.Run.log

    def stop(run: wandb.Run, values: dict[str, Any], **options: Any) -> None:
        if values.get("epoch") == 2:  # as an agent does: by an exception wherever the run happens to be
            raise RuntimeError("stopped")
        log(run, values, **options)

    monkeypatch.setattr(wandb.Run, "log", stop)
    with pytest.raises(RuntimeError, match="stopped"):
        trainer.train()
    assert (given / "checkpoint.pt").exists() is lent
    assert not list(cache.glob("sweeper/checkpoints/*"))


@pytest.mark.filterwarnings(LEFT_OPEN)
def test_a_checkpoint_stays_until_all_is_sent(
    sweep: Path, wandb_offline: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run that is killed while its process still uploads goes on from its last pass; one that is done has none."""
    given = wandb_offline / "given"
    monkeypatch.setenv("SWEEPER_CHECKPOINT_DIR", str(given))
    _write(sweep, SMALL)
    end, there = wandb.Run.__exit__, []

    def note(run: wandb.Run, *error: Any) -> Any:
        there.append((given / "checkpoint.pt").exists())
        return end(run, *error)

    monkeypatch.setattr(wandb.Run, "__exit__", note)
    trainer.train()
    assert there == [True]
    assert not given.exists()
