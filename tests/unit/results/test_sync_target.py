"""Another server as a sync asks it: a real one."""

from __future__ import annotations

import pytest

from sweeper.backend import embedded_server, sdk
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import BackendError
from sweeper.ref import SweepRef
from sweeper.results.sync_target import Destination, OtherServer
from sweeper.run import RunState
from sweeper.settings import Backend, Settings
from tests.unit.conftest import GRID


@pytest.fixture
def server(embedded, environ) -> OtherServer:
    """The shared server, as a destination that this process's SDK is turned to."""
    key = embedded_server.key_file(embedded_server.data_dir(embedded.home)).read_text().strip()
    backend, settings = Backend(kind="local", base_url=embedded.url, api_key=key), Settings.from_env(environ)
    sdk.connect(backend, settings)
    return OtherServer(Destination(backend=backend, entity="local", project="p"), settings)


def test_a_run_is_found_or_is_not_there(server, embedded):
    """In the destination's project, with its state and its last step."""
    _, (name,) = embedded.sweep(0)
    found = server.find(name)
    assert (found.id, found.state, found.last_step) == (name, RunState.FINISHED, 0)
    assert server.find("nowhere") is None


@pytest.mark.filterwarnings("ignore:Read the `app_url`:DeprecationWarning")  # the SDK warns of itself
def test_a_sweep_is_made_with_runs_and_gets_more(server, embedded):
    """Its page is the one that a browser opens; a run that is not there is refused."""
    _, names = embedded.sweep(0, 0, 0)
    definition = SweepDefinition.from_yaml(GRID)
    sweep = server.register(definition, names[:2])
    assert (sweep.entity, sweep.project) == ("local", "p")
    assert _attached(embedded, sweep) == set(names[:2])
    server.attach(sweep, definition, names[2:])
    assert _attached(embedded, sweep) == set(names)
    assert server.page(sweep) == f"{embedded.url}/local/p/sweeps/{sweep.sweep_id}"
    with pytest.raises(BackendError, match="cannot attach runs to sweep"):
        server.attach(sweep, definition, ["nowhere"])


def _attached(embedded, sweep: SweepRef) -> set[str]:
    return {run["name"] for run in embedded.wire.runs_of(sweep.sweep_id)}
