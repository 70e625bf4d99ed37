"""The loop: it learns, repeats itself, logs what a sweep needs, and goes on after an interruption."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import Any

import pytest
import torch
from torch import nn

from trainer.checkpoint import Checkpoint
from trainer.config import TrainConfig
from trainer.data import Data
from trainer.loop import PreemptedError, Training, predict, score
from trainer.machine import has_bf16

CONFIG = TrainConfig(dataset="digits", kernels=(4, 8), batch_size=16, epochs=2, learning_rate=0.01)
VARIED = {"dropout": 0.2, "shift": 1.0, "rotate": 5.0, "schedule": "one-cycle", "label_smoothing": 0.1}
Fit = Callable[..., Training]


def _with(**knobs: Any) -> TrainConfig:
    return TrainConfig.model_validate(CONFIG.model_dump() | knobs)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"optimizer": "adamw", "weight_decay": 0.01, "schedule": "cosine"},
        {"optimizer": "sgd", "learning_rate": 0.05, "warmup": 0.2},
        {"dtype": "bf16"},
        {"kernels": (4, 8, 8), "kernel_size": 3, "activation": "gelu"},
        VARIED,
    ],
    ids=lambda knobs: ",".join(knobs) or "default",
)
def test_training_learns(run: Any, fit: Fit, knobs: dict[str, Any]) -> None:
    """Four passes over 500 digits bring the loss far below that of guessing, which is 2.3 with 10 % right."""
    fit(run, _with(epochs=4, **knobs))
    last = run.rows[max(run.rows)]
    assert last["val_loss"] < 1.2
    assert last["val_accuracy"] > 0.6


def test_same_seed_gives_the_same_run(run: Any, fit: Fit) -> None:
    """Weights and logged values of two runs with one seed are equal to the last bit; another seed's are not."""
    again, other = type(run)(), type(run)()
    trained = [fit(recorder, _with(**VARIED, seed=seed)) for recorder, seed in ((run, 1), (again, 1), (other, 2))]
    assert _timeless(run) == _timeless(again) != _timeless(other)
    for one, two in zip(*(training.model.parameters() for training in trained[:2]), strict=True):
        assert torch.equal(one, two)


def test_a_step_is_the_tutorials_step(run: Any, digits: Data) -> None:
    """Adam on cross-entropy: the same weights, up to rounding, as the tutorial's lines give on the same batches."""
    training = Training(_with(learning_rate=0.005), digits)
    torch.manual_seed(0)
    net = nn.Sequential(
        *(nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(4, 8, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2)),
        *(nn.Flatten(), nn.Linear(7 * 7 * 8, 10)),
    )
    optimizer = torch.optim.Adam(net.parameters(), lr=0.005)
    for index in torch.arange(160).split(16):
        images, labels = digits.train.batch(index)
        loss = nn.functional.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        torch.testing.assert_close(training.take_step(run, index), loss.detach(), rtol=1e-3, atol=1e-4)


