"""Warm start: earlier runs attached to a sweep."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
import yaml

from sweeper.run import RunState, SweepState
from sweeper.server.errors import RequestError
from sweeper.server.rules import branching, early_termination, prior_runs, run_endings, run_transitions
from sweeper.server.store import lines, runs, seen_runs, suggestions, sweeps

METRIC = {"name": "loss", "goal": "minimize"}
GRID = {"method": "grid", "metric": METRIC, "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}
RANDOM = {"method": "random", "metric": METRIC, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}
HYPERBAND = {**RANDOM, "early_terminate": {"type": "hyperband", "min_iter": 2, "eta": 2}}
CONFIG = '{"lr": {"value": 0.1}, "_wandb": {"value": {}}}'


def named(*names):
    """What wandb.sweep sends for `prior_runs=names`."""
    return json.dumps({"$or": [{"name": name} for name in names]})


def warm(client, definition, filters, project="p", *, status=200):
    query = """mutation($config: String, $project: String, $filters: JSONString) {
        upsertSweep(input: {config: $config, projectName: $project, priorRunsFilters: $filters}) {
            sweep { name runCount bestLoss priorRuns { edges { node { name sweepName } } }
                runs { edges { node { name sweepName } } } } } }"""
    text = yaml.safe_dump(definition)
    found = client.graphql(query, status=status, config=text, project=project, filters=filters)
    return found["upsertSweep"]["sweep"] if status == 200 else found


def names(connection):
    return [edge["node"]["name"] for edge in connection["edges"]]


@pytest.fixture
def earlier(client):
    """A sweep with one finished run, and two runs without a sweep, one of them still running."""
    sweep = client.sweep(GRID)
    (command,) = client.beat(client.agent(sweep))
    done = command["run_id"]
    client.init(done, config=CONFIG)
    client.log(done, {"_step": 0, "loss": 3.0}, {"_step": 1, "loss": 2.0})
    client.stream(done, complete=True, exitcode=0)
    client.init("loose", config='{"lr": {"value": 0.7}}')
    client.log("loose", {"_step": 0, "loss": 5.0, "acc": 0.5})
    client.stream("loose", complete=True, exitcode=0)
    client.init("going", config='{"other": {"value": 1}}')
    return sweep, done


def test_runs_of_any_kind_are_attached_and_stay_where_they_are(client, earlier):
    """A run of another sweep, one without a sweep and a running one are attached, and keep the sweep they had."""
    first, done = earlier
    made = warm(client, RANDOM, named(done, "loose", "going", "loose"))
    assert names(made["priorRuns"]) == [done, "loose", "going"]
    assert [edge["node"]["sweepName"] for edge in made["priorRuns"]["edges"]] == [first, None, None]
    assert client.run("going", "state")["state"] == "running"


def test_attached_runs_are_listed_and_not_counted(client, earlier):
    """A sweep lists the attached runs with its own, but neither its count nor its best value knows them."""
    first, done = earlier
    made = warm(client, RANDOM, named(done, "loose"))
    assert names(made["runs"]) == [done, "loose"]
    assert (made["runCount"], made["bestLoss"]) == (0, None)
    assert client.runs({"$and": [{"sweep": made["name"]}]}) == [done, "loose"]
    assert client.runs({"sweep": first}) == [done]
    assert client.runs({"sweep": None}) == ["loose", "going"]


@pytest.mark.parametrize("filters", [{"state": "finished"}, {"summary_metrics.loss": {"$lt": 4}}])
def test_any_filter_attaches(client, earlier, filters):
    """Runs can be chosen by any filter, not by name alone."""
    _, done = earlier
    client.init(done, summary='{"loss": 2.0}')
    made = warm(client, RANDOM, json.dumps(filters))
    assert done in names(made["priorRuns"])
    assert "going" not in names(made["priorRuns"])


def test_unknown_run_is_refused_and_no_sweep_made(client, earlier):
    """An id nobody knows is a 400 that names it, the project and the way out; nothing is left behind."""
    _, done = earlier
    said = warm(client, RANDOM, named(done, "nope", "run-1"), status=400)
    assert "no run 'nope', 'run-1' in local/p" in said
    assert "not its display name" in said
    assert client.graphql('{ project(name: "p") { totalSweeps } }')["project"]["totalSweeps"] == 1


@pytest.mark.parametrize("also", [{"state": "running"}, {"name": {"$regex": "^go"}}])
def test_names_and_other_conditions_are_held_against_every_run(client, earlier, also):
    """A filter that says more than names attaches what any of its parts holds for."""
    _, done = earlier
    filters = json.dumps({"$or": [{"name": done}, also]})
    assert names(warm(client, RANDOM, filters)["priorRuns"]) == [done, "going"]


def test_half_a_surrogate_pair_names_no_run(client, earlier):
    """An id that cannot be one is refused like any unknown one."""
    _, done = earlier
    assert "no run" in warm(client, RANDOM, named(done, "\ud800"), status=400)


def test_run_of_another_project_is_unknown(client, earlier):
    """Runs are attached within their project only."""
    _, done = earlier
    assert "in local/q" in warm(client, RANDOM, named(done), project="q", status=400)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ('{"state": "crashed"}', "no run fits the filter"),
        ("[]", "expected a JSON object"),
        ("{", "JSON"),
        ('{"$or": 3}', "list of filters"),
        ('{"nonsense": 1}', "runs have no 'nonsense'"),
        ('{"$or": [{"name": 3}]}', "no run fits"),
    ],
)
@pytest.mark.usefixtures("earlier")
def test_useless_filter_is_refused(client, filters, said):
    """A filter that cannot be read, or that holds for no run, is a readable 400."""
    assert said in warm(client, RANDOM, filters, status=400)


def test_page_shows_the_attached_runs_apart(client, earlier):
    """The sweep's page names the attached runs, and its table has none of them."""
    _, done = earlier
    made = warm(client, RANDOM, named(done))
    page = client.http.get(f"/local/p/sweeps/{made['name']}").text
    assert "prior runs" in page
    assert f"/local/p/runs/{done}" in page
    assert "None yet." in page
    assert "<table>" not in page


