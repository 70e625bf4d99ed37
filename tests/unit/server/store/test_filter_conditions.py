"""The language of filters: Mongo's, as far as W&B's clients use it."""

from __future__ import annotations

import pytest

from sweeper.server.budget import Budget
from sweeper.server.errors import RequestError
from sweeper.server.store.filter_conditions import MISSING, Work, matches, regex


class Fields(dict):
    """Values by the keys that a filter may ask for; what is not among them is missing."""

    def get(self, key):
        """Look up a value as a run does."""
        return super().get(key, MISSING)


RUN = Fields(name="a", lr=0.1, best=True, tags=["x", "y"], note="hello", created_at=1_700_000_000.0)


@pytest.mark.parametrize(
    "condition",
    [
        {},
        {"name": "a", "lr": 0.1},
        {"lr": {"$gt": 0.05, "$lt": 0.2}},
        {"lr": {"$not": {"$gt": 1}}},
        {"tags": "x"},
        {"tags": ["x", "y"]},
        {"tags": {"$in": ["y", "z"]}},
        {"tags": {"$nin": ["z"]}},
        {"nothing": None},
        {"nothing": {"$exists": False}},
        {"nothing": {"$ne": 1}},
        {"note": {"$regex": "^hell"}},
        {"tags": {"$regex": "^y$"}},
        {"$or": [{"name": "b"}, {"lr": 0.1}]},
        {"$nor": [{"name": "b"}, {"lr": 1}]},
        {"$not": {"name": "b"}},
        {"$or": []},
        {"created_at": {"$gte": "2023-11-14T22:13:20Z", "$lt": "2023-11-14T22:13:21"}},
    ],
)
def test_a_filter_holds(condition):
    """Constants, operators and combinations hold for what they describe; a time without a zone is UTC."""
    assert matches(condition, RUN, Work(Budget()))


@pytest.mark.parametrize(
    "condition",
    [
        {"name": "a", "lr": 1},
        {"lr": {"$gt": 0.05, "$lt": 0.07}},
        {"lr": {"$gt": "0"}},
        {"note": {"$lt": 5}},
        {"nothing": {"$lt": 5}},
        {"best": 1},
        {"lr": True},
        {"tags": "z"},
        {"nothing": {"$exists": True}},
        {"nothing": {"$regex": ""}},
        {"$and": [{"name": "a"}, {"lr": 1}]},
        {"$nor": [{"name": "a"}]},
    ],
)
def test_a_filter_does_not_hold(condition):
    """A number is no text and a truth value no number, and what is missing is in no order."""
    assert not matches(condition, RUN, Work(Budget()))


@pytest.mark.parametrize(
    ("condition", "said"),
    [
        ({"$foo": []}, r"\$and"),
        ({"lr": {"$foo": 1}}, r"\$exists"),
        ({"$and": 3}, "list"),
        ({"lr": {"$in": 3}}, "list"),
        ({"created_at": "soon"}, "2026-01-31T12:00:00Z"),
        ({"$not": 5}, "JSON object"),
    ],
)
def test_an_unreadable_filter_says_what_there_is(condition, said):
    """What cannot be read is refused with what to write instead."""
    with pytest.raises(RequestError, match=said):
        matches(condition, RUN, Work(Budget()))


def test_a_pattern_takes_linear_time():
    """A pattern over which Python's own engine would sit for years is answered at once."""
    assert not regex("a" * 5000 + "b", "(a+)+$")
    assert regex(["x", "hellö"], "(?i)^HELLÖ$")


@pytest.mark.parametrize("pattern", ["(?=a)", r"(a)\1", "[", "a" * 300, 5, None])
def test_a_pattern_that_cannot_be_taken_is_refused(pattern):
    """What RE2 lacks, what is no pattern and what is too long is the client's mistake."""
    with pytest.raises(RequestError):
        regex("a", pattern)
