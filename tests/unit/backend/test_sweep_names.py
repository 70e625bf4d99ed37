"""What sweeps are called, and which one was meant."""

from __future__ import annotations

import pytest

from sweeper.backend import sdk
from sweeper.backend.own_server import OwnServer
from sweeper.backend.own_sweeps import OwnSweepReader
from sweeper.backend.sweep_names import KnownNames, NamedSweep, names_of_project, near_sweep, no_sweep, own_names
from sweeper.backend.sweep_reader import SweepReader
from sweeper.errors import BackendError, SweepNotFoundError
from sweeper.ref import SweepRef

KNOWN = (
    NamedSweep(SweepRef("e", "p", "abcd1234"), "first try"),
    NamedSweep(SweepRef("e", "q", "wxyz9876"), "bayes"),
    NamedSweep(SweepRef("e", "q", "abcd1235")),
)


@pytest.mark.parametrize(
    ("asked", "meant"),
    [
        (SweepRef("e", "p", "abcd1243"), "abcd1234"),  # a slip of the finger; of two as near, that of the project
        (SweepRef("e", "q", "abcd1243"), "abcd1235"),
        (SweepRef("e", "p", "wxyz9876"), "wxyz9876"),  # the right one, in another project
        (SweepRef("e", "p", "bayes"), "wxyz9876"),  # what it was called
        (SweepRef("e", "p", "First-Try"), "abcd1234"),
        (SweepRef("e", "p", "00000000"), None),
    ],
)
def test_the_nearest_sweep_is_found(asked, meant):
    """By its id in whichever project, by its name, or by what looks like either."""
    found = near_sweep(asked, KNOWN)
    assert (found.ref.sweep_id if found else None) == meant


def test_an_error_names_it():
    """With its name, so that one sees whether it is the one; and where the others are, if none is near."""
    assert no_sweep(SweepRef("e", "p", "abcd1243"), KNOWN).hint == (
        "did you mean e/p/abcd1234 (first try)? `sweeper list` shows all"
    )
    assert no_sweep(SweepRef("e", "p", "0000"), KNOWN).hint.startswith("`sweeper list` shows the sweeps")
    assert "sweeper create FILE" in no_sweep(SweepRef("e", "p", "0000"), ()).hint


@pytest.mark.usefixtures("environ")
def test_both_ways_name_the_nearest(embedded, settings, backend):
    """Over the SDK, which has to list the project's sweeps, as past it."""
    ref, _ = embedded.sweep()
    wrong = SweepRef(ref.entity, ref.project, ref.sweep_id[:-1] + ("x" if ref.sweep_id[-1] != "x" else "y"))
    sdk.connect(backend, settings)
    readers = (OwnSweepReader(wrong, OwnServer(backend, settings)), SweepReader(wrong))
    for reader in readers:
        with pytest.raises(SweepNotFoundError) as raised:
            reader.read()
        assert raised.value.message == f"no sweep {wrong} on this server"
        assert f"did you mean {ref}" in raised.value.hint
    nowhere = SweepReader(SweepRef(ref.entity, "no-such-project", ref.sweep_id))
    with pytest.raises(SweepNotFoundError, match="no sweep local/no-such-project"):
        nowhere.read()
    assert names_of_project(nowhere._api, "local", "no-such-project") == []


def test_the_names_of_a_server(embedded, settings, backend):
    """Sweeps, projects, and whose key it is."""
    ref, _ = embedded.sweep()
    known = KnownNames.ask(OwnServer(backend, settings).ask)
    assert known.sweeps[0].ref == ref
    assert ("local", "p") in known.projects
    assert known.user == "local"


def test_an_error_does_not_fail_over_its_own_advice():
    """A server that has just gone away lists nothing."""

    def ask(*_args, **_variables):
        raise BackendError("gone")

    assert own_names(ask) == ()
