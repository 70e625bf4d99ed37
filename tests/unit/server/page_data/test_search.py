"""The box at the head of a page: a few of each sort, with what they are and where."""

from __future__ import annotations

from sweeper.server.page_data import search

SWEEP = {"method": "random", "name": "wide", "parameters": {"lr": {"min": 0.0, "max": 1.0}}}


def test_each_sort_is_found_by_a_part_of_its_name(client):
    """With the address of its page, whatever its project is called."""
    sweep = client.sweep(SWEEP, project="a b")
    client.init("wider", project="a b")
    found = client.http.get("/-/data/search", params={"q": " wid "}).json()
    about = {"name": f"wide ({sweep})", "about": "a b · pending", "page": f"/local/a%20b/sweeps/{sweep}"}
    assert found["sweeps"] == [about]
    assert [run["page"] for run in found["runs"]] == ["/local/a%20b/runs/wider"]
    assert found["projects"] == []
    (place,) = client.http.get("/-/data/search?q=local/a").json()["projects"]
    assert place == {"name": "a b", "about": "local", "page": "/local/a%20b"}


def test_there_are_few_of_each_and_none_for_nothing(client):
    """A box shows no more."""
    for number in range(search.MOST + 2):
        client.init(f"r{number}")
    assert len(client.http.get("/-/data/search?q=r").json()["runs"]) == search.MOST
    assert client.http.get("/-/data/search?q=%20").json() == {"projects": [], "sweeps": [], "runs": []}
    assert client.http.get("/-/data/search?q=r", headers={"Authorization": ""}).status_code == 401
