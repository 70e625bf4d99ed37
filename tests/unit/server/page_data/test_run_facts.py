"""The head of a run's page, as its scripts read it anew."""

from __future__ import annotations

GRID = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}, "fixed": {"value": 7}},
}


def facts_of(client, name):
    answer = client.http.get(f"/-/data/local/p/runs/{name}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def a_run(client, definition=GRID):
    (command,) = client.beat(client.agent(client.sweep(definition)))
    client.init(command["run_id"])
    return command["run_id"]


def test_a_run_at_work_is_told_as_it_is(client):
    """Values by the sweep's goal, rows, and the parameters that vary."""
    name = a_run(client)
    client.log(name, {"_step": 0, "loss": 0.5}, {"_step": 1, "loss": 0.25}, {"_step": 2, "loss": 0.75})
    told = facts_of(client, name)
    assert (told["fate"], told["metric"], told["best"], told["last"]) == ("running", "loss", 0.25, 0.75)
    assert (told["rows"], told["swept"], told["ended"], told["reason"]) == (3, {"lr": 0.1}, False, "")


def test_the_goal_decides_which_value_is_best(client):
    """The highest, where that is sought."""
    name = a_run(client, GRID | {"metric": {"name": "loss", "goal": "maximize"}})
    client.log(name, {"_step": 0, "loss": 0.5}, {"_step": 1, "loss": 0.25})
    assert facts_of(client, name)["best"] == 0.5


def test_a_run_without_a_sweep_has_no_metric(client):
    """And is told all the same; one that waits for nothing has no reason."""
    client.init("r")
    told = facts_of(client, "r")
    assert (told["metric"], told["best"], told["swept"], told["fate"]) == (None, None, {}, "running")
    assert client.http.get("/-/data/local/p/runs/nope").status_code == 404


def test_each_of_several_metrics_is_told(client):
    """By its name, in the file's order."""
    several = [{"name": "loss", "goal": "minimize"}, {"name": "speed", "goal": "maximize"}]
    name = a_run(client, {"method": "bayes", "metrics": several, "parameters": {"lr": {"min": 0.0, "max": 1.0}}})
    client.log(name, {"_step": 0, "loss": 0.5, "speed": 3})
    client.stream(
        name,
        files={"wandb-summary.json": {"offset": 0, "content": ['{"loss": 0.5, "speed": 3}']}},
        complete=True,
        exitcode=0,
    )
    assert facts_of(client, name)["values"] == [{"name": "loss", "value": 0.5}, {"name": "speed", "value": 3}]


def test_a_state_that_nobody_explained_is_put_into_words(client):
    """A run that is handed out and was never taken up waits."""
    (command,) = client.beat(client.agent(client.sweep(GRID)))
    told = facts_of(client, command["run_id"])
    assert told["fate"] == "waiting"
    assert "waits" in told["reason"]


def test_the_summary_is_told_where_it_is_asked_for(client):
    """As the page first had it: dotted, without media and the SDK's own keys."""
    client.init("r", summary='{"loss": 0.25, "_step": 7, "val": {"acc": 1}, "image": {"_type": "image-file"}}')
    assert client.http.get("/-/data/local/p/runs/r?summary=1").json()["summary"] == {"loss": 0.25, "val.acc": 1}
    assert "summary" not in facts_of(client, "r")
