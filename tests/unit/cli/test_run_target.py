"""The runs that a command is about."""

from __future__ import annotations

import pytest

from sweeper.cli.run_target import find_runs
from sweeper.errors import ResultError, SweepNotFoundError, UsageError


@pytest.fixture
def at_home(embedded, environ, monkeypatch):
    """The environment of the shared server's user."""
    monkeypatch.setenv("SWEEPER_HOME", str(embedded.home))
    return environ


@pytest.mark.usefixtures("at_home")
def test_runs_are_found_in_their_sweep_or_by_their_whole_name(embedded):
    """By id or display name in the sweep that is named; by path in whichever."""
    ref, (a, b) = embedded.sweep(0, 0)
    other, (c,) = embedded.sweep(0)
    found = find_runs([a, "run-2"], ref.path, "auto")
    assert [one.run.id for one in found] == [a, b]
    assert found[0].definition.method == "grid"
    found = find_runs([f"local/p/{c}", a], ref.path, "auto")
    assert [(one.target.ref, one.run.id) for one in found] == [(other, c), (ref, a)]
    (found,) = find_runs([f"local/p/{c}"], None, "auto")
    assert found.target.ref == other


@pytest.mark.usefixtures("at_home")
def test_a_run_of_another_sweep_is_told_whose_it_is(embedded):
    """It is not taken for one of the sweep that was named."""
    ref, _ = embedded.sweep(0)
    other, (c,) = embedded.sweep(0)
    with pytest.raises(ResultError, match=f"sweep {ref} has no run {c}") as raised:
        find_runs([c], ref.path, "auto")
    assert raised.value.hint == f"it is a run of {other}: name that sweep ({other}), or the run as local/p/{c}"


@pytest.mark.usefixtures("at_home")
def test_what_is_not_there_is_named(embedded):
    """A path that leads nowhere, a run without a sweep, half a path."""
    ref, (a,) = embedded.sweep(0)
    embedded.wire.init("single")
    with pytest.raises(ResultError, match="no run local/p/nobody on this server"):
        find_runs(["local/p/nobody"], None, "auto")
    with pytest.raises(ResultError, match="is of no sweep"):
        find_runs(["local/p/single"], None, "auto")
    with pytest.raises(UsageError, match="'p/x' is no run"):
        find_runs(["p/x"], None, "auto")
    with pytest.raises(UsageError, match="is the address of a page") as raised:
        find_runs([f"http://127.0.0.1:1/local/my+p/runs/{a}?x=1"], ref.path, "auto")
    assert raised.value.hint == f"write its name: 'local/my p/{a}'"
    wrong = a[:-1] + ("x" if a[-1] != "x" else "y")
    with pytest.raises(ResultError) as raised:
        find_runs([wrong], ref.path, "auto")
    assert raised.value.hint.startswith(f"did you mean {a} (run-1)?")


@pytest.mark.usefixtures("environ")
def test_without_a_server_there_is_no_run():
    """And none is started to find that out."""
    with pytest.raises(SweepNotFoundError, match="no sweep was created yet"):
        find_runs(["local/p/r"], None, "auto")