def test_bf16_is_fp32_where_it_would_be_slower(run: Any, fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    """On a processor without it a run is the fp32 run to the last bit, and says so; elsewhere it is another one."""
    plain, asked = (fit(type(run)(), _with(epochs=1, dtype=dtype)) for dtype in ("fp32", "bf16"))
    same = all(torch.equal(*pair) for pair in zip(plain.model.parameters(), asked.model.parameters(), strict=True))
    assert same is not has_bf16("cpu")
    assert ("the run is fp32" in capsys.readouterr().out) is same


def test_a_net_is_judged_without_what_only_training_has(run: Any, digits: Data) -> None:
    """Nothing is dropped: the same images have the same logits each time, and the next pass drops again."""
    config = _with(dropout=0.5, epochs=1)
    training = Training(config, digits)
    training.train_epoch(run, Event())
    once, twice = (predict(training.model, digits.test, config) for _ in range(2))
    assert torch.equal(once, twice)
    training.at.batch = 0
    training.train_epoch(run, Event())
    assert training.model.training


def test_logits_are_fp32(digits: Data) -> None:
    """What a sweep optimises is computed from fp32 logits, whatever the net's arithmetic."""
    config = _with(dtype="bf16")
    assert predict(Training(config, digits).model, digits.test, config).dtype == torch.float32


def test_rows_are_placed_by_examples_seen(run: Any, fit: Fit) -> None:
    """The loss is logged every 25 batches, and at each pass's end with what the pass was worth."""
    fit(run, CONFIG)
    epoch = ["epoch", "images_per_s", "learning_rate", "loss", "train_accuracy", "train_loss", "val_accuracy"]
    epoch = [*epoch, "val_loss"]
    assert {step: sorted(row) for step, row in run.rows.items()} == {
        400: ["epoch", "loss"],
        500: epoch,
        900: ["epoch", "loss"],
        1000: epoch,
    }
    assert [row["epoch"] for row in run.rows.values()] == [1, 1, 2, 2]


def test_batch_larger_than_the_data_still_logs_each_pass(run: Any, fit: Fit) -> None:
    """Early termination sees a value a pass however few batches it has."""
    fit(run, _with(batch_size=4096, epochs=3))
    assert [("val_accuracy" in row, row["epoch"]) for row in run.rows.values()] == [(True, 1), (True, 2), (True, 3)]


def test_every_image_is_learnt_from_once_a_pass(digits: Data) -> None:
    """The order is new each pass, the same for the same seed."""
    training, twin, other = (Training(_with(seed=seed), digits) for seed in (0, 0, 1))
    first = training.order().tolist()
    assert sorted(first) == list(range(500))
    assert twin.order().tolist() == first != other.order().tolist()
    training.at.epoch = 1
    assert training.order().tolist() != first


def test_training_figures_are_those_of_the_pass(run: Any, digits: Data) -> None:
    """With a learning rate near nothing, they are those of the first weights on all training images."""
    training = Training(_with(learning_rate=1e-12, epochs=1), digits)
    loss, accuracy = score(predict(training.model, digits.train, CONFIG), digits.train)
    training.train_epoch(run, Event())
    training.judge_epoch(run)
    assert run.rows[500]["train_loss"] == pytest.approx(loss, rel=1e-4)
    assert run.rows[500]["train_accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_best_pass_is_remembered(run: Any, fit: Fit, digits: Data, keep: str) -> None:
    """The summary has the best value so far, and unless told otherwise its weights are the run's net."""
    training = fit(run, _with(epochs=4, learning_rate=0.03, seed=1, keep=keep))  # its best pass is not the last
    values = [row["val_accuracy"] for row in run.rows.values() if "val_accuracy" in row]
    assert run.summary["best_val_accuracy"] == max(values) > values[-1]
    assert values[run.summary["best_epoch"] - 1] == max(values)
    _, accuracy = score(predict(training.model, digits.validation, CONFIG), digits.validation)
    assert accuracy == (max(values) if keep == "best" else values[-1])


def test_of_equal_passes_the_first_is_the_best(run: Any, fit: Fit) -> None:
    """The others only drew level; a pass of no image named rightly is better than none."""
    training = fit(run, _with(epochs=3, learning_rate=1e-12))
    assert len({row["val_accuracy"] for row in run.rows.values() if "val_accuracy" in row}) == 1
    assert run.summary["best_epoch"] == training.at.best_epoch == 1
    passes = [row for row in run.rows.values() if "val_accuracy" in row]
    assert [row["train_accuracy"] for row in passes] == [passes[0]["train_accuracy"]] * 3  # of each pass alone
    assert [row["train_loss"] for row in passes] == pytest.approx([passes[0]["train_loss"]] * 3, rel=1e-4)


def test_a_schedule_goes_over_the_whole_run(run: Any, fit: Fit) -> None:
    """Not anew over each pass."""
    fit(run, _with(epochs=4, schedule="cosine"))
    rates = [row["learning_rate"] for row in run.rows.values() if "learning_rate" in row]
    expected = [0.01 * (1 + math.cos(math.pi * (32 * passes - 1) / 128)) / 2 for passes in range(1, 5)]
    assert rates == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("watch", "times"), [(True, 1), (False, 0)])
def test_watching_is_as_in_the_tutorial_and_has_a_switch(run: Any, fit: Fit, watch: bool, times: int) -> None:
    """Gradients and weights every 10 batches, or nothing."""
    fit(run, _with(watch=watch, epochs=1))
    assert run.watched == [{"log": "all", "log_freq": 10}] * times


def test_stop_of_an_agent_ends_the_training(run: Any, fit: Fit) -> None:
    """An agent stops a run by an exception raised in its thread: it comes out at once."""

    class Stop(Exception):  # noqa: N818 - a signal, not an error; wandb raises a bare Exception
        pass

    def stop(*_args: Any, **_kwargs: Any) -> None:
        raise Stop

    run.log = stop
    with pytest.raises(Stop):
        fit(run, CONFIG)


@pytest.mark.parametrize("knobs", [{}, {"dtype": "bf16"}, {"optimizer": "sgd"}, {"optimizer": "adamw"}], ids=str)
def test_interrupted_and_continued_is_uninterrupted(
    run: Any, fit: Fit, digits: Data, tmp_path: Path, knobs: dict[str, Any]
) -> None:
    """A preemption in the middle of a pass saves all; another process's training ends with the same bits."""
    config = _with(**VARIED, **knobs, watch=False)
    whole = fit(run, config)
    checkpoint = Checkpoint(tmp_path / "interrupted")
    pieces, preempted = type(run)(), Event()

    def log(values: dict[str, Any], *, step: int) -> None:
        type(run).log(pieces, values, step=step)
        if step == 900:
            preempted.set()

    recorder = type(run)()
    recorder.log = log
    interrupted = Training(config, digits)
    with pytest.raises(PreemptedError):
        interrupted.fit(recorder, checkpoint, preempted)
    assert interrupted.at.examples == 900

    torch.manual_seed(99)  # whatever happened in between
    state = checkpoint.load(config.model_dump(mode="json"))
    assert state is not None
    continued = Training(config, digits)
    continued.restore(state)
    assert continued.at.examples == 900  # not at the checkpoint of a pass before, from which it would end the same
    continued.fit(pieces, checkpoint, Event())
    assert _timeless(pieces) == _timeless(run)
    for one, two in zip(whole.model.parameters(), continued.model.parameters(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize("served", [0, 400, 500, 900, 1000])
def test_a_killed_run_has_no_gap_and_no_repeat(run: Any, fit: Fit, digits: Data, tmp_path: Path, served: int) -> None:
    """Killed behind its first checkpoint: whatever had reached the server, the history ends as an uninterrupted one."""
    config = _with(**VARIED, watch=False)
    fit(run, config)

    def log(_values: dict[str, Any], *, step: int) -> None:
        if step == 900:
            raise KeyboardInterrupt

    recorder = type(run)()
    recorder.log = log
    checkpoint = Checkpoint(tmp_path / "killed")
    with pytest.raises(KeyboardInterrupt):
        Training(config, digits).fit(recorder, checkpoint, Event())

    there = type(run)(starting_step=served + 1 if served else 0)
    state = checkpoint.load(config.model_dump(mode="json"))
    assert state is not None
    continued = Training(config, digits)
    continued.restore(state)
    continued.catch_up(there)
    assert there.summary == {"best_val_accuracy": run.rows[500]["val_accuracy"], "best_epoch": 1}
    continued.fit(there, checkpoint, Event())
    server = type(run)(rows={step: row for step, row in run.rows.items() if step <= served} | there.rows)
    assert _timeless(server) == _timeless(run)
    assert list(server.rows) == [400, 500, 900, 1000]
    assert there.summary == run.summary
    assert [step for step, _ in continued.rows.kept] == [400, 500, 900, 1000]


def test_a_run_that_has_no_best_pass_yet_says_none(run: Any, digits: Data) -> None:
    """A preemption in the first pass leaves a checkpoint, and nothing to sum up."""
    Training(CONFIG, digits).catch_up(run)
    assert run.summary == {}


def test_a_checkpoint_of_an_older_version_is_gone_on_with(digits: Data) -> None:
    """It kept no rows."""
    training = Training(CONFIG, digits)
    state = training.state()
    del state["rows"]
    training.restore(state)
    assert training.rows.kept == []


def test_a_best_pass_before_the_interruption_is_the_best(run: Any, fit: Fit, digits: Data, tmp_path: Path) -> None:
    """Resumed behind its best pass, a run ends with that pass's weights, value and number."""
    config = _with(epochs=4, learning_rate=0.03, seed=1)  # its best pass is not the last
    whole = fit(run, config)
    checkpoint = Checkpoint(tmp_path / "checkpoint")
    first = Training(config, digits)
    for _ in range(3):
        first.train_epoch(type(run)(), Event())
        first.judge_epoch(type(run)())
    assert first.at.best_epoch == whole.at.best_epoch <= 3
    checkpoint.save(first.state())
    state = checkpoint.load(config.model_dump(mode="json"))
    assert state is not None
    continued = Training(config, digits)
    continued.restore(state)
    continued.fit(run, checkpoint, Event())
    assert continued.at.best_epoch == whole.at.best_epoch
    for one, two in zip(whole.model.parameters(), continued.model.parameters(), strict=True):
        assert torch.equal(one, two)


def test_times_and_figures_of_a_broken_pass_are_carried_over(run: Any, digits: Data) -> None:
    """All of them: what a pass took and came to before the interruption belongs to it, and to the run."""
    preempted = Event()
    broken = Training(CONFIG, digits)
    broken.train_epoch(run, preempted)
    broken.judge_epoch(run)
    log = run.log

    def stop(*values: Any, **at: Any) -> None:
        log(*values, **at)
        preempted.set()

    run.log = stop
    broken.train_epoch(run, preempted)
    assert broken.at.batch == 25
    assert min(broken.at.train_s, broken.epoch_s) > 0
    continued = Training(CONFIG, digits)
    continued.restore(broken.state())
    assert (continued.at, continued.epoch_s) == (broken.at, broken.epoch_s)
    assert torch.equal(continued.sums, broken.sums)
    assert torch.equal(continued.loss, broken.loss)
    assert continued.best.keys() == broken.best.keys() == broken.model.state_dict().keys()
    before = broken.at.train_s + broken.epoch_s
    continued.train_epoch(run, Event())
    took = continued.epoch_s
    continued.judge_epoch(run)
    assert took > broken.epoch_s
    assert continued.at.train_s == pytest.approx(before + took - broken.epoch_s)
    assert run.rows[1000]["images_per_s"] == round(500 / took, 1)
    assert (continued.epoch_s, continued.at.batch, continued.at.epoch, continued.at.examples) == (0.0, 0, 2, 1000)


def _timeless(run: Any) -> dict[int, dict[str, Any]]:
    return {step: {k: v for k, v in row.items() if k != "images_per_s"} for step, row in run.rows.items()}
