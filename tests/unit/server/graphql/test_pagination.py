"""Pages of lists: their length, and cursors that survive new entries."""

from __future__ import annotations

import pytest

from sweeper.server.errors import RequestError
from sweeper.server.graphql import pagination


def test_pages_join_without_gap_or_repeat(client):
    """Paging by the last edge's cursor lists every run once, even if a run comes in between two pages."""
    for i in range(5):
        client.init(f"r{i}")
    query = """query($after: String) { project(name: "p") { runs(first: 2, after: $after, order: "-created_at") {
        edges { node { name } cursor } pageInfo { hasNextPage endCursor } } } }"""
    names, after, more = [], None, True
    while more:
        page = client.graphql(query, after=after)["project"]["runs"]
        names += [edge["node"]["name"] for edge in page["edges"]]
        after, more = page["edges"][-1]["cursor"], page["pageInfo"]["hasNextPage"]
        client.init("late")
    assert names == ["r4", "r3", "r2", "r1", "r0"]


NAMES = [f"n{i}" for i in range(5)]


def page(items=NAMES, **asked):
    """Cut a page; give its entries and what comes with it."""
    found = pagination.connection(items, str, **asked)
    return [edge["node"] for edge in found["edges"]], found


def test_a_page_is_as_long_as_asked_for_and_says_whether_more_come():
    """The total is that of the whole list, and the end cursor that of the page's last entry."""
    names, found = page(first=2)
    assert names == ["n0", "n1"]
    assert (found["total_count"], found["page_info"]["has_next_page"]) == (5, True)
    names, found = page(first=3, after=found["page_info"]["end_cursor"])
    assert (names, found["page_info"]["has_next_page"]) == (["n2", "n3", "n4"], False)
    assert page(first=0)[0] == []


def test_a_page_goes_on_behind_an_entry_that_moved():
    """The cursor names its entry, so what came in before it is not listed twice."""
    after = page(first=2)[1]["page_info"]["end_cursor"]
    assert page(["new", *NAMES], after=after)[0] == ["n2", "n3", "n4"]


def test_a_page_goes_on_where_an_entry_was_that_is_gone():
    """Nothing better is known of it than its place."""
    after = page(first=2)[1]["page_info"]["end_cursor"]
    assert page(["n0", "n2", "n3"], after=after)[0] == ["n3"]


def test_a_page_has_bounds():
    """Fifty if nobody says more, a thousand whoever does."""
    many = [str(i) for i in range(1200)]
    assert len(page(many)[0]) == pagination.PAGE
    assert len(page(many, default=pagination.MAX_PAGE)[0]) == len(page(many, first=10**9)[0]) == pagination.MAX_PAGE


@pytest.mark.parametrize("asked", [{"first": -1}, {"after": "?"}, {"after": "bm9uZQ=="}, {"after": "eDpu"}])
def test_a_page_that_is_none_is_refused(asked):
    """A negative length, and a cursor that is not one of ours."""
    with pytest.raises(RequestError):
        page(**asked)
