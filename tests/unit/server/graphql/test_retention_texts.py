"""What `sweeper server prune` reads of the server."""

from __future__ import annotations

import json
import time

import pytest
from wandb.sdk.lib.hashutil import b64_to_hex_id

from sweeper.server.graphql import retention_texts
from tests.unit.server.artifact_logger import Logger
from tests.unit.server.rules.test_retention import GRID, work
from tests.unit.server.team import new_team

PAGE = "query($i: JSON!) { viewer { retention(input: $i) } }"


def page(client, **more):
    return json.loads(client.graphql(PAGE, i={"before": time.time() + 60, "keep": 1, **more})["viewer"]["retention"])


def test_a_page_tells_what_goes_and_how_much_that_is(client):
    """Of each sweep; of what stays the reason."""
    sweep = client.sweep(GRID)
    best, other = work(client, sweep, 0.1, 0.2)
    client.upload(other, "a.txt", b"12345")
    client.upload(best, "b.txt", b"1")
    Logger(client, "m", {"x": b"123"}).log(runName=other)
    found = page(client)
    (told,) = found["sweeps"]
    assert {name: told[name] for name in ("entity", "project", "sweep", "whole", "runs", "staying")} == {
        "entity": "local",
        "project": "p",
        "sweep": sweep,
        "whole": False,
        "runs": [other],
        "staying": [{"run": best, "why": "best", "by": ""}],
    }
    assert (told["rows"], told["files"], told["file_bytes"], told["artifacts"], told["artifact_bytes"]) == (
        1,
        1,
        5,
        1,
        3,
    )
    assert (found["next"], found["silent"]) == (None, [])


def test_a_sweep_of_which_nothing_goes_is_told_only_for_what_stays_of_it(client):
    """One with its best run alone is none that anybody needs to be told of."""
    sweep = client.sweep(GRID)
    (best,) = work(client, sweep, 0.1)
    assert page(client)["sweeps"] == []
    Logger(client, "m", {"x": b"1"}).log(runName=best)
    client.graphql(
        "mutation($i: LinkArtifactInput!) { linkArtifact(input: $i) { versionIndex } }",
        i={
            "artifactID": Logger(client, "m", {"x": b"1"}).log(runName=best),
            "artifactPortfolioName": "good",
            "entityName": "local",
            "projectName": "p",
        },
    )
    assert page(client)["sweeps"] == []
    (told,) = page(client, keep=0)["sweeps"]
    assert (told["runs"], told["staying"]) == ([], [{"run": best, "why": "artifact", "by": "collection good"}])


def test_pages_follow_each_other_and_are_of_one_project(client, monkeypatch):
    """A page ends behind so many runs or sweeps; whoever asks on gets every sweep once."""
    made = [client.sweep(GRID, project) for project in ("p", "q", "p")]
    for sweep, project in zip(made, ("p", "q", "p"), strict=True):
        id_ = client.graphql(
            "query($p: String!, $s: String!) { project(name: $p) { sweep(sweepName: $s) { id } } }", p=project, s=sweep
        )["project"]["sweep"]["id"]
        query = "mutation($id: ID, $s: String) { upsertSweep(input: {id: $id, state: $s}) { sweep { id } } }"
        client.graphql(query, id=id_, s="CANCELED")

    def all_of(**more):
        after, found = 0, []
        while after is not None:
            one = page(client, after=after, **more)
            found += [[told["sweep"] for told in one["sweeps"]]]
            after = one["next"]
        return found

    assert all_of() == [made]
    assert all_of(projectName="q") == [[made[1]]]
    assert all_of(entityName="nobody") == [[]]
    monkeypatch.setattr(retention_texts, "SWEEPS", 2)
    assert all_of() == [made[:2], made[2:]]
    monkeypatch.setattr(retention_texts, "SWEEPS", 3)
    assert all_of() == [made, []]
    monkeypatch.setattr(retention_texts, "RUNS", 0)
    assert [told for told in all_of() if told] == [[one] for one in made]


def test_a_silent_sweep_is_told_once(client):
    """With the first page; nobody has ended it."""
    sweep = client.sweep(GRID)
    assert page(client)["silent"] == [sweep]
    assert page(client, after=1)["silent"] == []


@pytest.mark.parametrize("wrong", [{"keep": -1}, {"before": "now"}, {"before": None}, {"keep": 1.5}, {"after": -1}])
def test_a_wrong_question_is_refused(client, wrong):
    """With words, and 400."""
    assert client.graphql(PAGE, status=400, i={"before": 1.0, "keep": 1, **wrong})


def test_references_are_written_as_the_sdk_does(client):
    """With the bytes of the artifact's id in hexadecimal."""
    id_ = Logger(client).log()
    assert retention_texts._address(1) == f"wandb-artifact://{b64_to_hex_id(id_)}/"


def test_the_room_of_the_database_is_told_to_the_servers_own_user_alone(client):
    """And given back for it alone."""
    query = "{ viewer { databaseSpace } }"
    told = json.loads(client.graphql(query)["viewer"]["databaseSpace"])
    assert told["gives_back"]
    assert told["bytes"] > told["free_bytes"] == told["rows"] == 0
    free = "mutation { freeSpace(input: {}) { space } }"
    del told["rows"]  # counted one by one: not with every part that is given back
    assert json.loads(client.graphql(free)["freeSpace"]["space"]) == told
    team = new_team(client)
    with team.acting("bob"):
        assert client.graphql(query)["viewer"]["databaseSpace"] is None
        assert "another user" in client.graphql(free, status=403)
