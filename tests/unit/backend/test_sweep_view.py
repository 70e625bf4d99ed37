"""What a server says about a sweep."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sweeper.backend.sweep_view import SweepView, ToldDefinition, utc
from sweeper.definition.outline import Outline
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError
from sweeper.ref import SweepRef
from sweeper.run import SweepState

TEXT = "method: grid\nmetric: {name: loss}\nparameters: {lr: {values: [1, 2, 3]}}"
WHOLE = SweepDefinition.from_yaml(TEXT)


def view(definition: SweepDefinition | ToldDefinition) -> SweepView:
    return SweepView(ref=SweepRef("e", "p", "s"), url="", definition=definition, state=SweepState.RUNNING, runs=())


def test_a_time_is_of_its_zone_or_utc():
    """A server may tell the zone or leave it out."""
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert utc("2026-01-02T03:04:05") == utc("2026-01-02T03:04:05Z") == moment
    assert utc("2026-01-02T05:04:05+02:00") == moment
    assert utc("2026-01-02T03:04:05").tzinfo is not None


def test_a_told_file_is_parsed_when_it_is_asked_for():
    """And once; until then what the server has summed up is enough."""
    told = view(ToldDefinition(TEXT, Outline.of(WHOLE), expected_runs=7))
    assert (told.outline, told.expected_runs) == (Outline.of(WHOLE), 7)
    assert told.whole_definition == WHOLE
    assert told.whole_definition is told.whole_definition


def test_a_file_of_any_other_server_is_summed_up_here():
    """With the same result."""
    read = view(WHOLE)
    assert (read.outline, read.expected_runs, read.whole_definition) == (Outline.of(WHOLE), 3, WHOLE)


def test_a_file_that_this_version_cannot_read_is_said():
    """Its status can be shown all the same."""
    told = view(ToldDefinition("method: quantum", Outline(method="quantum")))
    assert told.outline.method == "quantum"
    with pytest.raises(BackendError, match="has a form we cannot read"):
        _ = told.whole_definition
