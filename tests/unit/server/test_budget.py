"""What the answer to one request may cost, and that whoever spends more is stopped."""

from __future__ import annotations

import json
import time

import pytest

from sweeper.server import budget as costs
from sweeper.server.budget import Budget, SpentError


def test_an_answer_has_a_size_and_a_time():
    """A request is ended when it has asked for too many values, or for too long."""
    budget = Budget(values=3)
    for _ in range(3):
        budget.spend()
    with pytest.raises(SpentError, match="more than"):
        budget.spend()
    with pytest.raises(SpentError, match="longer than"):
        Budget(values=65, until=0.0).spend()


def test_the_time_begins_with_the_first_value():
    """A request that has waited long for a thread has lost nothing by it."""
    budget = Budget()
    assert budget.until is None
    budget.spend()
    assert budget.until is not None
    assert 0 < budget.until - time.monotonic() <= costs.MAX_S


@pytest.mark.parametrize(
    "value", ["x" * 200, "é" * 200, '"\\\n' * 200, {"a" * 50: ["b" * 50, 1, None]}, [["c" * 99]], "\U0001f600"]
)
def test_an_answer_is_weighed_by_its_bytes(value):
    """As JSON has them, at least: quotes, line breaks and letters beyond ASCII take several."""
    size = len(json.dumps(value, separators=(",", ":"))) - 40
    Budget(bytes=4 * size + 200).weigh(value)
    with pytest.raises(SpentError, match="bytes"):
        Budget(bytes=max(size, 0)).weigh(value)


def test_comparisons_are_paid_for_and_end_with_the_time():
    """Many are refused by their number, fewer by the clock."""
    budget = Budget(work=10)
    budget.pay(10)
    with pytest.raises(SpentError, match="too long for so many runs"):
        budget.pay(1)
    late = Budget(until=time.monotonic() - 1)
    with pytest.raises(SpentError, match="longer than"):
        late.pay(100_000)


def test_what_is_left_may_be_spent_to_the_last():
    """Bytes, comparisons and values: just so much is allowed, keys and values of an object count."""
    Budget(bytes=10).weigh("x" * 10)
    with pytest.raises(SpentError, match="bytes"):
        Budget(bytes=10).weigh("x" * 11)
    Budget(bytes=12).weigh({"four": "8letters"})
    for value in ({"four": "8letters!"}, {"fours": "8letters"}, ["x" * 6, "y" * 7]):
        with pytest.raises(SpentError, match="bytes"):
            Budget(bytes=12).weigh(value)


@pytest.mark.parametrize("late_s", [0.2, 0.9])
def test_a_request_ends_when_its_time_is_up(late_s):
    """Whether it looks things up or compares; comparisons are few before the clock is asked."""
    until = time.monotonic() - late_s
    with pytest.raises(SpentError, match="longer than"):
        Budget(values=65, until=until).spend()
    Budget(until=until).pay(20_000)
    several = Budget(until=until)
    several.pay(20_000)
    with pytest.raises(SpentError, match="longer than"):
        several.pay(1)
    Budget(values=66, until=until).spend()
