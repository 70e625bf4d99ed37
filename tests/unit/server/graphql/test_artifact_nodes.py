"""GraphQL's Artifact, as the SDK reads it."""

from __future__ import annotations


def test_a_committed_artifact_is_read_without_a_key(log, client):
    """The addresses of files and manifest need no key, as the SDK sends none, and give what was uploaded."""
    log.log(aliases=[{"artifactCollectionName": "data", "alias": "best"}])
    found = log.found("best")
    assert (found["versionIndex"], found["artifact"]["size"], found["artifact"]["fileCount"]) == (0, 2, 2)
    urls = [edge["node"]["directUrl"] for edge in found["artifact"]["files"]["edges"]]
    manifest = found["artifact"]["currentManifest"]["file"]["directUrl"]
    answers = [client.http.get(url, headers={"Authorization": ""}) for url in [*urls, manifest]]
    assert [answer.content for answer in answers] == [b"A", b"B", log.manifest_text()]
    assert all("sandbox" in answer.headers["Content-Security-Policy"] for answer in answers)
    part = client.http.get(manifest, headers={"Authorization": "", "Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, log.manifest_text()[:4])
