"""The endpoints for what artifacts hold: signed addresses, and the one that the SDK makes up itself."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from sweeper.server.graphql.artifact_addresses import READ, WRITE

LIMIT = 2**20


@pytest.fixture
def shelf(client):
    """A client of a server that has a project, number 1."""
    client.init("r")
    return client


def md5_of(content):
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def to_write(client, content, limit=LIMIT):
    """Sign an address to write a content to."""
    token = client.sign(WRITE, "1", md5_of(content), str(limit))
    return f"/artifact-files/1/{md5_of(content)}?limit={limit}&token={token}"


def to_read(client, content):
    """Sign an address to read a content from."""
    token = client.sign(READ, "1", md5_of(content))
    return f"/artifact-files/1/{md5_of(content)}?token={token}"


def put(client, url, content, **headers):
    """Upload, without a key; give the status."""
    return client.http.put(url, content=content, headers={"Authorization": "", **headers}).status_code


def on_disk(client):
    """Read what lies on the server's disk."""
    return {path.read_bytes() for path in Path(client.data_dir / "artifacts").glob("*/*/*")}


def test_an_upload_holds_what_was_announced(shelf):
    """Another content than announced is refused, and nothing of it is left; the right one is then taken."""
    url = to_write(shelf, b"A")
    assert put(shelf, url, b"X") == 400
    assert [*Path(shelf.data_dir / "artifacts").glob("**/.upload-*"), *on_disk(shelf)] == []
    assert put(shelf, url, b"A") == 200
    assert on_disk(shelf) == {b"A"}
    assert shelf.http.get(to_read(shelf, b"A"), headers={"Authorization": ""}).content == b"A"


def test_an_upload_is_no_longer_than_announced(shelf):
    """The address says unforgeably how long a content may be, and a longer one is refused before it comes."""
    url = to_write(shelf, b"A")
    assert put(shelf, url.replace(f"limit={LIMIT}", "limit=9999999999999"), b"A") == 403
    assert put(shelf, url, b"A", **{"Content-Length": str(LIMIT + 1)}) == 413
    assert put(shelf, to_write(shelf, b"AB", limit=1), b"AB") == 413
    assert on_disk(shelf) == set()
    assert put(shelf, to_write(shelf, b"AB", limit=2), b"AB") == 200


def test_an_address_opens_one_content_for_one_purpose(shelf):
    """A signature neither opens another content or project, nor writes where it may read."""
    for content in (b"A", b"B"):
        assert put(shelf, to_write(shelf, content), content) == 200
    first, second = to_read(shelf, b"A"), to_read(shelf, b"B")
    token = first.partition("?")[2]
    path = second.partition("?")[0]
    for url in (path, f"{path}?{token}", first.replace("/1/", "/2/"), f"{path}?token=%ff"):
        assert shelf.http.get(url).status_code == 403
    assert put(shelf, first, b"A") == 403


ADDRESSES = ["../../x", "1/..%2f..%2fapi-key", "x/y?token=1.2", "1/%00?limit=x&token=9", "1/" + "0" * 32]


@pytest.mark.parametrize("address", ADDRESSES)
def test_an_address_of_no_artifact_is_refused(client, address):
    """No address leaves the folder of contents, read or written."""
    assert client.http.get(f"/artifact-files/{address}").status_code in {403, 404}
    assert client.http.put(f"/artifact-files/{address}", content=b"x").status_code in {403, 404, 405}


def test_a_content_that_has_gone_is_not_found(shelf):
    """An address stays signed for a day; of a content deleted meanwhile it says so."""
    answer = shelf.http.get(to_read(shelf, b"A"))
    assert answer.status_code == 404
    assert "no longer" in answer.json()["errors"][0]["message"]


def test_an_uploaded_page_cannot_act_as_ours(shelf):
    """Whatever a content is, a browser runs nothing of it."""
    page = b"<script>alert(1)</script>"
    assert put(shelf, to_write(shelf, page), page) == 200
    headers = shelf.http.get(to_read(shelf, page)).headers
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["Content-Type"] == "application/octet-stream"


def test_the_address_the_sdk_makes_up_needs_a_key(shelf):
    """Where a signed address has run out the SDK asks by MD5, with its key."""
    assert put(shelf, to_write(shelf, b"A"), b"A") == 200
    md5 = md5_of(b"A")
    address = f"/artifactsV2/default/local/p/data/x/{md5}/a"
    assert shelf.http.get(address).content == b"A"
    assert shelf.http.get(address, headers={"Authorization": ""}).status_code == 401
    for other in (address.replace("/p/", "/q/"), address.replace(md5, "0" * 32), address.replace(md5, "..")):
        assert shelf.http.get(other).status_code == 404


def test_a_content_is_read_part_by_part(shelf):
    """The SDK reads files of 2 GiB and more so; a part beyond the end is refused, and many at a time are not read."""
    assert put(shelf, to_write(shelf, b"0123456789"), b"0123456789") == 200
    url = to_read(shelf, b"0123456789")

    def read(ranges):
        answer = shelf.http.get(url, headers={"Authorization": "", "Range": ranges})
        return answer.status_code, answer.content, answer.headers.get("content-range")

    assert read("bytes=2-4") == (206, b"234", "bytes 2-4/10")
    assert read("bytes=8-99") == (206, b"89", "bytes 8-9/10")
    assert read("bytes=99-")[0] == 416
    assert len(read("bytes=" + ",".join(["0-9"] * 5000))[1]) < 2000


def test_the_addresses_that_older_sdks_make_up_need_a_key(shelf):
    """They name the entity alone: what one of its projects has is found, and nothing of another's."""
    assert put(shelf, to_write(shelf, b"A"), b"A") == 200
    shelf.init("r", project="newer")
    md5 = md5_of(b"A")
    for address in (f"/artifactsV2/default/local/QXJ0aWZhY3Q6MQ%3D%3D/{md5}", f"/artifacts/local/{md5}"):
        assert shelf.http.get(address).content == b"A"
        assert shelf.http.get(address, headers={"Authorization": ""}).status_code == 401
        for other in (address.replace("/local/", "/nobody/"), address.replace(md5, "0" * 32)):
            assert shelf.http.get(other).status_code == 404
    assert shelf.http.get("/artifacts/local/x").status_code == 404
