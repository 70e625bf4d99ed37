"""Retention asked past the SDK; what the command makes of it: tests/unit/cli/server/test_prune.py."""

from __future__ import annotations

import time

import pytest

from sweeper.backend import own_retention
from sweeper.backend.own_retention import DatabaseSpace
from sweeper.backend.own_server import OwnServer
from sweeper.errors import BackendError
from sweeper.ref import SweepRef
from sweeper.settings import Backend


@pytest.fixture
def own(apart, settings):
    return OwnServer(Backend(kind="local", base_url=apart.url, api_key=apart.wire.key), settings)


@pytest.fixture
def over(apart):
    """What makes a sweep of some runs that is over."""

    def make(*ends, rows=()):
        ref, made = apart.sweep(*[None] * len(ends))
        for run, end in zip(made, ends, strict=True):
            if rows:
                apart.wire.log(run, 1, *rows)
            apart.wire.stream(run, complete=True, exitcode=end)
        id_ = apart.wire.graphql(
            'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { id } } }', s=ref.sweep_id
        )["project"]["sweep"]["id"]
        query = 'mutation($id: ID) { upsertSweep(input: {id: $id, state: "FINISHED"}) { sweep { id } } }'
        apart.wire.graphql(query, id=id_)
        return ref, made, id_

    yield make
    for page in own_retention.pages(
        OwnServer(Backend(kind="local", base_url=apart.url, api_key=apart.wire.key), None),
        before=time.time() + 60,
        keep=0,
        entity="",
        project="",
    ):
        assert not page.sweeps


def test_what_may_go_is_asked_for_and_then_deleted(own, over):
    """Runs by their names, and the whole sweep without; what has begun anew meanwhile stays, and it is said why."""
    ref, (best, other), _ = over(0, 0)
    later = time.time() + 60
    (page,) = own_retention.pages(own, before=later, keep=1, entity="", project="")
    (told,) = page.sweeps
    assert (told["sweep"], told["runs"]) == (ref.sweep_id, [other])
    gone, left, stays = own_retention.delete(own, ref, told["id"], [other], before=1.0)
    assert (gone, left) == ([], 0)
    assert "begun anew" in stays
    assert own_retention.names_of(own, ref) == {best, other}
    assert own_retention.delete(own, ref, told["id"], [other], before=later) == ([other], 0, "")
    assert own_retention.names_of(own, ref) == {best}
    assert own_retention.delete(own, ref, told["id"], None, before=later) == ([best], 0, "")
    assert own_retention.names_of(own, ref) is None


def test_the_room_of_the_database_is_told_and_given_back(own, over):
    """A part with each request, until nothing is free."""
    rows = [{"_step": step, "x": "y" * 1000} for step in range(1, 6000)]
    ref, (run,), id_ = over(0, rows=rows)
    assert own_retention.delete(own, ref, id_, None, before=time.time() + 60)[0] == [run]
    before = own_retention.space(own)
    assert before.gives_back
    assert before.free > 5_000_000
    seen = list(own_retention.free_space(own))
    assert [one.free for one in seen] == sorted((one.free for one in seen), reverse=True)
    assert len(seen) > 1
    assert own_retention.space(own).free == seen[-1].free == 0
    assert own_retention.space(own).size < before.size - 5_000_000
    assert [one.free for one in own_retention.free_space(own)] == [0]


def test_a_database_that_cannot_give_room_back_is_asked_once(server, settings):
    """Nor one that gives none although it could: nobody asks for ever."""
    other = OwnServer(Backend(kind="local", base_url=server.url, api_key="k"), settings)
    text = '{\\"bytes\\": 9, \\"free_bytes\\": 5, \\"gives_back\\": false, \\"rows\\": 1}'
    server.answer = (200, {}, f'{{"data": {{"viewer": {{"databaseSpace": "{text}"}}}}}}'.encode())
    assert own_retention.space(other) == DatabaseSpace(9, 5, gives_back=False, rows=1)
    for gives_back, asked in ((False, 1), (True, 2)):
        text = f'{{\\"bytes\\": 9, \\"free_bytes\\": 5, \\"gives_back\\": {str(gives_back).lower()}}}'
        server.answer, server.seen = (200, {}, f'{{"data": {{"freeSpace": {{"space": "{text}"}}}}}}'.encode()), []
        assert [*own_retention.free_space(other)] == [DatabaseSpace(9, 5, gives_back=gives_back, rows=0)] * asked
        assert len(server.seen) == asked
    server.answer = (200, {}, b'{"data": {"viewer": {"databaseSpace": null}}}')
    assert own_retention.space(other) is None


def test_an_older_server_is_told_to_be_older(server, settings):
    """It knows neither field."""
    other = OwnServer(Backend(kind="local", base_url=server.url, api_key="k"), settings)
    server.answer = (400, {}, b'{"errors": [{"message": "Cannot query field \'retention\' on type \'User\'."}]}')
    for act in (
        lambda: list(own_retention.pages(other, before=1.0, keep=1, entity="", project="")),
        lambda: own_retention.space(other),
    ):
        with pytest.raises(BackendError) as caught:
            act()
        assert "older sweeper" in caught.value.hint


def test_a_sweep_of_another_name_is_none(own):
    """So what a killed command has left of it may go."""
    assert own_retention.names_of(own, SweepRef("local", "p", "nobody")) is None
