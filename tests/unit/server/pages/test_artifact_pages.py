"""The pages of artifacts, at the addresses that the SDK prints."""

from __future__ import annotations

import pytest

from tests.unit.server.artifact_logger import Logger

USE = """mutation($id: ID!) { useArtifact(input: {artifactID: $id, entityName: "local", projectName: "p",
    runName: "user"}) { artifact { id } } }"""


@pytest.fixture
def logged(client):
    """A client of a server with two versions of an artifact: one run made the second, another one used it."""
    client.init("maker")
    client.init("user")
    Logger(client, "net").log()
    made = Logger(client, "net", {"a.txt": b"<b>"}).log(
        runName="maker", description="<i>small", metadata='{"acc": "<u>"}'
    )
    client.graphql(USE, id=made)
    return client


def test_a_project_lists_its_artifacts(logged):
    """All, or those of one type; a type that there is not is no page."""
    for address in ("artifacts", "artifacts/dataset"):
        page = logged.http.get(f"/local/p/{address}")
        assert page.status_code == 200
        assert '<a href="/local/p/artifacts/dataset/net/v1">net</a>' in page.text
    assert logged.http.get("/local/p/artifacts/nope").status_code == 404
    logged.init("r", project="empty")
    assert "No artifact yet" in logged.http.get("/local/empty/artifacts").text


def test_a_version_has_its_page(logged):
    """What it is and where it went, with what users wrote as text; by its number or an alias."""
    for version in ("v1", "latest"):
        page = logged.http.get(f"/local/p/artifacts/dataset/net/{version}")
        assert page.status_code == 200
        assert "net:v1" in page.text
        assert "&lt;i&gt;small" in page.text
        assert "<i>small" not in page.text
        assert "&lt;u&gt;" in page.text
    assert logged.http.get("/local/p/artifacts/dataset/net/v7").status_code == 404


def test_lineage_goes_both_ways(logged):
    """From the run that made it to the run that used it, and from their pages back."""
    page = logged.http.get("/local/p/artifacts/dataset/net/v1?tab=lineage").text
    came, _, went = page.partition('class="lineage"')[2].partition("This one")
    assert "/local/p/runs/maker" in came
    assert "/local/p/runs/user" in went
    for run, title in (("maker", "Made by this run"), ("user", "Used by this run")):
        there = logged.http.get(f"/local/p/runs/{run}?tab=artifacts").text.partition(title)[2]
        assert '<a href="/local/p/artifacts/dataset/net/v1">net:v1</a>' in there


def test_a_name_alone_leads_to_its_newest_version(logged):
    """And a name that there is not to none."""
    answer = logged.http.get("/local/p/artifacts/dataset/net", follow_redirects=False)
    assert answer.headers["location"] == "/local/p/artifacts/dataset/net/v1"
    assert logged.http.get("/local/p/artifacts/dataset/nope").status_code == 404


@pytest.mark.parametrize(
    ("rest", "query"),
    [
        ("files/a/b c.txt", "?tab=files&file=a%2Fb+c.txt"),
        ("files", "?tab=files"),
        ("lineage", "?tab=lineage"),
        ("graph", "?tab=lineage"),
        ("metadata", "?tab=overview"),
        ("nope", ""),
    ],
)
def test_addresses_of_wandbs_tabs_open_ours(logged, rest, query):
    """As far as there is one."""
    answer = logged.http.get(f"/local/p/artifacts/dataset/net/v1/{rest}", follow_redirects=False)
    assert answer.headers["location"] == f"/local/p/artifacts/dataset/net/v1{query}"


def test_a_version_says_when_it_expires(client):
    """A day, where it has a time to live; nothing, where it has none."""
    Logger(client, "kept").log()
    Logger(client, "net", {"a": b"n"}).log(ttlDurationSeconds=86_400)
    assert "<dt>expires</dt>" in client.http.get("/local/p/artifacts/dataset/net/v0").text
    assert "<dt>expires</dt>" not in client.http.get("/local/p/artifacts/dataset/kept/v0").text
