"""Runs by what people call them."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from sweeper.backend import embedded_server
from sweeper.backend.server_record import ServerRecord
from sweeper.errors import ResultError
from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.named_runs import find, no_run, of_other_sweep
from sweeper.settings import Backend, Settings

REF = SweepRef("e", "p", "s")


@dataclass
class Named:
    """A run, as far as its names go."""

    id: str
    name: str


RUNS = [Named("abcd1234", "swift-1"), Named("wxyz9876", "twin"), Named("qqqq1111", "twin"), Named("twin", "other")]


def test_an_id_or_a_name_of_one_run_is_enough():
    """An id wins over a name; of a name that two have, the ids are told."""
    assert find("abcd1234", RUNS, REF) is find("swift-1", RUNS, REF) is RUNS[0]
    assert find("twin", RUNS, REF) is RUNS[3]
    with pytest.raises(ResultError, match="2 runs of sweep e/p/s are called twin") as raised:
        find("twin", RUNS[:3], REF)
    assert "wxyz9876, qqqq1111" in raised.value.hint


def test_the_nearest_is_named():
    """By id or by name; none if nothing is near."""
    with pytest.raises(ResultError, match="sweep e/p/s has no run abcd1243") as raised:
        find("abcd1243", RUNS, REF)
    assert raised.value.hint == "did you mean abcd1234 (swift-1)? `sweeper runs e/p/s` lists its runs"
    assert no_run("swift1", {"abcd1234": "swift-1"}, REF).hint.startswith("did you mean abcd1234")
    assert no_run("0000", {"abcd1234": "swift-1"}, REF).hint == "`sweeper runs e/p/s` lists its runs"


def test_a_run_of_another_sweep_is_told_to_be_one(embedded, tmp_path):
    """As far as this machine knows, and the sweep's server."""
    backend = embedded_server.backend(embedded.home, ServerRecord(embedded.pid, embedded.url))
    ref, (a,) = embedded.sweep(0)
    other, (b,) = embedded.sweep(0)
    elsewhere = of_other_sweep(ref, Settings(home=embedded.home), backend)
    hint = no_run(b, {}, ref, elsewhere).hint
    assert hint == f"it is a run of {other}: name that sweep ({other}), or the run as local/p/{b}"
    assert "lists its runs" in no_run("nobody", {}, ref, elsewhere).hint
    assert elsewhere(a) is None
    SweepDir.of(tmp_path, SweepRef("e", "p", "other")).new_launch().append(Attempt(run_id="r9", slot="gpu0"))
    SweepDir.of(tmp_path, ref).new_launch()
    assert of_other_sweep(ref, Settings(home=tmp_path), backend)("r9") == SweepRef("e", "p", "other")
    gone = Backend(kind="local", base_url="http://127.0.0.1:1", api_key="k")
    assert of_other_sweep(ref, Settings(home=tmp_path), backend)("a/b") is None
    assert of_other_sweep(ref, Settings(home=tmp_path), gone)("r8") is None