def seen(table, sweep):
    with table.store.read() as db:
        return seen_runs.for_search(db, sweeps.get(db, sweep.id))


def attach(table, sweep, *found):
    with table.store.write() as db:
        prior_runs.attach(db, sweeps.get(db, sweep.id), named(*(run.name for run in found)))


def finished(table, sweep, *values):
    """Let a sweep make a run that logs values of the loss, and end it."""
    run = table.given(table.agent(sweep))
    table.start(run)
    table.history(run, *({"loss": value, "acc": 1 - value} for value in values))
    table.complete(run)
    return table.read(run)


def test_search_sees_parameters_and_metric_of_the_new_sweep(table):
    """An attached run comes first, marked, with the new sweep's parameters and the history of its metric."""
    old = table.sweep({**GRID, "parameters": {"lr": {"values": [0.5]}, "old": {"value": 1}}})
    run = finished(table, old, 0.9, 0.4)
    new = table.sweep({**RANDOM, "metric": {"name": "acc", "goal": "maximize"}})
    attach(table, new, run)
    table.given(table.agent(new))
    prior, own = seen(table, new)
    assert (prior.id, prior.prior, prior.state, prior.params) == (run.name, True, RunState.FINISHED, {"lr": 0.5})
    assert prior.history == pytest.approx((0.1, 0.6))
    assert not own.prior
    assert [known.history for known in seen(table, old)] == [(0.9, 0.4)]


def test_search_sees_runs_without_its_parameters(table):
    """A run that lacks a parameter is passed on with what it has: whether it is of use, the search decides."""
    run = finished(table, table.sweep(GRID), 0.5)
    new = table.sweep({**RANDOM, "parameters": {"momentum": {"min": 0.0, "max": 1.0}}})
    attach(table, new, run)
    assert [known.params for known in seen(table, new)] == [{}]


