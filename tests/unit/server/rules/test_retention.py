"""What may go of a sweep that is over for long, and what stays and why."""

from __future__ import annotations

import json
import time

import pytest

from sweeper.server.rules import retention
from sweeper.server.rules.retention import Retention, still_needed
from sweeper.server.store import runs, sweeps
from sweeper.server.store import users as known_users
from tests.unit.server.artifact_logger import Logger

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2, 0.3, 0.4]}}}
LATER = 3600.0


def work(client, sweep, *values, metric="loss", exitcode=0):
    """Have runs of a sweep log a value each, None for none, and end; then the sweep is stopped."""
    agent, made = client.agent(sweep), []
    for value in values:
        (command,) = client.beat(agent)
        run = command["run_id"]
        client.init(run, config=json.dumps(command["args"]))
        if value is not None:
            row = value if isinstance(value, dict) else {metric: value}
            client.log(run, {"_step": 0, **row})
            client.stream(run, files={"wandb-summary.json": {"offset": 0, "content": [json.dumps(row)]}})
        client.stream(run, complete=True, exitcode=exitcode)
        made.append(run)
    stop(client, sweep)
    return made


def stop(client, sweep, state="FINISHED"):
    with client.http.app.state.store.write() as db:
        found = sweeps.find(db, sweep)
        sweeps.set_state(db, found.id, state, now=time.time())


def look(client, sweep, *, keep=1, after_s=LATER, user="local"):
    """Tell what goes and what stays."""
    with client.http.app.state.store.read() as db:
        found = sweeps.find(db, sweep)
        asker = known_users.find(db, user)
        rules = Retention(
            user=asker,
            before=time.time() + after_s,
            keep=keep,
            address=lambda id_: f"wandb-artifact://{id_}/",
            confirming=retention.confirming_of(db, [found.project_id]),
        )
        told = rules.of_sweep(db, found)
    return told and (sorted(told.going.values()), {one.run: (one.why, one.by) for one in told.staying}, told.whole)


@pytest.mark.parametrize(("goal", "order"), [("minimize", (1, 3, 0, 2)), ("maximize", (2, 0, 3, 1))])
def test_the_best_runs_of_a_sweep_stay(client, goal, order):
    """So many as are asked for, by the metric's direction; none at 0."""
    sweep = client.sweep({**GRID, "metric": {"name": "loss", "goal": goal}})
    made = work(client, sweep, 3.0, 1.0, 4.0, 2.0)
    ranked = [made[place] for place in order]
    for keep in (0, 1, 2, 4, 9):
        going, staying, whole = look(client, sweep, keep=keep)
        assert set(staying) == set(ranked[:keep])
        assert set(staying.values()) <= {("best", "")}
        assert going == sorted(ranked[keep:])
        assert whole == (keep == 0)


def test_of_equals_the_earliest_stays(client):
    """As everywhere."""
    sweep = client.sweep(GRID)
    made = work(client, sweep, 2.0, 1.0, 1.0)
    assert [*look(client, sweep)[1]] == [made[1]]


def test_a_run_that_failed_is_not_the_best(client):
    """What it logged on the way counts as little as in `sweeper best`; with no other, all of the sweep goes."""
    sweep = client.sweep(GRID)
    work(client, sweep, 0.1, exitcode=1)
    going, staying, whole = look(client, sweep)
    assert (len(going), staying, whole) == (1, {}, True)


def test_without_a_value_all_goes(client):
    """A sweep without a metric, with runs that logged none, or without a run."""
    without = client.sweep({name: value for name, value in GRID.items() if name != "metric"})
    work(client, without, 1.0)
    nothing = client.sweep(GRID)
    work(client, nothing, None, None)
    empty = client.sweep(GRID)
    stop(client, empty, "CANCELED")
    for sweep, runs_ in ((without, 1), (nothing, 2), (empty, 0)):
        going, staying, whole = look(client, sweep)
        assert (len(going), staying, whole) == (runs_, {}, True)


