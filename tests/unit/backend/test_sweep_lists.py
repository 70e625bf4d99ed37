"""The sweeps on a server, by one question and over the SDK."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sweeper.backend import sdk, sweep_lists
from sweeper.errors import BackendError
from sweeper.run import SweepState


def of(found, ref):
    return next(one for one in found.sweeps if one.ref == ref)


def test_our_server_tells_all(embedded, settings, backend):
    """What has ended, what is best, who works on it."""
    ref, runs = embedded.sweep(0, 1, None)
    found = sweep_lists.read(backend, settings, None)
    mine = of(found, ref)
    assert (found.told, found.user) == (True, "local")
    assert (mine.made, mine.done, mine.total, mine.state) == (3, 2, 4, SweepState.RUNNING)
    assert (mine.best, mine.best_run, mine.metrics, mine.method) == (0.1, runs[0], {"loss": "minimize"}, "grid")
    assert mine.counts == {"finished": 1, "failed": 1, "running": 1}
    assert [one.host for one in mine.agents] == ["h"]
    assert (datetime.now(UTC) - mine.active_at).total_seconds() < 60
    assert found.sweeps[0].active_at >= found.sweeps[-1].active_at


def test_a_project_alone_can_be_asked_for(embedded, settings, backend):
    """By its name, or with its entity; there is nothing of another one."""
    ref, _ = embedded.sweep()
    for name in ("p", "local/p"):
        assert of(sweep_lists.read(backend, settings, name), ref).ref == ref
    assert sweep_lists.read(backend, settings, "nobody/p").sweeps == ()


@pytest.mark.usefixtures("environ")
def test_the_sdk_tells_less(embedded, settings, backend):
    """How many runs were made, and the best value; not how many have ended, nor who works."""
    ref, _ = embedded.sweep(0, 0)
    sdk.connect(backend, settings)
    told = []
    found = sweep_lists._over_sdk("local", "p", told.append)
    mine = of(found, ref)
    assert not found.told
    assert (mine.made, mine.done, mine.total, mine.agents) == (2, None, 4, None)
    assert (mine.best, mine.best_run, mine.metrics) == (0.1, "", {"loss": "minimize"})
    assert told[-1] == len(found.sweeps)
    assert of(sweep_lists._over_sdk("local", "", lambda _: None), ref).ref == ref


@pytest.mark.usefixtures("environ")
def test_a_project_that_is_not_there_names_the_nearest(embedded, settings, backend):
    """Over the SDK, which says so itself; where nothing is near, what there is."""
    embedded.sweep()
    sdk.connect(backend, settings)
    with pytest.raises(BackendError, match="no project local/no-such-thing with a sweep"):
        sweep_lists._over_sdk("local", "no-such-thing", lambda _: None)
    assert sweep_lists.no_project("", "mnits", ["mnist"]).hint == "did you mean mnist?"
    assert sweep_lists.no_project("", "x", ["mnist"]).hint == "there are mnist"