def test_what_a_running_prior_run_logs_is_seen(table):
    """Values that come in after the run was attached reach the new sweep too."""
    old = table.sweep(RANDOM)
    run = table.given(table.agent(old))
    table.start(run)
    new = table.sweep(RANDOM)
    attach(table, new, run)
    table.history(run, {"loss": 0.5}, {"loss": 0.25})
    assert [known.history for known in seen(table, new)] == [(0.5, 0.25)]
    assert [known.history for known in seen(table, old)] == [(0.5, 0.25)]


def test_summary_stands_in_for_a_history_without_the_metric(table):
    """An ended run that logged the metric in its summary alone counts with that value."""
    run = finished(table, table.sweep(GRID))
    with table.store.write() as db:
        runs.update(db, run.id, summary='{"loss": 0.125}')
    new = table.sweep(RANDOM)
    attach(table, new, run)
    assert [known.history for known in seen(table, new)] == [(0.125,)]


@pytest.mark.usefixtures("earlier")
def test_another_definition_reads_its_own_metric(client):
    """A sweep that gets another metric before it starts reads that one from the attached runs."""
    made = warm(client, RANDOM, named("loose"))
    query = """{ project(name: "p") { sweep(sweepName: "%s") { id } } }"""
    id_ = client.graphql(query % made["name"])["project"]["sweep"]["id"]
    changed = yaml.safe_dump({**RANDOM, "metric": {"name": "acc", "goal": "maximize"}})
    update = "mutation($id: ID, $c: String) { upsertSweep(input: {id: $id, config: $c}) { sweep { name } } }"
    client.graphql(update, id=id_, c=changed)
    with client.http.app.state.store.read() as db:
        known = seen_runs.for_search(db, sweeps.find(db, made["name"]))
    assert [run.history for run in known] == [(0.5,)]


def test_prior_runs_are_peers_of_early_termination_and_not_judged_by_it(table):
    """A new run is stopped for being worse than attached ones, which the new sweep never stops."""
    old = table.sweep(RANDOM)
    good = [finished(table, old, value, value) for value in (0.1, 0.2, 0.3)]
    going = table.given(table.agent(old))
    table.start(going)
    new = table.sweep(HYPERBAND)
    attach(table, new, *good, going)
    table.history(going, {"loss": 9.0}, {"loss": 9.0})
    agent = table.agent(new)
    run = table.given(agent)
    table.start(run)
    table.history(run, {"loss": 5.0}, {"loss": 5.0})
    early_termination.judge(table.store, going.id, now=table.now)
    assert table.beat(agent, run.name).kind == "stop"
    assert "of 5 runs" in table.read(run).reason
    assert not table.read(going).stop_requested


def test_cancel_leaves_prior_runs_alone(table):
    """Canceling the new sweep stops its own runs only, and the attached pending one keeps waiting for its agent."""
    old = table.sweep(RANDOM)
    waiting, going = table.given(table.agent(old)), table.given(table.agent(old))
    table.start(going)
    new = table.sweep(RANDOM)
    attach(table, new, waiting, going)
    table.set_state(new, SweepState.CANCELED)
    assert [table.state(run) for run in (waiting, going)] == [RunState.PENDING, RunState.RUNNING]
    assert not table.read(going).stop_requested


def test_unfinished_prior_runs_do_not_keep_a_sweep_open(table):
    """A sweep has finished when its own runs have, though an attached run goes on."""
    going = table.given(table.agent(table.sweep(RANDOM)))
    table.start(going)
    new = table.sweep({**RANDOM, "run_cap": 1})
    attach(table, new, going)
    finished(table, new, 0.5)
    assert table.sweep_state(new) is SweepState.FINISHED


def test_grid_does_not_repeat_what_prior_runs_did(table):
    """A grid gives out the points that no attached run has, then finishes."""
    run = finished(table, table.sweep(GRID), 0.5)
    new = table.sweep(GRID)
    attach(table, new, run)
    agent = table.agent(new)
    given = []
    while (command := table.beat(agent)).kind == "run":
        given.append(json.loads(command.run.params)["lr"])
        table.start(command.run)
        table.complete(command.run)
    assert given == [0.2, 0.3]
    assert table.sweep_state(new) is SweepState.FINISHED