def test_of_several_metrics_the_front_stays(client):
    """All of it, whatever the number; a run that failed is not on it."""
    metrics = [{"name": "loss", "goal": "minimize"}, {"name": "acc", "goal": "maximize"}]
    definition = {"method": "bayes", "parameters": {"lr": {"min": 0.0, "max": 1.0}}, "metrics": metrics}
    sweep = client.sweep(definition)
    made = work(client, sweep, {"loss": 1.0, "acc": 0.5}, {"loss": 2.0, "acc": 0.9}, {"loss": 2.0, "acc": 0.4})
    going, staying, _ = look(client, sweep)
    assert set(staying) == set(made[:2])
    assert going == [made[2]]
    assert look(client, sweep, keep=0)[2]


def test_runs_that_a_sweep_learns_from_stay_while_it_goes_on(client):
    """It is named; once it is over as long, they may go."""
    sweep = client.sweep(GRID)
    made = work(client, sweep, 1.0, 2.0, 3.0)
    query = """mutation($c: String, $f: JSONString) { upsertSweep(input: {config: $c, projectName: "p",
        priorRunsFilters: $f}) { sweep { name } } }"""
    filters = json.dumps({"$or": [{"name": made[1]}]})
    learner = client.graphql(query, c=json.dumps(GRID), f=filters)["upsertSweep"]["sweep"]["name"]
    going, staying, _ = look(client, sweep)
    assert (going, staying[made[1]]) == ([made[2]], ("prior", learner))
    stop(client, learner)
    assert look(client, sweep)[0] == sorted(made[1:])
    with client.http.app.state.store.read() as db:
        found = sweeps.find(db, sweep)
        rows = [run.id for run in runs.of_sweep(db, found.id) if run.name == made[1]]
        over = time.time() + LATER
        assert still_needed(db, found, rows, before=over) == ""
    stop(client, learner, "RUNNING")
    with client.http.app.state.store.read() as db:
        assert still_needed(db, found, rows, before=over) == f"sweep {learner} learns from it"
        assert still_needed(db, found, [], before=over) == ""
    stop(client, sweep, "RUNNING")
    with client.http.app.state.store.read() as db:
        assert "begun anew" in still_needed(db, found, [], before=over)


def test_what_a_sweep_confirms_stays_with_it(client):
    """While the confirmation goes on all of the sweep, then the runs that were confirmed; all of the other one."""
    sweep = client.sweep(GRID)
    made = work(client, sweep, 0.1, 0.2, 0.3, 0.4)
    parameters = {"lr": {"values": [0.1, 0.2]}, "seed": {"values": [1001, 1002]}}
    told = f"confirms {sweep} with other values of seed"
    other = client.sweep({**GRID, "parameters": parameters, "description": told})
    going, staying, _ = look(client, sweep)
    assert going == []
    assert {why for run, why in staying.items() if run != made[0]} == {("confirmed", f"sweep {other}")}
    confirming = work(client, other, 0.1, 0.1, 0.2, 0.2)
    assert look(client, other)[:2] == ([], dict.fromkeys(confirming, ("confirms", f"sweep {sweep}")))
    going, staying, _ = look(client, sweep)
    assert (going, set(staying)) == (sorted(made[2:]), set(made[:2]))
    with client.http.app.state.store.write() as db:
        sweeps.delete(db, sweeps.find(db, sweep).id)
    assert len(look(client, other)[0]) == 3


