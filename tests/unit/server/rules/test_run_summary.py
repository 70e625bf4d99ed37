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


def summary_of(client, run: str) -> dict:
    """Read what clients see, but for our key."""
    found = json.loads(client.run(run, "summaryMetrics")["summaryMetrics"])
    return {key: value for key, value in found.items() if key != "_sweeper"}


def send(client, run: str, **summary: object) -> None:
    """Send the summary of a process, whole."""
    client.stream(run, files={"wandb-summary.json": {"offset": 0, "content": [json.dumps(summary)]}})


def test_the_clock_of_a_process_that_resumes_a_run_is_no_summary(client):
    """If it sends nothing else, it has not read the last one's yet; what it says of the run counts, even if less."""
    run = "r"
    client.begin(run)
    client.log(run, {"_step": 0, "loss": 1.0})
    send(client, run, loss=1.0, best=2, _runtime=3)
    query = 'query($r: String!) { model(name: "p") { bucket(name: $r, missingOk: true) { id } } }'
    client.begin(run, id=client.graphql(query, r=run)["model"]["bucket"]["id"])
    send(client, run, _runtime=0, _wandb={"runtime": 0})
    assert summary_of(client, run) == {"loss": 1.0, "best": 2, "_runtime": 3}
    send(client, run, loss=0.5, _runtime=4)
    assert summary_of(client, run) == {"loss": 0.5, "_runtime": 4}


def test_a_run_that_nobody_resumed_may_empty_its_summary(client):
    """Its process knows what is in it."""
    client.begin("r")
    send(client, "r", loss=1.0)
    send(client, "r", _runtime=3)
    assert summary_of(client, "r") == {"_runtime": 3}
