"""Changing a sweep past the SDK; what the commands make of it: tests/unit/cli."""

from __future__ import annotations

import pytest

from sweeper.backend import own_changes
from sweeper.backend.own_server import OwnServer
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError, SweepNotFoundError
from sweeper.ref import SweepRef
from sweeper.settings import Backend
from tests.unit.conftest import GRID


@pytest.fixture
def own(backend, settings):
    return OwnServer(backend, settings)


def test_a_sweep_is_edited_in_sight_of_what_it_is(own, embedded):
    """Who has seen an older file is refused, with the server's words."""
    ref, _ = embedded.sweep(0)
    seen = own_changes.known(own, ref)
    assert seen.state == "RUNNING"
    new = SweepDefinition.from_yaml(GRID.replace("0.4]", "0.4, 0.5]"))
    assert own_changes.edit(own, ref, seen, new, dry_run=True)["expected_runs"] == 5
    assert own_changes.known(own, ref) == seen
    own_changes.edit(own, ref, seen, new, dry_run=False)
    with pytest.raises(BackendError, match=f"cannot edit {ref}: .*meanwhile"):
        own_changes.edit(own, ref, seen, new, dry_run=False)


def test_what_a_sweep_holds_is_told_and_then_deleted(own, embedded):
    """Some runs, and then all of it; a run of another sweep is refused."""
    ref, (first, second) = embedded.sweep(0, 0)
    seen = own_changes.known(own, ref)
    assert own_changes.holdings(own, ref, [first])["runs"] == 1
    with pytest.raises(BackendError, match="no run nobody"):
        own_changes.holdings(own, ref, ["nobody"])
    assert own_changes.delete(own, ref, seen, [first]) == ([first], 0)
    with pytest.raises(BackendError, match="is running"):
        own_changes.delete(own, ref, seen, None)
    embedded.wire.graphql(
        "mutation($i: JSON!) { upsertSweep(input: $i) { sweep { id } } }", i={"id": seen.id, "state": "CANCELED"}
    )
    assert own_changes.delete(own, ref, seen, None) == ([second], 0)
    with pytest.raises(SweepNotFoundError):
        own_changes.known(own, ref)


def test_an_older_server_is_told_to_be_older(server, settings):
    """It knows neither the field nor the mutation."""
    other = OwnServer(Backend(kind="local", base_url=server.url, api_key="k"), settings)
    refusal = b'{"errors": [{"message": "Cannot query field \'editSweep\' on type \'Mutation\'."}]}'
    server.answer = (400, {}, refusal)
    ref, seen = SweepRef("e", "p", "s"), own_changes.StandingSweep("id", "RUNNING", "")
    for act in (
        lambda: own_changes.edit(other, ref, seen, SweepDefinition.from_yaml(GRID), dry_run=True),
        lambda: own_changes.holdings(other, ref, None),
    ):
        with pytest.raises(BackendError) as caught:
            act()
        assert "older sweeper" in caught.value.hint