def test_a_run_stays_whose_artifact_is_needed(client):
    """Used by another run, linked to a collection, given an alias; `latest` is none that a person gave."""
    sweep = client.sweep(GRID)
    best, used, linked, alias = work(client, sweep, 0.1, 0.2, 0.3, 0.4)
    ids = {}
    for run in (best, used, linked, alias):
        aliases = [{"artifactCollectionName": f"m-{run}", "alias": "latest"}]
        ids[run] = Logger(client, f"m-{run}", {"x": run.encode()}).log(runName=run, aliases=aliases)
    assert look(client, sweep)[0] == sorted([used, linked, alias])
    client.init("user", config="{}")
    given = {"artifactID": ids[used], "entityName": "local", "projectName": "p", "runName": "user"}
    client.graphql("mutation($i: UseArtifactInput!) { useArtifact(input: $i) { artifact { id } } }", i=given)
    given = {"artifactID": ids[linked], "artifactPortfolioName": "good", "entityName": "local", "projectName": "p"}
    client.graphql("mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }", i=given)
    given = {
        "artifactID": ids[alias],
        "aliases": [
            {"entityName": "local", "projectName": "p", "artifactCollectionName": f"m-{alias}", "alias": "prod"}
        ],
    }
    client.graphql("mutation($i: AddAliasesInput!) { addAliases(input: $i) { success } }", i=given)
    going, staying, _ = look(client, sweep)
    assert going == []
    assert staying == {
        best: ("best", ""),
        used: ("artifact", "run user"),
        linked: ("artifact", "collection good"),
        alias: ("artifact", "alias prod"),
    }


def test_a_run_stays_to_whose_artifact_another_one_points(client):
    """A reference names the artifact; one of a run that goes as well needs nothing."""
    sweep = client.sweep(GRID)
    best, source, beside = work(client, sweep, 0.1, 0.2, 0.3)
    Logger(client, "m", {"x": b"1"}).log(runName=source)
    client.init("other", config="{}")
    with client.http.app.state.store.write() as db:
        (held,) = [row[0] for row in db.execute("SELECT id FROM artifacts")]  # as `look` writes references to it
    entry = {"a": {"digest": "d", "ref": f"wandb-artifact://{held}/x", "size": 1}}

    def point(name, run):
        logger = Logger(client, name, {})
        artifact = logger.create(runName=run)["id"]
        logger.manifest(artifact, entry)
        logger.commit(artifact)

    point("mine", beside)
    assert look(client, sweep)[0] == sorted([source, beside])
    point("theirs", "other")
    assert look(client, sweep)[:2] == ([beside], {best: ("best", ""), source: ("artifact", "artifact theirs")})


def test_an_artifact_that_other_runs_made_as_well_keeps_none_of_them(client):
    """It goes with the last run that has made it."""
    sweep = client.sweep(GRID)
    best, one, two = work(client, sweep, 0.1, 0.2, 0.3)
    for run in (best, one, two):
        Logger(client, "data", {"x": b"the same"}).log(runName=run)
    client.init("user", config="{}")
    artifact = Logger(client, "data", {"x": b"the same"}).log()
    given = {"artifactID": artifact, "entityName": "local", "projectName": "p", "runName": "user"}
    client.graphql("mutation($i: UseArtifactInput!) { useArtifact(input: $i) { artifact { id } } }", i=given)
    assert look(client, sweep)[0] == sorted([one, two])
    assert set(look(client, sweep, keep=0)[1].values()) == {("artifact", "run user")}


def test_what_is_another_users_stays(client):
    """Their sweeps are none of the asker's; a run of theirs in one's own sweep stays. `local` may delete all."""
    sweep = client.sweep(GRID)
    made = work(client, sweep, 0.1, 0.2, 0.3)
    with client.http.app.state.store.write() as db:
        ann = known_users.ensure_user(db, "ann", "a" * 40, now=1.0)
    assert look(client, sweep, user="ann") is None
    with client.http.app.state.store.write() as db:
        found = sweeps.find(db, sweep)
        db.execute("UPDATE sweeps SET user_id = ? WHERE id = ?", (ann.id, found.id))
        db.execute("UPDATE runs SET user_id = ? WHERE name <> ?", (ann.id, made[2]))
    assert look(client, sweep, user="ann")[:2] == ([made[1]], {made[0]: ("best", ""), made[2]: ("owner", "")})
    assert look(client, sweep)[0] == sorted(made[1:])


def test_a_sweep_whose_file_nobody_here_can_read_stays(client):
    """It is of another version: which run is the best?"""
    sweep = client.sweep(GRID)
    made = work(client, sweep, 0.1, 0.2)
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE sweeps SET definition = 'method: other, confirms x' WHERE name = ?", (sweep,))
    assert look(client, sweep)[:2] == ([], dict.fromkeys(made, ("unread", "")))
