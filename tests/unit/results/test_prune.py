"""What is to go, as a pruning counts it; all of it, against real servers: tests/unit/cli/server/test_prune.py."""

from __future__ import annotations

from sweeper.backend.own_retention import DatabaseSpace
from sweeper.ref import SweepRef
from sweeper.results.prune import PrunedSweep, Pruning, StayingRun


def pruning(*sweeps, space=None):
    made = object.__new__(Pruning)
    made.sweeps, made.space = sweeps, space
    return made


def sweep(rows, *runs):
    return PrunedSweep(ref=SweepRef("e", "p", "s"), id="x", rows=rows, runs=runs)


def test_the_room_of_the_database_is_what_is_filled_by_the_share_of_lines():
    """Of an empty one nothing; where the server does not tell, neither do we."""
    taken = DatabaseSpace(1000, 200, gives_back=True, rows=40)
    assert pruning(sweep(10, "a"), sweep(20, "b", "c"), space=taken).about_bytes == 600
    assert pruning(space=DatabaseSpace(1000, 200, gives_back=True, rows=0)).about_bytes == 0
    assert pruning(sweep(10, "a")).about_bytes is None
    assert pruning(sweep(10, "a"), sweep(20, "b", "c")).runs == 3


def test_in_json_only_the_best_are_called_kept():
    """What stays for others is told beside the sweeps."""
    one = PrunedSweep(
        ref=SweepRef("e", "p", "s"), runs=("a",), staying=(StayingRun("b", "best", ""), StayingRun("c", "prior", "x"))
    )
    assert (one.to_json()["kept"], one.to_json()["run_ids"], one.to_json()["ended_at"]) == (["b"], ["a"], None)
