"""What sweeper's own commands are told of a sweep."""

from __future__ import annotations

import json

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}


def ask(client, sweep, fields, *, status=200):
    query = f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ {fields} }} }} }}'
    found = client.graphql(query, status=status)
    return found if status != 200 else found["project"]["sweep"]


def run_once(client, sweep):
    agent = client.agent(sweep)
    (command,) = client.beat(agent)
    run = command["run_id"]
    client.init(run, sweep=sweep, summary='{"loss": 0.5}')
    client.log(run, {"_step": 0, "loss": 2.0}, {"_step": 1, "loss": 1.0}, {"_step": 2, "loss": 3.0})
    client.stream(run, complete=True, exitcode=0)
    return run


def test_a_page_tells_what_each_run_has_come_to(client):
    """Count, last and extremes of its metric; what is as in every run is left out."""
    sweep = client.sweep(GRID)
    first, second = run_once(client, sweep), run_once(client, sweep)
    told = json.loads(ask(client, sweep, "runDigests(first: 1)")["runDigests"])
    (run,) = told["runs"]
    assert (run["id"], run["state"], run["params"], run["digest"]) == (
        first,
        "finished",
        {"lr": 0.1},
        [3, 3.0, 1.0, 3.0],
    )
    assert not run.keys() & {"reason", "prior", "lacks", "stop", "values", "logged"}
    assert told["total"] == 2
    after = told["next"]
    told = json.loads(ask(client, sweep, f"runDigests(first: 5, after: {after})")["runDigests"])
    assert ([run["id"] for run in told["runs"]], told["next"]) == ([second], None)
    assert json.loads(ask(client, sweep, f"runDigests(since: {told['now'] + 9})")["runDigests"])["runs"] == []


def test_the_outline_tells_the_file_and_how_many_runs_it_will_have(client):
    """Without a scheduler of its own, nothing of one."""
    told = json.loads(ask(client, client.sweep(GRID), "outline")["outline"])
    assert (told["outline"]["method"], told["outline"]["searched"], told["expected"]) == ("grid", ["lr"], 3)
    assert told["scheduler_heard_at"] is None


def test_whole_runs_have_their_configs_and_summaries(client):
    """As texts, which the client parses: the summary with why a run ended."""
    sweep = client.sweep(GRID)
    run = run_once(client, sweep)
    told = json.loads(ask(client, sweep, "wholeRuns")["wholeRuns"])
    (whole,) = told["runs"]
    assert (whole["id"], whole["sweep"], whole["state"], told["next"]) == (run, sweep, "finished", None)
    assert json.loads(whole["config"])["lr"] == {"value": 0.1}
    assert json.loads(whole["summary"])["loss"] == 0.5


def test_a_page_has_some_runs(client):
    """None, or fewer, is a mistake."""
    assert "is no number of runs" in str(ask(client, client.sweep(GRID), "runDigests(first: 0)", status=400))


def test_curves_are_some_points_of_each_run(client):
    """Evenly spread, with the last value; of runs that are asked for and have one."""
    sweep = client.sweep(GRID)
    run, other = run_once(client, sweep), run_once(client, sweep)
    told = json.loads(ask(client, sweep, f'runCurves(runs: ["{run}", "nobody"], points: 2)')["runCurves"])
    assert told == {run: [[1, 2.0], [2, 1.0], [3, 3.0]]}
    told = json.loads(ask(client, sweep, f'runCurves(runs: ["{other}"], points: 1)')["runCurves"])
    assert told == {other: [[3, 3.0]]}
    assert "at most" in str(ask(client, sweep, "runCurves(runs: [], points: 0)", status=400))


def test_a_sweep_and_those_that_confirm_it_name_each_other(client):
    """So `status` of either shows what other seeds have shown."""
    sweep = client.sweep(GRID)
    again = client.sweep({**GRID, "description": f"confirms {sweep} with other values of seed"})
    told, other = (json.loads(ask(client, one, "outline")["outline"]) for one in (sweep, again))
    assert (told["confirms"], told["confirmed_by"]) == ("", [again])
    assert (other["confirms"], other["confirmed_by"]) == (sweep, [])
