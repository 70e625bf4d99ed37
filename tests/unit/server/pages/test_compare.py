"""Runs side by side: in the order in which they are named, what differs first, and nothing of theirs read as HTML."""

from __future__ import annotations

import html
import json
import re

import pytest

from sweeper.server.pages import compare


@pytest.fixture
def two(client):
    """A server with two runs that differ in one thing of two, and a run whose name has a comma."""
    client.init("a", config='{"lr": {"value": 0.1}, "opt": {"value": "<b>adam"}}', summary='{"loss": 0.5, "_step": 9}')
    client.init("b", config='{"lr": {"value": 0.2}, "opt": {"value": "<b>adam"}}', summary='{"loss": 0.25}')
    client.init("a,b", config='{"lr": {"value": [1, 2]}}')
    client.log("a", {"_step": 0, "val/loss": 1.0, "text": "x"})
    client.log("b", {"_step": 0, "val/loss": 1.0, "only": 2.0})
    return client


def cells(text):
    """Give the rows of all tables of values: name and values."""
    found = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', text)
    return [
        [name, *map(html.unescape, re.findall(r"<td[^>]*>(?:<span[^>]*>)?(.*?)(?:</span>)?</td>", row))]
        for name, row in found
    ]


def test_what_differs_comes_first_and_what_is_the_same_is_folded(two):
    """Config, then summary; curves of all that anybody logged as numbers, what both have first."""
    text = two.http.get("/local/p/compare?runs=b,a").text
    rows = cells(text)
    assert rows == [["lr", "0.2", "0.1"], ["opt", "<b>adam", "<b>adam"], ["loss", "0.25", "0.5"]]
    assert text.index("<summary>1 the same in both") < text.index('<th scope="row">opt')
    assert "<b>adam" not in text
    keys = json.loads(html.unescape(re.search(r'data-keys="(.*?)"', text)[1]))
    assert keys == ["val/loss", "only"]
    assert 'href="?runs=a"' in text


def test_runs_are_found_by_names_with_commas_and_others_are_named(two):
    """A whole name counts before its parts; what is not there does not hide the rest."""
    text = two.http.get("/local/p/compare", params={"runs": ["a,b", "nobody"]}).text
    assert "Compare 1 run<" in text
    assert "No run <code>nobody</code>" in text
    assert cells(text) == [["lr", "[1, 2]"]]
    assert "Mark runs in a table" in two.http.get("/local/p/compare").text
    assert two.http.get("/local/none/compare?runs=a").status_code == 404


def test_there_are_not_more_runs_than_a_person_tells_apart(two, monkeypatch):
    """The first ones are shown, and how many more were asked for."""
    monkeypatch.setattr(compare, "MOST", 1)
    text = two.http.get("/local/p/compare?runs=a&runs=b").text
    assert "Compare 1 run<" in text
    assert "1 more were asked for" in text
