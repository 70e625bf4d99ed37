"""A sweep of sweeper's own server, asked past the SDK."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from sweeper.backend import sdk
from sweeper.backend.own_server import OwnServer, UnknownQuestionError
from sweeper.backend.own_sweeps import OwnSweepReader
from sweeper.backend.sweep_reader import SweepReader
from sweeper.errors import SweepNotFoundError
from sweeper.ref import SweepRef
from sweeper.run import RunState
from sweeper.settings import Backend, Settings

SETTINGS = Settings(home=Path("nowhere"))
REF = SweepRef("e", "p", "s")
NOBODY = Backend(kind="wandb", base_url="http://127.0.0.1:1", api_key="k" * 40)


@pytest.fixture
def own(settings, backend) -> OwnServer:
    """The same, asked past the SDK."""
    return OwnServer(backend, settings)


@pytest.mark.usefixtures("environ")
def test_both_ways_tell_the_same(embedded, settings, backend, own):
    """Whoever reads a sweep over the SDK sees the same runs; the time is the server's, not that of the last row."""
    text = "method: grid\nrun_cap: 4\nmetric: {name: loss}\nparameters: {lr: {values: [0.1, 0.2, 0.3, 0.4]}}"
    ref, _ = embedded.sweep(0, 1, None, text=text)
    sdk.connect(backend, settings)
    ours, theirs = OwnSweepReader(ref, own).read(), SweepReader(ref).read()
    assert (ours.url, ours.state, ours.outline, ours.expected_runs) == (
        *(theirs.url, theirs.state, theirs.outline, theirs.expected_runs),
    )
    assert ours.whole_definition == theirs.whole_definition
    told = [
        [(run.id, run.name, run.state, run.params, run.best("minimize"), run.last, run.reason) for run in view.runs]
        for view in (ours, theirs)
    ]
    assert told[0] == told[1]
    assert [run.created_at for run in ours.runs] == [run.created_at for run in theirs.runs]


def test_what_has_changed_is_read_again(embedded, own):
    """A run that began, one that ended, one that was deleted; the rest is kept as it was."""
    ref, runs = embedded.sweep(0, None)
    reader = OwnSweepReader(ref, own)
    first = {run.id: run for run in reader.read().runs}
    reader._since = time.time() + 1  # as if the first had ended long ago
    embedded.wire.log(runs[1], 1, {"_step": 1, "loss": 0.01})
    second = {run.id: run for run in reader.read().runs}
    assert (second[runs[1]].iterations, second[runs[0]] is first[runs[0]]) == (2, True)
    assert second[runs[0]].heard_at is None
    assert second[runs[1]].heard_at > second[runs[1]].created_at
    embedded.wire.stream(runs[1], complete=True, exitcode=0)
    assert {run.id: run.state for run in reader.read().runs} == dict.fromkeys(runs, RunState.FINISHED)
    reader._since = time.time() + 1
    id_ = embedded.wire.run(runs[0], "id")["id"]
    embedded.wire.graphql("mutation($id: ID!) { deleteRun(input: {id: $id}) { clientMutationId } }", id=id_)
    assert [run.id for run in reader.read().runs] == [runs[1]]


def test_what_comes_in_after_a_runs_end_is_read(embedded, own):
    """Its last rows may be on their way when it says that it is done: it is looked at for a minute more."""
    ref, runs = embedded.sweep(0)
    reader = OwnSweepReader(ref, own)
    reader.read()
    assert reader._since < time.time() - 50
    embedded.wire.log(runs[0], 1, {"_step": 1, "loss": 0.01})
    assert [(run.iterations, run.last) for run in reader.read().runs] == [(2, 0.01)]


def test_state_and_agents_are_asked_for_alone(embedded, own):
    """Neither costs a look at the runs."""
    ref, _ = embedded.sweep(0)
    reader = OwnSweepReader(ref, own)
    assert (reader.state(), len(reader.agents())) == ("RUNNING", 1)


def test_a_sweep_that_is_not_there_is_said(own):
    """In whichever project it is looked for."""
    for name in ("local/p/nowhere", "local/no-project/nowhere"):
        with pytest.raises(SweepNotFoundError, match=name):
            OwnSweepReader(SweepRef.parse(name), own).read()


@pytest.mark.parametrize(
    ("status", "body"),
    [(400, b'{"errors": [{"message": "Cannot query field"}]}'), (404, b"<html>"), (200, b"no JSON")],
)
def test_another_server_does_not_know_the_question(server, status, body):
    """An older one of ours, or none: whoever asks goes on over the SDK."""
    server.answer = (status, {}, body)
    with pytest.raises(UnknownQuestionError):
        OwnSweepReader(REF, OwnServer(Backend(kind="local", base_url=server.url, api_key="k"), SETTINGS)).read()
