"""What a W&B server cannot honour."""

from __future__ import annotations

import http.server
import threading

import pytest

from sweeper.backend.create import create
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError
from sweeper.settings import Backend, Settings


def test_a_server_that_cannot_honour_extensions_gets_no_sweep(tmp_path):
    """The error names every extension of the file, and nothing is registered."""
    server = http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)  # answers 501 to all
    threading.Thread(target=server.serve_forever, daemon=True).start()
    backend = Backend(kind="wandb", base_url=f"http://127.0.0.1:{server.server_port}")
    definition = SweepDefinition.from_yaml(
        "method: grid\nparameters: {a: {values: [1]}}\nsweeper: {seed: 3, repeats: 2}"
    )
    with pytest.raises(BackendError) as caught:
        create(definition, settings=Settings.from_env({"SWEEPER_HOME": str(tmp_path)}), backend=backend)
    server.shutdown()
    server.server_close()
    assert "`seed`, `repeats`" in caught.value.message
    assert "--ignore-extensions" in caught.value.hint
    assert list(tmp_path.iterdir()) == []
