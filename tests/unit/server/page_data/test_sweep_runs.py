"""The runs of a sweep as columns: all of them, and later what has changed."""

from __future__ import annotations

import json

import pytest

from tests.unit.server.page_data.test_sweep_facts import SWEEP, finish


def test_every_run_has_its_place_in_every_column(client):
    """Its values with eight digits, its times, and what became of it."""
    sweep = client.sweep(SWEEP)
    first = finish(client, sweep, 0.123456789012, 0.5)
    second = finish(client, sweep, 2.0, code=1)
    told = client.http.get(f"/-/data/local/p/sweeps/{sweep}/runs").json()
    columns = told["runs"]
    assert {len(column) for name, column in columns.items() if name != "values"} == {2}
    assert columns["id"] == [first, second]
    assert columns["state"] == ["finished", "failed"]
    assert columns["leads"] == [1, 0]
    assert columns["value"] == columns["low"] == [0.12345679, 2.0]
    assert (columns["last"], columns["high"], columns["iterations"]) == ([0.5, 2.0], [0.5, 2.0], [2, 1])
    assert "exit code 1" in columns["reason"][1]
    assert all(0 <= begun <= ended for begun, ended in zip(columns["started"], columns["ended"], strict=True))
    assert told["params"]["lr"] == {"values": [0.1, 0.2], "absent": []}
    assert told["metrics"] == ["loss"]
    assert (told["total"], told["missing"]) == (2, [])
    exact = client.http.get(f"/-/data/local/p/sweeps/{sweep}/runs?exact=1").json()
    assert exact["runs"]["value"][0] == 0.123456789012


def test_later_only_what_may_have_changed_is_sent(client):
    """Runs under way, and those that have ended since; what is told of all runs together comes with all of them."""
    sweep = client.sweep(SWEEP)
    path = f"/-/data/local/p/sweeps/{sweep}/runs"
    finish(client, sweep, 0.5)
    whole = client.http.get(path).json()
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE runs SET ended_at = ended_at - 100")
    going = finish(client, sweep, 0.25, code=None)
    told = client.http.get(f"{path}?since={whole['now'] - 5}").json()
    assert told["runs"]["id"] == [going]
    assert told["total"] == 2
    assert "metrics" not in told
    assert client.http.get(f"{path}?since=yesterday").status_code == 400


def test_a_parameter_that_was_not_active_is_told_from_one_that_is_none(client):
    """None is a value that a file may list."""
    sweep = client.sweep(
        {
            "method": "grid",
            "parameters": {"kind": {"values": ["a", "b"]}, "more": {"values": [None]}},
            "sweeper": {"conditions": {"more": {"kind": "a"}}},
        }
    )
    for _ in range(2):
        finish(client, sweep)
    told = client.http.get(f"/-/data/local/p/sweeps/{sweep}/runs").json()
    assert told["params"]["more"] == {"values": [None, None], "absent": [1]}


def test_several_metrics_are_told_side_by_side(client):
    """In the order of the file; the first is what runs are coloured by."""
    metrics = [{"name": "loss", "goal": "minimize"}, {"name": "speed", "goal": "maximize"}]
    sweep = client.sweep({"method": "bayes", "metrics": metrics, "parameters": {"lr": {"min": 0.0, "max": 1.0}}})
    (command,) = client.beat(client.agent(sweep))
    client.init(command["run_id"])
    summary = {"wandb-summary.json": {"offset": 0, "content": [json.dumps({"loss": 0.25, "speed": 7.5})]}}
    client.stream(command["run_id"], files=summary, complete=True, exitcode=0)
    columns = client.http.get(f"/-/data/local/p/sweeps/{sweep}/runs").json()["runs"]
    assert columns["values"] == [[0.25, 7.5]]
    assert columns["value"] == [0.25]


def test_any_logged_number_is_a_column(client):
    """Its last, least and greatest value; a run that never logged it has no place."""
    sweep = client.sweep(SWEEP)
    path = f"/-/data/local/p/sweeps/{sweep}/metric"
    assert client.http.get(f"{path}?key=val/acc").json() == {"ids": [], "last": [], "min": [], "max": []}
    finish(client, sweep, 0.5)
    (command,) = client.beat(client.agent(sweep))
    run = command["run_id"]
    client.init(run)
    client.log(run, *({"_step": step, "val/acc": value} for step, value in enumerate((0.5, 0.9, 0.123456789012))))
    told = client.http.get(path, params={"key": "val/acc"}).json()
    assert told == {"ids": [run], "last": [0.12345679], "min": [0.12345679], "max": [0.9]}
    told = client.http.get(path, params={"key": "val/acc", "exact": 1}).json()
    assert told["last"] == [0.123456789012]


@pytest.mark.parametrize("rest", ["", "/runs", "/rerun", "/metric?key=loss"])
def test_data_of_pages_is_for_those_who_may_see_the_page(client, rest):
    """Without key and session there is none."""
    sweep = client.sweep(SWEEP)
    answer = client.http.get(f"/-/data/local/p/sweeps/{sweep}{rest}", headers={"Authorization": ""})
    assert answer.status_code == 401
