"""Lists of anything but runs, filtered and ordered."""

from __future__ import annotations

import json
from dataclasses import dataclass

import pytest

from sweeper.server.budget import Budget, SpentError
from sweeper.server.errors import RequestError
from sweeper.server.store.list_filters import Listing, named


@dataclass(frozen=True)
class Thing:
    """A row."""

    name: str
    size: float | None = None
    tags: tuple[str, ...] = ()
    created_at: float = 0.0


LISTING: Listing[Thing] = Listing(
    "things",
    {**named("name"), **named("size"), **named("created_at", "createdAt"), "tag": lambda thing: [*thing.tags]},
)
THINGS = [Thing("b", 2, ("x",), 86_400), Thing("a", None, ("x", "y")), Thing("c", 10, (), 3 * 86_400)]


def chosen(filters=None, order=None, things=THINGS, budget=None) -> str:
    """The names of what is chosen."""
    text = filters if filters is None else json.dumps(filters)
    return "".join(thing.name for thing in LISTING.chosen(things, text, order, budget or Budget()))


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (None, "bac"),
        ({}, "bac"),
        ({"name": "a"}, "a"),
        ({"name": {"$in": ["a", "c"]}}, "ac"),
        ({"name": {"$regex": "^[bc]$"}}, "bc"),
        ({"tag": "y"}, "a"),
        ({"size": {"$gt": 2}}, "c"),
        ({"size": {"$exists": False}}, "a"),
        ({"$or": [{"size": 2}, {"name": "a"}]}, "ba"),
        ({"createdAt": {"$gte": "1970-01-02"}}, "bc"),
    ],
)
def test_a_filter_is_the_one_of_runs(filters, names):
    """The same language with the same operators; times are texts, and a list has what it holds."""
    assert chosen(filters) == names


@pytest.mark.parametrize(
    ("order", "names"),
    [("name", "abc"), ("+name", "abc"), ("-name", "cba"), ("size", "bca"), ("-size", "cba"), ("-createdAt", "cba")],
)
def test_an_order_is_one_of_a_field(order, names):
    """Downwards with a minus; what has no value comes last, both ways."""
    assert chosen(order=order) == names


def test_equal_rows_stay_as_they_came():
    """So pages of a list do not overlap."""
    same = [Thing(name, 1) for name in "dabc"]
    assert chosen(order="size", things=same) == "dabc"
    assert chosen(order="-size", things=same) == "dabc"


@pytest.mark.parametrize("order", ["nope", "+", "-", "--name", "+-name", "name; DROP TABLE", "x" * 100_000])
def test_an_order_by_nothing_is_refused(order):
    """In words that name what there is, and are short whatever was asked; also where there is nothing to order."""
    for things in (THINGS, []):
        with pytest.raises(RequestError, match=r"^things have no .{0,120}: use created") as refused:
            chosen(order=order, things=things)
        assert len(refused.value.message) < 300


@pytest.mark.parametrize(
    "filters",
    [{"nope": 1}, {"$where": "1"}, {"name": {"$regex": "("}}, {"name": {"$like": "x"}}, {"createdAt": "soon"}],
)
def test_a_filter_that_cannot_be_read_is_refused(filters):
    """Not passed over: whoever filters for what there is not would get everything."""
    with pytest.raises(RequestError):
        chosen(filters)
    with pytest.raises(RequestError):
        LISTING.chosen(THINGS, "[1]", None, Budget())


def test_a_filter_is_paid_for():
    """A long one over many rows ends where its request's budget does; a pattern takes linear time."""
    many = [Thing("a" * 30)] * 2000
    with pytest.raises(SpentError):
        chosen({"name": {"$in": [*map(str, range(5000))]}}, things=many)
    assert chosen({"name": {"$regex": "^(a+)+$"}}, things=many[:100])
