"""The runs that confirm a sweep, registered on a real server."""

from __future__ import annotations

from typing import Any

import pytest

from sweeper.backend import embedded_server, sdk
from sweeper.backend.any_sweeps import AnySweepReader
from sweeper.backend.choose import last_sweep
from sweeper.backend.server_record import ServerRecord
from sweeper.errors import ResultError
from sweeper.ref import SweepRef
from sweeper.results.confirm import Confirming, ConfirmRequest, prepare
from sweeper.results.confirmation_reader import ConfirmationReader
from sweeper.settings import Backend, Settings

pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url`:DeprecationWarning")  # the SDK warns of itself
TEXT = """
method: grid
metric: {name: loss}
parameters: {lr: {values: [0.1, 0.2, 0.3]}, seed: {value: 0}}
"""


@pytest.fixture
def user(environ, embedded, tmp_path) -> tuple[Settings, Backend]:
    """A user of the shared server with a state directory of their own, and this process's SDK pointed there."""
    settings = Settings.from_env({**environ, "SWEEPER_HOME": str(tmp_path / "home")})
    backend = embedded_server.backend(embedded.home, ServerRecord(embedded.pid, embedded.url))
    sdk.connect(backend, settings)
    return settings, backend


def confirm(user: tuple[Settings, Backend], ref: SweepRef, **more: Any) -> Confirming:
    settings, backend = user
    seen: list[Any] = []
    given = {
        "top": 2,
        "seeds": 2,
        "seed_parameter": None,
        "choice": None,
        "trainer": None,
        "accept": seen.append,
        **more,
    }
    view = AnySweepReader(ref, settings, backend).read()
    found = prepare(view, view.whole_definition, ConfirmRequest(**given), settings=settings, backend=backend)
    assert len(seen) == len(found.plan.new) or "accept" in more
    return found


def given_out(embedded, sweep: str, end: int = 0) -> list[tuple[float, int]]:
    """Work on a sweep as an agent does, until there is nothing left; each run logs its seed."""
    agent, found = embedded.wire.agent(sweep), []
    while (command := embedded.wire.beat(agent)).get("type") == "run":
        args, run = command["args"], command["run_id"]
        found.append((args["lr"]["value"], args["seed"]["value"]))
        embedded.wire.init(run, sweep)
        embedded.wire.log(run, 0, {"_step": 0, "loss": args["lr"]["value"] + args["seed"]["value"] / 1e6})
        embedded.wire.stream(run, complete=True, exitcode=end)
    return found


def weigh(user: tuple[Settings, Backend], ref: SweepRef) -> Any:
    settings, backend = user
    reader = ConfirmationReader(settings, backend)
    first = reader.read(AnySweepReader(ref, settings, backend).read())
    assert first == reader.read(AnySweepReader(ref, settings, backend).read())  # and again
    return first


def test_the_best_run_once_each_with_other_seeds(embedded, user):
    """One sweep has them all; it is found from the sweep that it confirms, and from itself."""
    ref, _ = embedded.sweep(0, 0, 0, text=TEXT)
    assert weigh(user, ref) is None
    found = confirm(user, ref)
    assert (found.seed.name, found.going_on, found.is_running, len(found.sweeps)) == ("seed", 0, False, 1)
    confirming = found.sweeps[0]
    assert weigh(user, ref).findings == ("4 of 4 runs are still to come: this may change.",)
    assert given_out(embedded, confirming.sweep_id) == [(0.1, 1001), (0.2, 1001), (0.1, 1002), (0.2, 1002)]
    shown = weigh(user, ref)
    assert (shown.planned, shown.ended, shown.sweeps) == (4, 4, (confirming.sweep_id,))
    assert [(one.params, one.in_sweep, one.n) for one in shown.contenders] == [
        ({"lr": 0.1}, 0.1, 2),
        ({"lr": 0.2}, 0.2, 2),
    ]
    assert weigh(user, confirming) == shown
    assert last_sweep(user[0]) is None  # `sweeper status` goes on to mean the sweep that was confirmed


def test_once_more_goes_on_and_then_does_nothing(embedded, user):
    """The same command never registers a run twice; more seeds only add what is missing."""
    ref, _ = embedded.sweep(0, 0, 0, text=TEXT)
    first, again = confirm(user, ref), confirm(user, ref)
    assert (again.sweeps, again.going_on, again.seed.why) == (first.sweeps, 1, "as before")
    given_out(embedded, first.sweeps[0].sweep_id)
    assert confirm(user, ref).sweeps == ()
    more = confirm(user, ref, seeds=3)
    assert given_out(embedded, more.sweeps[0].sweep_id) == [(0.1, 1003), (0.2, 1003)]
    assert (weigh(user, ref).planned, [one.n for one in weigh(user, ref).contenders]) == (6, [3, 3])


def test_another_seed_parameter_is_another_confirmation(embedded, user):
    """What has run is shown, until something has run with the other one."""
    ref, _ = embedded.sweep(0, 0, 0, text=TEXT)
    first = confirm(user, ref)
    given_out(embedded, first.sweeps[0].sweep_id)
    other = confirm(user, ref, seed_parameter="draw")
    assert (weigh(user, ref).seed_parameter, weigh(user, ref).sweeps) == ("seed", (first.sweeps[0].sweep_id,))
    assert confirm(user, ref, seed_parameter="draw").sweeps == other.sweeps


def test_a_sweep_that_is_refused_is_not_registered(embedded, user):
    """The trainer is asked first."""
    ref, _ = embedded.sweep(0, text=TEXT)

    def refuse(_definition: object) -> None:
        raise ResultError("no")

    with pytest.raises(ResultError, match="no"):
        confirm(user, ref, accept=refuse)
    assert weigh(user, ref) is None


def test_on_wandbs_server_each_configuration_has_a_grid_of_its_own(embedded, user, foreign):
    """Nothing beyond W&B's format is needed there; this machine notes which sweeps they are."""
    ref, _ = embedded.sweep(0, 0, 0, text=TEXT)
    settings, ours = user
    backend = Backend(kind="wandb", base_url=foreign, api_key=ours.api_key)
    sdk.connect(backend, settings)
    there = (settings, backend)
    found = confirm(there, ref)
    assert [given_out(embedded, one.sweep_id) for one in found.sweeps] == [
        [(0.1, 1001), (0.1, 1002)],
        [(0.2, 1001), (0.2, 1002)],
    ]
    shown = weigh(there, ref)
    assert (shown.sweeps, shown.ended) == (tuple(one.sweep_id for one in found.sweeps), 4)
    assert [one.verdict for one in shown.contenders] == ["best", "worse"]
    assert confirm(there, ref).sweeps == ()
