"""Values of runs side by side: equal only if they are of one type and all there."""

from __future__ import annotations

import pytest

from sweeper.side_by_side import MISSING, ComparedRow, rows_of


@pytest.mark.parametrize(
    ("values", "same"),
    [((1, 1), True), ((1, 1.0), False), ((1, True), False), ((1, MISSING), False), (("a",), True), ((1, 1, 2), False)],
)
def test_what_is_the_same_is_so_in_every_run(values, same):
    """True is no 1, and a run without a value differs."""
    assert ComparedRow("x", values).same is same


def test_every_name_that_a_run_has_is_a_row():
    """In the order in which they are met; what a run lacks is nothing in JSON."""
    first, second = rows_of([{"lr": 1}, {"lr": 2, "width": 3}])
    assert (first.name, first.values) == ("lr", (1, 2))
    assert second.to_json() == [None, 3]
