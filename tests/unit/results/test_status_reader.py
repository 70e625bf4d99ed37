"""A sweep's status, read from a real server and this machine's files."""

from __future__ import annotations

import socket
import time

import pytest

from sweeper.backend import embedded_server, sdk
from sweeper.backend.server_record import ServerRecord
from sweeper.errors import SweepNotFoundError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.ref import SweepRef
from sweeper.results.status_reader import StatusReader
from sweeper.settings import Settings

TEXT = """
program: train.py
command: ["${interpreter}", "${program}"]
method: grid
metric: {name: loss}
parameters: {lr: {values: [0.1, 0.2]}}
"""


@pytest.fixture
def settings(environ, embedded) -> Settings:
    """A user's environment, with the SDK of this process pointed at the server that the tests share."""
    settings = Settings.from_env({**environ, "SWEEPER_HOME": str(embedded.home)})
    record = ServerRecord(embedded.pid, embedded.url)
    sdk.connect(embedded_server.backend(embedded.home, record), settings)
    return settings


def test_the_server_and_this_machine_say_one_thing_together(embedded, settings):
    """How a run stands is the server's word; where it ran and why it failed, its worker's."""
    ref, (finished, failed) = embedded.sweep(0, 1, text=TEXT)
    reader = StatusReader(ref, settings)
    attempt = Attempt(
        run_id=failed, slot="gpu0", outcome=AttemptOutcome.FAILED, reason="ValueError: no", log="gone.log"
    )
    reader.directory.new_launch().append(attempt)
    assert reader.runs == ()
    shown = {run.id: run for run in reader.read().runs}
    assert [run.id for run in reader.runs] == [finished, failed]
    assert (shown[finished].state, shown[finished].slot) == ("finished", "")
    assert (shown[failed].state, shown[failed].slot, shown[failed].reason) == ("failed", "gpu0", "ValueError: no")


def test_what_a_launch_needs_of_the_file_is_known_after_the_first_read(embedded, settings):
    """The server has the file; the reader asks for it once, and not again for each of these."""
    ref, _ = embedded.sweep(text=TEXT)
    reader = StatusReader(ref, settings)
    assert reader.definition is None
    reader.read()
    assert (reader.definition.program, reader.definition.command) == ("train.py", ["${interpreter}", "${program}"])
    assert reader.definition.scheduler is None


def test_the_best_runs_model_is_fetched_once(embedded, settings):
    """It lies in the sweep's folder from then on; one that was deleted is fetched again."""
    ref, (run,) = embedded.sweep(0)
    embedded.wire.upload(run, "model.onnx", b"weights")
    reader = StatusReader(ref, settings)
    for _ in range(2):
        assert reader.read().model == ""
        fetched = reader.fetch_model(reader.read())
        model = reader.directory.best_of(run) / "model.onnx"
        assert fetched.model == reader.read().model == str(model)
        assert model.read_bytes() == b"weights"
        model.write_bytes(b"kept")
        reader.fetch_model(reader.read())
        assert model.read_bytes() == b"kept"
        model.unlink()


def test_a_sweep_that_is_not_there_is_said(settings):
    """By its whole name."""
    with pytest.raises(SweepNotFoundError, match="local/p/nowhere"):
        StatusReader(SweepRef("local", "p", "nowhere"), settings).read()


def test_who_works_on_a_sweep_is_told_by_runs_agents_and_launches(embedded, settings):
    """An agent that was just heard elsewhere works; one of a launch of ours that has ended does not."""
    ref, _ = embedded.sweep()
    reader = StatusReader(ref, settings)
    assert reader.read().idle is True
    agent = embedded.wire.agent(ref.sweep_id)
    assert reader.read().idle is False
    command = embedded.wire.beat(agent)
    embedded.wire.init(command["run_id"], ref.sweep_id)
    assert reader.read().idle is False
    embedded.wire.stream(command["run_id"], complete=True, exitcode=0)
    with reader.directory.new_launch().held():
        assert reader.read().idle is False
    ref, _ = embedded.sweep()
    reader = StatusReader(ref, settings)
    with reader.directory.new_launch().held():
        embedded.wire.agent(ref.sweep_id, host=socket.gethostname())
        time.sleep(0.05)  # a file's time is as coarse as a tick of the kernel
    assert reader.read().idle is True


def test_curves_are_read_of_the_runs_that_are_shown_and_only_once(embedded, settings):
    """Of a run that has logged nothing since, what was read stays; nobody is asked without a reason."""
    ref, (best, other) = embedded.sweep(0, 0, text=TEXT)
    reader = StatusReader(
        ref, settings, embedded_server.backend(embedded.home, ServerRecord(embedded.pid, embedded.url))
    )
    assert reader.read().curves == {}
    first = reader.read(curves=1).curves
    assert first == {best: ((1, 0.1),)}
    both = reader.read(curves=2).curves
    assert both == {best: ((1, 0.1),), other: ((1, 0.2),)}
    assert both[best] is first[best]
    ref, (run,) = embedded.sweep(None, text=TEXT)
    reader = StatusReader(
        ref, settings, embedded_server.backend(embedded.home, ServerRecord(embedded.pid, embedded.url))
    )
    assert reader.read(curves=2).curves == {run: ((1, 0.1),)}
    embedded.wire.log(run, 1, {"_step": 1, "loss": 0.05})
    assert reader.read(curves=2).curves == {run: ((1, 0.1), (2, 0.05))}
