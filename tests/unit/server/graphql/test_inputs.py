"""Inputs of mutations as the SDK sends them: camelCase, strict, and open to what a newer one adds."""

from __future__ import annotations

import pytest

from sweeper.server.errors import RequestError
from sweeper.server.graphql import inputs


def test_a_newer_sdks_field_is_passed_over():
    """What we do not know must not fail a mutation that we do know."""
    sent = inputs.read(inputs.UpsertSweep, {"projectName": "p", "displayName": "d", "brandNew": 1})
    assert (sent.project_name, sent.display_name, sent.config) == ("p", "d", None)


@pytest.mark.parametrize("sent", [{}, {"host": 5, "sweep": "s"}, {"host": "h", "sweep": None}, 5, None, []])
def test_an_input_that_cannot_be_read_says_what_it_was_to_be(sent):
    """A field that is missing or of another type, and what is no object; nothing is converted."""
    with pytest.raises(RequestError, match="CreateAgent input"):
        inputs.read(inputs.CreateAgent, sent)


@pytest.mark.parametrize(
    ("state", "listed"),
    [(None, set()), ("", set()), ("{}", set()), ('{"a": true, "b": false, "c": true}', {"a", "c"})],
)
def test_an_agent_lists_its_live_runs(state, listed):
    """The keys of a JSON text, those of ended runs with a false."""
    assert inputs.read(inputs.AgentHeartbeat, {"id": "x", "runState": state}).listed == listed


def test_a_list_of_runs_that_is_none_is_refused():
    """JSON that is no object is the client's mistake."""
    with pytest.raises(RequestError, match="runState"):
        _ = inputs.read(inputs.AgentHeartbeat, {"id": "x", "runState": "[]"}).listed


def test_a_process_gives_itself_away_by_its_host():
    """wandb-core names it in its first words only; later ones change a run that has begun."""
    assert inputs.read(inputs.UpsertBucket, {"name": "r", "host": "h"}).is_first
    assert not inputs.read(inputs.UpsertBucket, {"name": "r", "config": "{}"}).is_first


@pytest.mark.parametrize("step", [float("nan"), float("inf"), "1"])
def test_a_step_to_rewind_to_is_a_number(step):
    """JSON as Python writes it has NaN and Infinity; no run has such a step."""
    fields = {"runName": "r", "metricName": "_step", "metricValue": step}
    with pytest.raises(RequestError, match="RewindRun"):
        inputs.read(inputs.RewindRun, fields)
