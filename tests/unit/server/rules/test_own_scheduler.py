"""A sweep whose runs come from a scheduler of its own, `wandb sweep-scheduler`."""

from __future__ import annotations

import json

import pytest

OWN = {
    "method": "custom",
    "metric": {"name": "loss"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}, "net": {"parameters": {"depth": {"values": [1, 2]}}}},
    "scheduler": {"engine": "optuna"},
}
CONFIG = {"x": {"value": 0.5}, "net": {"value": {"depth": 2}}}


def ask(client, sweep: str, fields: str):
    query = f'query($s: String!) {{ project(name: "p") {{ sweep(sweepName: $s) {{ {fields} }} }} }}'
    return client.graphql(query, s=sweep)["project"]["sweep"]


def enqueue(client, sweep: str, config=None, *, status: int = 200):
    """Propose a run as wandb-core 0.31.0 does; give its name."""
    query = """mutation($id: ID!, $config: JSONString!, $name: String) {
        enqueueSweepRun(input: {id: $id, config: $config, displayName: $name}) { id runQueueItemId } }"""
    text = json.dumps(CONFIG if config is None else config)
    answer = client.graphql(query, status=status, id=ask(client, sweep, "id")["id"], config=text, name=None)
    return answer["enqueueSweepRun"]["id"] if status == 200 else answer


def stop(client, run: str):
    query = "mutation($id: ID!) { stopRun(input: {id: $id}) { success } }"
    return client.graphql(query, id=client.run(run, "id")["id"])["stopRun"]["success"]


def finish(client, run: str, loss: float = 1.0) -> None:
    client.init(run, config="{}")
    client.log(run, {"_step": 0, "loss": loss})
    client.stream(run, complete=True, exitcode=0)


def test_agent_waits_until_the_scheduler_proposes_a_run(client):
    """Nothing queued is no end: the agent is told to wait, then gets what was proposed, exactly as it was."""
    agent = client.agent(sweep := client.sweep(OWN))
    assert client.beat(agent) == []
    run = enqueue(client, sweep)
    assert client.run(run, "state sweepName")["state"] == "pending"
    (command,) = client.beat(agent)
    assert (command["type"], command["run_id"], command["args"]) == ("run", run, CONFIG)
    finish(client, run)
    assert client.beat(agent) == []


def test_parameters_that_the_file_does_not_list_are_handed_out(client):
    """A function of the scheduler's may draw what it likes."""
    own = {"method": "custom", "scheduler": {"engine": "optuna", "source": "s.py", "search_space": "f"}}
    run = enqueue(client, sweep := client.sweep(own), {"kind": {"value": "a"}})
    (command,) = client.beat(client.agent(sweep))
    assert (command["run_id"], command["args"]) == (run, {"kind": {"value": "a"}})


def test_run_cap_is_exact_and_ends_the_sweep(client):
    """One proposed beyond it is no run, which the scheduler finds out by itself; then the sweep has finished."""
    sweep = client.sweep({**OWN, "run_cap": 1})
    run, beyond = enqueue(client, sweep), enqueue(client, sweep)
    agent = client.agent(sweep)
    assert client.beat(agent)[0]["run_id"] == run
    assert client.runs({"name": {"$in": [run, beyond]}}) == [run]
    finish(client, run)
    assert client.beat(agent) == [{"type": "exit"}]
    assert ask(client, sweep, "state runCount") == {"state": "FINISHED", "runCount": 1}


def test_target_ends_the_sweep_and_what_still_waits(client):
    """Once a run has reached the metric's target, proposed ones that nobody has taken up are not started."""
    sweep = client.sweep({**OWN, "metric": {"name": "loss", "target": 0.1}})
    first, second = enqueue(client, sweep), enqueue(client, sweep)
    agent = client.agent(sweep)
    assert client.beat(agent)[0]["run_id"] == first
    finish(client, first, loss=0.05)
    assert client.beat(agent) == [{"type": "exit"}]
    assert client.run(second, "state")["state"] == "killed"
    assert ask(client, sweep, "state")["state"] == "FINISHED"