def test_run_cap_counts_own_runs_only(table):
    """A sweep with a run_cap of two gives out two runs, however many were attached."""
    old = table.sweep(RANDOM)
    found = [finished(table, old, 0.5) for _ in range(3)]
    new = table.sweep({**RANDOM, "run_cap": 2})
    attach(table, new, *found)
    for _ in range(2):
        finished(table, new, 0.1)
    assert table.beat(table.agent(new)).kind == "exit"
    assert len(table.runs(new)) == 2


def test_a_sweeps_own_runs_are_not_attached_to_it(table):
    """A filter that holds for the sweep's own runs attaches none of them."""
    new = table.sweep(RANDOM)
    own = finished(table, new, 0.5)
    attach(table, new, own)
    with table.store.read() as db:
        assert runs.attached_to(db, new.id) == []
    with pytest.raises(RequestError, match="no run fits"), table.store.write() as db:
        prior_runs.attach(db, new, '{"state": "crashed"}')


def test_what_is_read_ahead_is_completed_and_checked(table):
    """Rows logged after the reading are read too, and a run handed out again meanwhile is read as it is."""
    old = table.sweep({**RANDOM, "metric": {"name": "acc"}})
    goes_on, begins_anew = table.given(table.agent(old)), table.given(table.agent(old))
    for run in (goes_on, begins_anew):
        table.start(run)
        table.log(run, 3.0, 2.0)
    with table.store.read() as db:
        logged = prior_runs.read_ahead(db, [table.read(goes_on), table.read(begins_anew)], "loss")
    table.log(goes_on, 3.0, 2.0, 1.0)
    with table.store.write() as db:
        run_endings.requeue(db, runs.update(db, begins_anew.id, state="failed", exit_code=1), now=table.now)
    assert table.beat(table.agent(old)).run.name == begins_anew.name
    with table.store.write() as db:
        run_transitions.begins(db, table.read(begins_anew), {"second"}, first=True, now=table.now)
    table.log(begins_anew, 7.0)
    new = table.sweep(RANDOM)
    with table.store.write() as db:
        prior_runs.attach(db, new, named(goes_on.name, begins_anew.name), logged)
    with table.store.read() as db:
        assert [run.history for run in seen_runs.for_search(db, new)] == [(3.0, 2.0, 1.0), (7.0,)]


def attach_as_read(table, sweep, run, *, meanwhile):
    """Attach a run to a sweep while something happens between reading and attaching; give the history seen then."""
    with table.store.read() as db:
        logged = prior_runs.read_ahead(db, [table.read(run)], "loss")
    meanwhile()
    with table.store.write() as db:
        prior_runs.attach(db, sweep, named(run.name), logged)
    return seen(table, sweep)[0].history


def test_an_id_used_again_between_reading_and_attaching_is_read_as_it_is(table):
    """W&B overwrites such a run, in the same attempt: of the first history nothing stays, and the second goes on."""
    place = table.sweep(RANDOM).project_id
    with table.store.write() as db:
        run = runs.create(db, place, "again", state=RunState.RUNNING, now=table.now)
    table.log(run, 3.0, 2.0, 1.0)
    table.complete(run)

    def used_again():
        table.now += 1
        with table.store.write() as db:
            run_transitions.begins(db, table.read(run), {"second"}, first=True, now=table.now)
        table.log(run, 7.0)

    new = table.sweep(RANDOM)
    assert attach_as_read(table, new, run, meanwhile=used_again) == (7.0,)
    table.log(run, 7.0, 6.0)
    assert seen(table, new)[0].history == (7.0, 6.0)


