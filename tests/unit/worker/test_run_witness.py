"""Whether a run has begun, by what its process shows and by what a real server knows."""

from __future__ import annotations

import pytest
import wandb
import yaml

from sweeper.backend import embedded_server, sdk
from sweeper.ref import RunRef
from sweeper.settings import Settings
from sweeper.worker.run_witness import RunWitness


@pytest.fixture(autouse=True)
def connected(environ, embedded) -> None:
    """The SDK of this process, pointed at the server that the tests share."""
    wandb.teardown()  # the key of another test, which it would go on with
    settings = Settings.from_env({**environ, "SWEEPER_HOME": str(embedded.home)})
    record = embedded_server.ServerRecord(embedded.pid, embedded.url)
    sdk.connect(embedded_server.backend(embedded.home, record), settings)


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
