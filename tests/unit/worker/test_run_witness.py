"""Whether a run has begun, by what its process shows and by what a real server knows."""

from __future__ import annotations

import threading
import time

import pytest
import yaml

from sweeper.ref import RunRef
from sweeper.worker import run_witness
from sweeper.worker.run_witness import RunWitness

pytestmark = pytest.mark.usefixtures("connected")


def witness(run_id, tmp_path) -> RunWitness:
    return RunWitness(RunRef("local", "p", run_id), "the function returned", tmp_path / "config.yaml", tmp_path)


def test_a_run_that_the_server_has_heard_of_has_begun(embedded, tmp_path, monkeypatch):
    """Also one whose wandb.init nobody saw here: a script's, or that of a process which the trainer started."""
    _, (ended,) = embedded.sweep(0)
    assert witness(ended, tmp_path).unbegun() == ""
    sweep = embedded.wire.sweep("method: grid\nparameters: {lr: {values: [1, 2]}}\n")
    given = embedded.wire.beat(embedded.wire.agent(sweep))["run_id"]
    monkeypatch.setenv("WANDB_RUN_ID", given)
    assert witness(given, tmp_path).unbegun() == "the function returned without calling wandb.init"
    embedded.wire.init(given, sweep)
    assert witness(given, tmp_path).unbegun() == ""


def test_a_run_that_the_server_does_not_know_never_began(tmp_path, monkeypatch):
    """It says how, as far as that can be told; an agent within the trainer takes the run's name away."""
    assert witness("nobody", tmp_path).unbegun().endswith("without calling wandb.init: it called wandb.agent")
    monkeypatch.setenv("WANDB_RUN_ID", "nobody")
    assert witness("nobody", tmp_path).unbegun() == "the function returned without calling wandb.init"
    (tmp_path / "wandb" / "offline-run-20260101_100000-nobody").mkdir(parents=True)
    assert 'wandb.init was called with mode="offline"' in witness("nobody", tmp_path).unbegun()


def test_a_server_that_does_not_answer_accuses_nobody(tmp_path, monkeypatch):
    """What cannot be told is taken for well."""
    monkeypatch.setenv("WANDB_API_KEY", "k" * 40)
    assert witness("nobody", tmp_path).unbegun() == ""


def test_a_runs_parameters_are_those_its_agent_wrote(tmp_path):
    """Nested as its config has them; a file that is gone has none."""
    assert witness("r", tmp_path).params == {}
    entries = {"wandb_version": 1, "lr": {"value": 0.1}, "optimizer": {"value": {"name": "sgd"}}}
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(entries))
    assert witness("r", tmp_path).params == {"lr": 0.1, "optimizer": {"name": "sgd"}}


def test_a_run_without_an_end_is_told_from_one_that_ended(embedded, tmp_path, monkeypatch):
    """A wandb-core may take a while behind its process; what this process saw itself has told its end."""
    monkeypatch.setattr(run_witness, "CLOSING_S", 1.0)
    _, (ended, failed, going) = embedded.sweep(0, 1, None)
    assert [witness(run, tmp_path).open_state() for run in (ended, failed, "nobody")] == ["", "", ""]
    began = time.monotonic()
    assert witness(going, tmp_path).open_state() == "running"
    assert time.monotonic() - began >= 1.0
    threading.Timer(0.4, embedded.wire.stream, (going,), {"complete": True, "exitcode": 0}).start()
    assert witness(going, tmp_path).open_state() == ""
