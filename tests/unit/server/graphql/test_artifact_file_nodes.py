"""Files of artifacts, as the SDK lists them."""

from __future__ import annotations

import re

from tests.unit.server.artifact_logger import md5_of


def test_files_are_listed_by_page(log):
    """A page has the length asked for, and the next one begins behind it."""
    log.contents = {f"{number:02}": str(number).encode() for number in range(5)}
    log.log()
    query = """query($after: String) { project(name: "p") { artifactCollectionMembership(name: "data") {
        files(first: 2, after: $after) { pageInfo { hasNextPage endCursor } edges { node { name } } } } } }"""
    names, after, more = [], None, True
    while more:
        page = log.client.graphql(query, after=after)["project"]["artifactCollectionMembership"]["files"]
        names += [edge["node"]["name"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    assert names == sorted(log.contents)


FILES = """query($id: ID!, $names: [String!], $first: Int, $after: String) { artifact(id: $id) {
    files(names: $names, first: $first, after: $after) { totalCount pageInfo { hasNextPage }
        edges { cursor node { id name displayName sizeBytes mimetype md5 digest url directUrl storagePath
            artifact { id } } } } } }"""


def files(client, artifact, *, status=200, **asked):
    found = client.graphql(FILES, status=status, id=artifact, **asked)
    return found["artifact"]["files"] if status == 200 else found


def test_a_file_says_what_it_is_and_where(log, client):
    """Its MD5 is in base64, as manifests have it; its artifact is the one it was asked of."""
    log.contents = {"dir/a.txt": b"A"}
    artifact = log.log()
    found = files(client, artifact)
    assert (found["totalCount"], found["pageInfo"]["hasNextPage"]) == (1, False)
    node = found["edges"][0]["node"]
    assert (node["name"], node["displayName"], node["sizeBytes"]) == ("dir/a.txt", "dir/a.txt", 1)
    assert (node["mimetype"], node["md5"], node["digest"]) == ("text/plain", md5_of(b"A"), md5_of(b"A"))
    assert node["artifact"] == {"id": artifact}
    assert node["url"] == node["directUrl"]
    assert re.fullmatch(r"\d+/[0-9a-f]{32}", node["storagePath"])


def test_a_reference_is_where_it_says(log, client):
    """Its content is elsewhere, and its MD5 nobody's business."""
    artifact = log.create()["id"]
    log.manifest(artifact, {"far": {"digest": "etag", "ref": "s3://bucket/far", "size": 7}})
    log.commit(artifact)
    (edge,) = files(client, artifact)["edges"]
    assert edge["node"]["storagePath"] is None
    assert (edge["node"]["url"], edge["node"]["md5"], edge["node"]["sizeBytes"]) == ("s3://bucket/far", None, 7)


def test_files_are_found_by_their_names(log, client):
    """Those that are there, in the order of their paths."""
    artifact = log.log()
    found = files(client, artifact, names=["b", "x", "a"])
    assert ([edge["node"]["name"] for edge in found["edges"]], found["totalCount"]) == (["a", "b"], 2)


def test_a_page_of_files_that_is_none_is_refused(log, client):
    """A negative length, and a cursor that is not one of ours."""
    artifact = log.log()
    assert "negative" in files(client, artifact, status=400, first=-1)
    assert "cursor" in files(client, artifact, status=400, after="A")
