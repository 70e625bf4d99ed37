"""What the page of a sweep says first: how it goes, what is best, and how that is run again."""

from __future__ import annotations

import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.server.page_data.sweep_facts import parameters

SWEEP = {
    "method": "grid",
    "program": "train.py",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}, "epochs": {"value": 5}},
    "early_terminate": {"type": "hyperband", "min_iter": 3, "eta": 3},
}


def finish(client, sweep: str, *values: float, code: int | None = 0) -> str:
    """Let an agent do a run that logs some losses; give its id."""
    (command,) = client.beat(client.agent(sweep))
    run = command["run_id"]
    client.init(run)
    client.log(run, *({"_step": step, "loss": value} for step, value in enumerate(values)))
    if code is not None:
        client.stream(run, complete=True, exitcode=code)
    return str(run)


def test_a_sweep_is_told_with_its_best_run_and_what_runs_it_again(client):
    """The best value by the goal, the run's own parameters, and a command that a shell takes."""
    sweep = client.sweep(SWEEP)
    path = f"/-/data/local/p/sweeps/{sweep}"
    assert client.http.get(path).json()["best"] is None
    finish(client, sweep, 0.5, 0.25, 0.75)
    other = finish(client, sweep, 0.5)
    told = client.http.get(path).json()
    assert told["best"]["value"] == 0.25
    assert told["best"]["model"] is None
    client.upload(told["best"]["id"], "model.onnx", b"model")
    assert client.http.get(client.http.get(path).json()["best"]["model"]["url"]).content == b"model"
    assert told["best"]["params"] == {"lr": 0.1, "epochs": 5}
    assert told["best"]["command"] == "python train.py --epochs=5 --lr=0.1"
    assert (told["ended"], told["expected"], told["counts"]) == (2, 3, {"finished": 2})
    assert (told["state"], told["method"], told["command"]) == ("running", "grid", f"local/p/{sweep}")
    assert told["objectives"] == [{"name": "loss", "goal": "minimize", "target": None}]
    assert (told["rule"], told["rungs"][:3]) == ("hyperband", [3, 9, 27])
    again = client.http.get(f"{path}/rerun?run={other}").json()["command"]
    assert again == "python train.py --epochs=5 --lr=0.2"
    assert client.http.get(f"{path}/rerun?run=none").status_code == 404


def test_an_end_is_in_sight_once_a_run_has_taken_a_while(client):
    """By the runs that ended last, dealt out to those at work; none while nobody works or the sweep is paused."""
    sweep = client.sweep(SWEEP)
    path = f"/-/data/local/p/sweeps/{sweep}"
    assert client.http.get(path).json()["eta_s"] is None
    finish(client, sweep, 0.5)
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET started_at = ended_at - 100")
    assert client.http.get(path).json()["eta_s"] is None
    finish(client, sweep, 0.5, code=None)
    # what is left of the one at work, and the third
    assert client.http.get(path).json()["eta_s"] == pytest.approx(200, abs=5)


def test_who_sees_no_sweep_is_told_so(client):
    """With 404, as everywhere."""
    assert client.http.get("/-/data/local/p/sweeps/none").status_code == 404


def test_axes_of_parameters_come_from_their_distributions():
    """Logarithms where values were drawn by them; short lists as they are written; what is constant is said to be."""
    definition = SweepDefinition.from_yaml("""
method: random
parameters:
  lr: {distribution: log_uniform_values, min: 0.0001, max: 1.0}
  batch: {values: [16, 32]}
  layers: {distribution: int_uniform, min: 1, max: 1000}
  epochs: {value: 5}
""")
    told = {one.pop("name"): one for one in parameters(definition)}
    assert told == {
        "lr": {"listed": None, "log": True, "varies": True},
        "batch": {"listed": [16, 32], "log": False, "varies": True},
        "layers": {"listed": None, "log": False, "varies": True},
        "epochs": {"listed": [5], "log": False, "varies": False},
    }