def test_scheduler_ends_the_sweep(client):
    """It sets the state when its search is exhausted."""
    agent = client.agent(sweep := client.sweep(OWN))
    query = "mutation($id: ID!, $s: String!) { upsertSweep(input: {id: $id, state: $s}) { sweep { state } } }"
    client.graphql(query, id=ask(client, sweep, "id")["id"], s="FINISHED")
    assert client.beat(agent) == [{"type": "exit"}]


def test_pruned_run_is_stopped(client):
    """A running one hears it through its stream, one that nobody has taken up never starts."""
    agent = client.agent(sweep := client.sweep(OWN))
    running, waiting = enqueue(client, sweep), enqueue(client, sweep)
    client.beat(agent)
    client.init(running, config="{}")
    assert stop(client, running)
    assert stop(client, waiting)
    assert client.log(running, {"_step": 0, "loss": 1.0})["stopped"] is True
    assert client.run(waiting, "state")["state"] == "killed"
    client.stream(running, complete=True, exitcode=255)
    assert client.run(running, "state")["state"] == "killed"


def test_controller_run_is_no_run_of_the_sweep(client):
    """The scheduler logs into a run beside the sweep: named at once, always the same, and counted nowhere."""
    sweep = client.sweep(OWN)
    name = ask(client, sweep, "controllerRunName")["controllerRunName"]
    assert ask(client, sweep, "controllerRunName")["controllerRunName"] == name
    client.init(name)
    assert client.run(name, "sweepName state jobType") == {
        "sweepName": None,
        "state": "running",
        "jobType": "sweep-controller",
    }
    assert ask(client, sweep, "runCount runs { edges { node { name } } }") == {"runCount": 0, "runs": {"edges": []}}
    assert client.beat(client.agent(sweep)) == []


def test_scheduler_that_has_ended_leaves_no_failed_run(client):
    """Its run is finished when `sweeper launch` reports its end."""
    sweep = client.sweep(OWN)
    name = ask(client, sweep, "controllerRunName")["controllerRunName"]
    client.init(name)
    query = 'mutation($id: ID!) { updateRunState(input: {id: $id, state: "failed"}) { success } }'
    client.graphql(query, id=client.run(name, "id")["id"])
    assert client.run(name, "state")["state"] == "finished"


def test_sweep_that_the_server_searches_has_no_controller_run(client):
    """And nobody proposes runs for it from outside."""
    sweep = client.sweep({"method": "grid", "parameters": {"x": {"values": [1]}}})
    assert ask(client, sweep, "controllerRunName")["controllerRunName"] is None
    assert "this server searches" in enqueue(client, sweep, {"x": {"value": 1}}, status=400)


@pytest.mark.parametrize("config", [{"x": 1}, {"x": {"v": 1}}])
def test_config_of_another_form_is_refused(client, config):
    """Every value stands under "value"."""
    assert 'is not {"value": ...}' in enqueue(client, client.sweep(OWN), config, status=400)


def test_a_scheduler_may_have_several_metrics(client):
    """Once all targets are reached, what it has proposed and nobody has started is not needed any more."""
    metrics = [{"name": "loss", "target": 0.2}, {"name": "acc", "goal": "maximize", "target": 0.8}]
    definition = {key: value for key, value in OWN.items() if key != "metric"}
    sweep = client.sweep({**definition, "metrics": metrics})
    agent = client.agent(sweep)
    waiting = [enqueue(client, sweep) for _ in range(2)]
    assert client.beat(agent)[0]["run_id"] == waiting[0]
    client.init(waiting[0], config="{}")
    summary = {"wandb-summary.json": {"content": ['{"loss": 0.1, "acc": 0.9}']}}
    client.stream(waiting[0], files=summary, complete=True, exitcode=0)
    assert client.run(waiting[1], "state")["state"] == "killed"
    assert client.beat(agent) == [{"type": "exit"}]