def test_a_run_rewound_between_reading_and_attaching_is_read_as_it_is(table):
    """What it logged behind the step is gone, though it has as many rows again."""
    run = table.given(table.agent(table.sweep({**RANDOM, "metric": {"name": "acc"}})))
    table.start(run)
    table.history(run, *({"_step": step, "loss": value} for step, value in enumerate((3.0, 2.0, 1.0))))

    def rewound():
        with table.store.write() as db:
            branching.rewind(db, table.read(run), 1)
        table.history(run, *({"_step": step, "loss": value} for step, value in enumerate((3.0, 2.0, 9.0))))

    assert attach_as_read(table, table.sweep(RANDOM), run, meanwhile=rewound) == (3.0, 2.0, 9.0)


def test_a_run_without_rows_is_read_ahead_in_vain(table):
    """What it logs between reading and attaching is seen all the same."""
    run = table.given(table.agent(table.sweep({**RANDOM, "metric": {"name": "acc"}})))
    table.start(run)
    assert attach_as_read(table, table.sweep(RANDOM), run, meanwhile=lambda: table.log(run, 4.0)) == (4.0,)


def test_a_prior_run_that_logged_nothing_but_nan_has_diverged_here_too(table):
    """A sweep that takes over the metric from another one takes over how often it was NaN."""
    run = finished(table, table.sweep(RANDOM), math.nan, math.inf)
    new = table.sweep(RANDOM)
    attach(table, new, run)
    assert [(known.history, known.nonfinite) for known in seen(table, new)] == [((), 2)]


def test_another_metric_forgets_that_the_first_was_nan(table):
    """A sweep that gets another file before it starts counts NaN of its new metric alone."""
    run = finished(table, table.sweep({**GRID, "metric": {"name": "other"}}))
    table.history(run, {"bad": math.nan}, {"bad": math.nan})
    new = table.sweep({**RANDOM, "metric": {"name": "bad"}})
    attach(table, new, run)
    assert [known.nonfinite for known in seen(table, new)] == [2]
    with table.store.write() as db:
        run_edited = sweeps.get(db, new.id)
        prior_runs.reread(db, replace(run_edited, definition_text=yaml.safe_dump(RANDOM)))
    with table.store.read() as db:
        assert lines.nonfinite(db, new.id, run.id) == 0


def test_suggestions_that_were_ready_are_made_anew_with_the_prior_runs(ahead):
    """A grid whose next points were computed before earlier runs were attached does not give out what those had."""
    run = finished(ahead, ahead.sweep(GRID), 0.5)
    new = ahead.sweep(GRID)
    assert [json.loads(entry.params)["lr"] for entry in ready_for(ahead, new)[:3]] == [0.1, 0.2, 0.3]
    attach(ahead, new, run)
    with ahead.store.read() as db:  # empty, or already filled again by the dispatcher's thread
        assert '{"lr": 0.1}' not in [entry.params for entry in suggestions.of_sweep(db, new.id)]
    assert [json.loads(entry.params)["lr"] for entry in ready_for(ahead, new)[:2]] == [0.2, 0.3]


def ready_for(ahead, sweep):
    """Have everything computed ahead for a sweep, and give it."""
    ahead.dispatcher.changed(sweep.id)
    return ahead.settled(sweep)


def test_a_finite_random_search_passes_over_what_prior_runs_had(table):
    """No configuration is drawn that an attached run has had, and the sweep ends with the last of the others."""
    finite = {**RANDOM, "parameters": {"lr": {"values": [0.1, 0.2, 0.3, 0.4]}}}
    had = [finished(table, table.sweep({**GRID, "parameters": {"lr": {"value": value}}}), 0.5) for value in (0.2, 0.4)]
    for seed in range(8):
        new = table.sweep({**finite, "sweeper": {"seed": seed}})
        attach(table, new, *had)
        agent = table.agent(new)
        given = []
        while (command := table.beat(agent)).run:
            given.append(json.loads(command.run.params)["lr"])
            table.start(command.run)
            table.complete(command.run)
        assert sorted(given) == [0.1, 0.3]
        assert table.sweep_state(new) is SweepState.FINISHED
