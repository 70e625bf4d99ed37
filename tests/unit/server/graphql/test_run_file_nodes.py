"""GraphQL's File, of a run, as the SDK reads it."""

from __future__ import annotations

FIELDS = "id name displayName sizeBytes mimetype md5 url directUrl updatedAt uploadUrl artifact { id }"


def files(client, selection, fields=FIELDS):
    found = client.run("r", f"files{selection} {{ totalCount edges {{ node {{ {fields} }} }} }}")["files"]
    return [edge["node"] for edge in found["edges"]]


def test_a_file_says_what_it_is_and_where(client):
    """Its address is a whole one, and gives the content to whoever has the key."""
    client.init("r")
    client.upload("r", "dir/a b.txt", b"text")
    (found,) = files(client, "")
    assert (found["name"], found["displayName"]) == ("dir/a b.txt", "dir/a b.txt")
    assert (found["sizeBytes"], found["mimetype"], found["md5"]) == (4, "text/plain", "HLJR7A1WjeapKbUgxK7Y0Q==")
    assert found["url"] == found["directUrl"] == "http://127.0.0.1:1/files/local/p/r/dir/a%20b.txt"
    assert client.http.get(found["url"]).content == b"text"
    assert found["uploadUrl"] is found["artifact"] is None


def test_a_file_that_is_not_there_has_an_address_to_upload_to(client):
    """The SDK asks for a file by name before it writes it."""
    client.init("r")
    (found,) = files(client, '(names: ["new.txt"])', "sizeBytes updatedAt url(upload: true)")
    assert (found["sizeBytes"], found["updatedAt"]) == (0, None)
    answer = client.http.put(found["url"], content=b"x", headers={"Authorization": ""})
    assert answer.status_code == 200
    assert [file["sizeBytes"] for file in files(client, "")] == [1]
