"""What is read of a confirmation; of sweeps that `sweeper confirm` made, test_confirm.py beside this has it."""

from __future__ import annotations

from dataclasses import replace

from sweeper import private_files
from sweeper.backend import embedded_server, sdk
from sweeper.backend.any_sweeps import AnySweepReader
from sweeper.backend.server_record import ServerRecord
from sweeper.journal.directories import SweepDir
from sweeper.results.confirmation_reader import ConfirmationReader
from sweeper.settings import Settings

TEXT = """
method: grid
metric: {name: loss}
description: confirms %s with other values of seed
parameters: {lr: {value: 0.1}, seed: {values: [1001, 1002]}}
"""


def test_a_sweep_that_says_so_confirms_another(embedded, environ):
    """Whoever has registered it: the server knows, and what is no confirmation costs nothing."""
    settings = Settings.from_env(environ)
    backend = embedded_server.backend(embedded.home, ServerRecord(embedded.pid, embedded.url))
    sdk.connect(backend, settings)
    ref, runs = embedded.sweep(0)
    reader, view = ConfirmationReader(settings, backend), AnySweepReader(ref, settings, backend)
    assert reader.read(view.read()) is None
    again, _ = embedded.sweep(0, 0, text=TEXT % ref.sweep_id)
    found = reader.read(view.read())
    assert (found.sweeps, found.ended) == ((again.sweep_id,), 2)
    (one,) = found.contenders
    assert (one.params, one.run, one.in_sweep, one.values, one.seeds) == (
        *({"lr": 0.1}, runs[0], 0.1, (0.1, 0.1), (1001, 1002)),
    )
    assert found.findings == ("Every seed gave exactly the same value: perhaps the trainer does not read `seed`.",)


def test_what_was_deleted_is_no_confirmation(embedded, environ):
    """Neither the sweep that one says it confirms, nor one that this machine has noted."""
    settings = Settings.from_env(environ)
    backend = embedded_server.backend(embedded.home, ServerRecord(embedded.pid, embedded.url))
    sdk.connect(backend, settings)
    reader = ConfirmationReader(settings, backend)
    ref, _ = embedded.sweep(0, text=TEXT % "gone")
    view = AnySweepReader(ref, settings, backend).read()
    assert (view.confirms, reader.read(view)) == ("gone", None)
    directory = SweepDir.of(settings.home, ref)
    private_files.make_folder(directory.path)
    directory.note_confirming("gone")
    assert reader.confirming(replace(view, confirmed_by=None)) == []
