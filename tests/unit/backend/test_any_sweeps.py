"""A sweep on whichever server."""

from __future__ import annotations

import os

import pytest

from sweeper.backend import any_sweeps, embedded_server, run_reader, sdk
from sweeper.backend.any_sweeps import AnySweepReader
from sweeper.backend.server_record import ServerRecord
from sweeper.errors import BackendError
from sweeper.settings import Backend, Settings


@pytest.fixture
def settings(embedded) -> Settings:
    """The environment of a user of the shared server."""
    return Settings.from_env({**os.environ, "SWEEPER_HOME": str(embedded.home)})


@pytest.fixture
def backend(embedded, settings, environ) -> Backend:  # noqa: ARG001 what `connect` writes is put back
    """The shared server, which the SDK is pointed at."""
    backend = embedded_server.backend(embedded.home, ServerRecord(embedded.pid, embedded.url))
    sdk.connect(backend, settings)
    return backend


def test_a_server_of_ours_elsewhere_is_asked_the_same_way(embedded, settings, backend):
    """Which one it is, it says itself."""
    elsewhere = Backend(kind="wandb", base_url=backend.base_url, api_key=backend.api_key)
    ref, runs = embedded.sweep(0, None)
    for chosen in (backend, elsewhere):
        reader = AnySweepReader(ref, settings, chosen)
        view = reader.read()
        assert [run.id for run in view.runs] == runs
        assert all(run.digest for run in view.runs)
        assert (reader.state(), len(reader.agents())) == (view.state, 2)


@pytest.mark.usefixtures("backend")
def test_any_other_server_is_asked_over_the_sdk(embedded, settings):
    """Where nobody says that it is ours; the histories come with it."""
    ref, runs = embedded.sweep(0)
    (run,) = AnySweepReader(ref, settings, None).read().runs
    assert (run.id, len(run.history), run.digest) == (runs[0], 1, None)


def test_an_older_server_of_ours_is_asked_over_the_sdk(embedded, settings, backend, server):
    """It refuses the question, once."""
    ref, runs = embedded.sweep(0)
    server.answer = (400, {}, b'{"errors": [{"message": "Cannot query field"}]}')
    old = Backend(kind="local", base_url=server.url, api_key="k")
    reader = AnySweepReader(ref, settings, old)  # and the SDK is pointed at a server that knows the sweep
    assert [run.id for run in reader.read().runs] == runs
    assert [run.id for run in reader.read().runs] == runs
    assert len(server.seen) == 1
    assert [run.id for run in any_sweeps.whole_runs(ref, settings, backend)] == runs


def test_whole_runs_are_those_of_the_sdk(embedded, settings, backend):
    """With their configs, summaries and times."""
    ref, runs = embedded.sweep(0, 1, 0)
    theirs = {run.id: run for run in run_reader.ServerRuns(backend, settings).of(ref)}
    ours = list(any_sweeps.whole_runs(ref, settings, backend))
    assert [run.id for run in ours] == runs
    same = ("name", "state", "sweep", "config", "summary", "created_at")
    for run in ours:
        assert [getattr(run, name) for name in same] == [getattr(theirs[run.id], name) for name in same]
        assert any_sweeps.read_run(ref.run(run.id), settings, backend) == run_reader.read_run(ref.run(run.id))


def test_a_run_that_is_not_there_is_said(embedded, settings, backend):
    """In the words of the other way."""
    ref, _ = embedded.sweep(0)
    with pytest.raises(BackendError, match="has no run nobody"):
        any_sweeps.read_run(ref.run("nobody"), settings, backend)


@pytest.mark.usefixtures("environ")
def test_curves_are_told_by_either_server(embedded, settings, backend):
    """By one question where the server is ours, else of what the SDK has read."""
    ref, runs = embedded.sweep(0, 1)
    sdk.connect(backend, settings)
    told = [AnySweepReader(ref, settings, which) for which in (backend, None)]
    curves = [reader.curves(reader.read().runs, 9) for reader in told]
    assert curves[0] == curves[1]
    assert {len(curve) for curve in curves[0].values()} == {1}
    assert curves[0].keys() == {*runs}
