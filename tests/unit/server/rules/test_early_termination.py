"""Early termination on the server: what is looked up for it, and how a run hears of it."""

from __future__ import annotations

import json

import pytest

from sweeper.run import RunState
from sweeper.search import judge, stop_decision
from sweeper.server.store import runs, seen_runs

RANDOM = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}
HYPERBAND = {**RANDOM, "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2}}
SWEEP = {
    "method": "random",
    "metric": {"name": "val.loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}},
}
ASHA = {**SWEEP, "sweeper": {"early_terminate": {"type": "asha", "min_iter": 1, "eta": 3}}}
RULES = [
    {"early_terminate": {"type": "hyperband", "min_iter": 2, "strict": False}},
    {"early_terminate": {"type": "hyperband", "min_iter": 1}},
    {"sweeper": {"early_terminate": {"type": "asha", "min_iter": 4, "eta": 2}}},
    {"sweeper": {"early_terminate": {"type": "median", "warm_up": 1, "min_runs": 2, "percentile": 50}}},
]
LOGGED = [(5, 1, 6, 3), (2, 9, 7, 8), (4, 4, 4, 4), (1, 2, 3, 9), (9, 8, 7, 6)]


def test_bad_run_is_stopped_with_its_reason(table):
    """Early termination marks a bad run at its rung, the next heartbeat stops it, and the reason stays with it."""
    sweep = table.sweep(HYPERBAND)
    agents = [table.agent(sweep) for _ in range(3)]
    given = [table.given(agent) for agent in agents]
    for run, level in zip(given, (0.1, 0.2, 5.0), strict=True):
        table.start(run)
        table.log(run, level, level)
    told = [table.beat(agent, run.name).kind for agent, run in zip(agents, given, strict=True)]
    assert told == ["wait", "wait", "stop"]
    assert table.beat(agents[2]).kind == "run"
    assert table.state(given[2]) is RunState.KILLED
    assert "rung 2" in table.read(given[2]).reason


@pytest.mark.parametrize("metric", ["loss", "loss.mean", "loss.max"])
@pytest.mark.parametrize("goal", ["minimize", "maximize"])
@pytest.mark.parametrize("rule", RULES)
def test_values_looked_up_decide_as_whole_histories_do(table, rule, goal, metric):
    """What the database is asked for leads to the same decision as all that the runs have logged."""
    sweep = table.sweep({**RANDOM, "metric": {"name": metric, "goal": goal}, **rule})
    made = [table.given(table.agent(sweep)) for _ in LOGGED]
    for run, values in zip(made, LOGGED, strict=True):
        table.start(run)
        table.log(run, *values)
    with table.store.read() as db:
        known = seen_runs.for_search(db, sweep)
        expected = [stop_decision(sweep.definition, run, known) for run in known]
        judged = [seen_runs.for_judging(db, sweep, runs.get(db, run.id), since_line=3) for run in made]
        found = [
            judge(sweep.definition, run, seen_runs.others_at(db, sweep, stored.id))
            for run, stored in zip(judged, made, strict=True)
        ]
    assert found == expected
    assert None in found or metric == "loss.mean"  # of these values none is good enough
    assert any(found)


def test_bad_run_is_told_to_stop_in_the_answer(client):
    """The request that brings a run to a rung it does not pass is answered with `stopped`."""
    definition = {**SWEEP, "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2}}
    sweep = client.sweep(definition)
    answers = []
    for loss in (1.0, 2.0, 5.0):
        (command,) = client.beat(client.agent(sweep))
        client.init(command["run_id"])
        answers.append(client.log(command["run_id"], *({"_step": i, "val": {"loss": loss}} for i in range(2))))
    assert [answer["stopped"] for answer in answers] == [False, False, True]
    client.stream(command["run_id"], complete=True, exitcode=1)
    found = client.run(command["run_id"], "state summaryMetrics")
    assert found["state"] == "killed"
    assert "rung 2" in json.loads(found["summaryMetrics"])["_sweeper"]["reason"]


def test_stopped_run_keeps_the_numbers_of_its_decision(client):
    """The summary holds rule, rung, value, threshold and number of runs beside the reason."""
    sweep = client.sweep({**SWEEP, "early_terminate": {"type": "hyperband", "min_iter": 1, "eta": 2}})
    for loss in (1.0, 2.0, 5.0):
        (command,) = client.beat(client.agent(sweep))
        client.init(command["run_id"])
        client.log(command["run_id"], {"_step": 0, "val": {"loss": loss}})
    told = json.loads(client.run(command["run_id"], "summaryMetrics")["summaryMetrics"])["_sweeper"]
    assert told["stop"] == {"rule": "hyperband", "rung": 1, "value": 5.0, "threshold": 2.0, "n": 3}
    assert "5 > 2" in told["reason"]


def test_run_that_logs_only_nan_is_told_to_stop(client):
    """At the first rung a run without one finite value is stopped; W&B would let it train to the end."""
    sweep = client.sweep({**SWEEP, "early_terminate": {"type": "hyperband", "min_iter": 2}})
    (command,) = client.beat(client.agent(sweep))
    name = command["run_id"]
    client.init(name)
    rows = [{"_step": 0, "val": {"loss": float("nan")}}, {"_step": 1, "val": {"loss": float("inf")}}]
    assert client.log(name, rows[0])["stopped"] is False
    assert client.log(name, rows[0])["stopped"] is False  # sent again
    assert client.log(name, rows[1], offset=1)["stopped"] is True
    told = json.loads(client.run(name, "summaryMetrics")["summaryMetrics"])["_sweeper"]
    assert told["stop"]["value"] is None
    assert "never a finite number" in told["reason"]


def started(client, sweep, agent=None):
    (command,) = client.beat(agent or client.agent(sweep))
    client.init(command["run_id"])
    return command["run_id"]


def losses(*values):
    return [{"_step": step, "val": {"loss": value}} for step, value in enumerate(values)]


def test_asha_judges_a_run_once_at_each_rung(client):
    """The first at a rung passes, and goes on when better ones come after it, until its own next rung."""
    sweep = client.sweep(ASHA)
    agent = client.agent(sweep)
    first = started(client, sweep, agent)
    assert client.log(first, *losses(5.0))["stopped"] is False
    for name in (started(client, sweep) for _ in range(3)):
        assert client.log(name, *losses(1.0, 1.0, 1.0))["stopped"] is False
    rows = losses(5.0, 5.0, 5.0)
    assert client.beat(agent, first) == []
    assert client.log(first, rows[1], offset=1)["stopped"] is False
    assert client.log(first, rows[2], offset=2)["stopped"] is True


def test_asha_judges_every_rung_of_one_delivery(client):
    """A run whose values come all at once is judged at the rungs it would have been stopped at one by one."""
    sweep = client.sweep(ASHA)
    good = started(client, sweep)
    client.log(good, *losses(1.0, 1.0, 1.0))
    late = started(client, sweep)
    assert client.log(late, *losses(2.0, 0.5, 0.5))["stopped"] is True  # best at rung 3, too bad at rung 1
    told = json.loads(client.run(late, "summaryMetrics")["summaryMetrics"])["_sweeper"]["stop"]
    assert told == {"rule": "asha", "rung": 1, "value": 2.0, "threshold": 1.0, "n": 2}


def test_median_stops_the_worse_runs(client):
    """Once enough others have got as far, a run among the worse part is told to stop."""
    rule = {"type": "median", "warm_up": 0, "min_runs": 2, "percentile": 50}
    sweep = client.sweep({**SWEEP, "sweeper": {"early_terminate": rule}})
    told = [client.log(started(client, sweep), *losses(value))["stopped"] for value in (3.0, 2.0, 9.0, 1.0)]
    assert told == [False, False, True, False]
