"""Deletion on a W&B server that is none of ours; on our own: tests/unit/cli/test_delete.py."""

from __future__ import annotations

import os

import pytest

from sweeper.backend import sdk
from sweeper.errors import LaunchError
from sweeper.journal.directories import SweepDir
from sweeper.results.delete_sweep import STAYS, Deletion
from sweeper.settings import Backend, Settings
from tests.unit.foreign_server import foreign_server


@pytest.fixture
def foreign(embedded, environ):
    """Such a server, which this process's SDK is pointed at, and the settings of its user."""
    with foreign_server(embedded.url) as url:
        backend = Backend(kind="wandb", base_url=url, api_key=embedded.wire.key)
        settings = Settings.from_env({**os.environ, "SWEEPER_HOME": environ["SWEEPER_HOME"]})
        sdk.connect(backend, settings)
        yield settings, backend


def test_runs_are_deleted_over_the_sdk_and_the_sweep_is_said_to_stay(embedded, foreign):
    """Its runs go, and what is on this machine; how much the server frees is not guessed."""
    settings, backend = foreign
    ref, (first, _) = embedded.sweep(0, 1)
    place = SweepDir.of(settings.home, ref).checkpoints_of(first)
    place.mkdir(parents=True)
    with pytest.raises(LaunchError, match="it is running"):
        Deletion(ref, settings, backend)
    sdk.set_state(ref, "cancel")
    deletion = Deletion(ref, settings, backend)
    assert (deletion.held.runs, deletion.held.files, deletion.held.artifact_bytes) == (2, None, None)
    assert deletion.stays == STAYS
    seen = []
    deletion.carry_out(lambda done, total: seen.append((done, total)))
    assert seen == [(1, 2), (2, 2)]
    assert embedded.wire.runs_of(ref.sweep_id) == []
    assert not place.parents[1].exists()


def test_a_run_of_a_sweep_that_goes_on_is_deleted(embedded, foreign):
    """By its id; the one under way is refused, and what the other sweep is stays."""
    settings, backend = foreign
    ref, (done, working) = embedded.sweep(0, None)
    with pytest.raises(LaunchError, match=working):
        Deletion(ref, settings, backend, [done, working])
    deletion = Deletion(ref, settings, backend, [done])
    assert deletion.stays == ""
    deletion.carry_out()
    assert [run["name"] for run in embedded.wire.runs_of(ref.sweep_id)] == [working]
