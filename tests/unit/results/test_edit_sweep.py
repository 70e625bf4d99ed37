"""What an edit comes to in words; the edit itself: tests/unit/cli/test_edit.py."""

from __future__ import annotations

import os

import pytest

from sweeper.backend import sdk
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError
from sweeper.results.edit_sweep import Effects, SweepEdit, in_words
from sweeper.run import SweepState
from sweeper.settings import Backend, Settings
from tests.unit.conftest import GRID
from tests.unit.foreign_server import foreign_server

RUNNING, FINISHED = SweepState.RUNNING, SweepState.FINISHED


def test_what_is_to_come_is_said():
    """How many runs, or that there is no end of them, or nothing left."""
    assert in_words(Effects(state=RUNNING, runs=3, expected_runs=10), RUNNING) == ["7 runs to come, 10 in all"]
    assert in_words(Effects(state=RUNNING, runs=3), RUNNING) == ["it goes on until stopped"]
    assert "nothing is left" in in_words(Effects(state=FINISHED, runs=3, expected_runs=3, more=False), RUNNING)[0]


def test_what_becomes_of_runs_so_far_is_said():
    """Those that the file does not ask for, and those that waited."""
    effects = Effects(state=RUNNING, runs=5, expected_runs=9, history=2, withdrawn=("a",))
    assert in_words(effects, RUNNING) == [
        "2 of 5 runs had a configuration that the file does not ask for: kept as history",
        "1 run that waited for a slot: withdrawn",
        "4 runs to come, 9 in all",
    ]


def test_whether_an_ended_sweep_goes_on_is_said():
    """By itself if it had run out, after a word of the person if that one had stopped it."""
    assert in_words(Effects(state=RUNNING, runs=1, expected_runs=2), FINISHED)[-1].startswith("it had finished")
    assert "sweeper resume" in in_words(Effects(state=FINISHED, runs=1, expected_runs=2, stopped=True), FINISHED)[-1]


def test_a_server_that_is_none_of_ours_takes_a_file_until_the_first_agent(embedded, environ, tmp_path):
    """By `wandb sweep --update`; after that it is said to be too late, with what to do instead."""
    file = tmp_path / "sweep.yaml"
    file.write_text(GRID.replace("0.4]", "0.4, 0.5]"))
    definition = SweepDefinition.from_file(file)
    ref, _ = embedded.sweep()
    with foreign_server(embedded.url) as url:
        backend = Backend(kind="wandb", base_url=url, api_key=embedded.wire.key)
        settings = Settings.from_env({**os.environ, "SWEEPER_HOME": environ["SWEEPER_HOME"]})
        sdk.connect(backend, settings)
        edit = SweepEdit(ref, settings, backend, file=file, definition=definition)
        assert [str(change) for change in edit.changes] == [
            "parameters.lr: 0.1, 0.2, 0.3, 0.4 -> 0.1, 0.2, 0.3, 0.4, 0.5 (adds 0.5)"
        ]
        assert edit.effects().expected_runs == 5
        edit.apply()
        assert not SweepEdit(ref, settings, backend, file=file, definition=definition).changes
        embedded.wire.agent(ref.sweep_id)
        with pytest.raises(BackendError, match="only until a sweep has begun"):
            SweepEdit(ref, settings, backend, file=file, definition=definition)
        ours = SweepDefinition.from_yaml(GRID + "sweeper: {seed: 1}\n")
        other, _ = embedded.sweep()
        with pytest.raises(BackendError, match="cannot honour `seed`"):
            SweepEdit(other, settings, backend, file=file, definition=ours)
