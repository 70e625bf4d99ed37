"""What the server adds to a run's summary, and takes out of it again."""

from __future__ import annotations

import json

import pytest

from sweeper.server.errors import RequestError
from sweeper.server.rules.run_summary import clean_summary


def test_reason_is_shown_in_the_summary_and_never_stored(client):
    """A reason is read as `_sweeper` in the summary, and stripped when a client sends the summary back."""
    client.init("r")
    client.stream("r", complete=True, exitcode=3)
    summary = client.run("r", "summaryMetrics")["summaryMetrics"]
    assert json.loads(summary) == {"_sweeper": {"reason": "exit code 3"}}
    client.init("r", summary='{"a": 1, "_sweeper": {"reason": "mine"}}')
    summary = client.run("r", "summaryMetrics")["summaryMetrics"]
    assert json.loads(summary) == {"a": 1, "_sweeper": {"reason": "exit code 3"}}


def test_a_summary_without_our_key_stays_as_it_was_written():
    """Text and all: numbers that Python would write otherwise come back as they were sent."""
    assert clean_summary('{"loss": 1e-05,  "a": 1.50}') == '{"loss": 1e-05,  "a": 1.50}'


@pytest.mark.parametrize("text", ["3", "[]", "{", ""])
def test_a_summary_that_is_no_object_is_refused(text):
    """It is the client's mistake, and said to be."""
    with pytest.raises(RequestError):
        clean_summary(text)
