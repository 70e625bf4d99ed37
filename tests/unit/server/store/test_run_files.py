"""Files of runs: signed uploads, downloads with a key, paths that try to leave."""

from __future__ import annotations

import base64
import hashlib
import time
from pathlib import Path

import pytest

from sweeper.run import RunState
from sweeper.server.errors import RequestError
from sweeper.server.store import projects, run_files, runs
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.run_files import FileStore, check_path

FIELDS = "fileCount files(names: $n, pattern: $p) { edges { node { name sizeBytes md5 url directUrl mimetype } } }"


def listing(client, names=(), pattern=None):
    query = f'query($n: [String], $p: String) {{ project(name: "p") {{ run(name: "r") {{ {FIELDS} }} }} }}'
    found = client.graphql(query, n=list(names), p=pattern)["project"]["run"]
    return [edge["node"] for edge in found["files"]["edges"]]


def test_upload_is_listed_and_comes_back(client):
    """A file uploaded to a signed address is listed with size and MD5 and downloads unchanged, with a key only."""
    client.init("r")
    content = bytes(range(256)) * 5000
    client.upload("r", "media/table one.json", content)
    (file,) = listing(client)
    assert (file["name"], file["sizeBytes"]) == ("media/table one.json", len(content))
    assert file["md5"] == base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode()
    assert file["mimetype"] == "application/json"
    assert client.http.get(file["directUrl"]).content == content
    assert client.http.get(file["url"], headers={"Authorization": ""}).status_code == 401


def test_second_upload_replaces_the_first(client):
    """A file uploaded again is one file, with the new content."""
    client.init("r")
    client.upload("r", "a.txt", b"one")
    client.upload("r", "a.txt", b"two!")
    (file,) = listing(client)
    assert file["sizeBytes"] == 4
    assert client.http.get(file["url"]).content == b"two!"


def test_absent_file_asked_for_by_name_has_size_zero(client):
    """The SDK asks for one file by name and wants an entry even if it is not there."""
    client.init("r")
    (file,) = listing(client, names=["nope.txt"])
    assert (file["name"], file["sizeBytes"]) == ("nope.txt", 0)
    assert client.http.get(file["url"]).status_code == 404


def test_pattern_is_sql_like(client):
    """Files are found by SQL LIKE pattern."""
    client.init("r")
    for path in ("a.json", "b.json", "c.txt"):
        client.upload("r", path, b"x")
    assert [file["name"] for file in listing(client, pattern="%.json")] == ["a.json", "b.json"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [("%", 4), ("_.json", 1), ("A.JSON", 1), (r"a\_b.json", 1), ("a_b.json", 2), ("", 0), ("a.c", 0), ("(a|b)%", 0)],
)
def test_signs_of_a_pattern_mean_what_they_mean_in_sql(client, pattern, found):
    """`%` is anything, `_` one character, either behind a backslash itself; nothing else means anything."""
    client.init("r")
    for path in ("a.json", "a_b.json", "axb.json", "abc"):
        client.upload("r", path, b"x")
    assert len(listing(client, pattern=pattern)) == found


def test_a_pattern_takes_linear_time(client):
    """With many `%` SQL's own comparison would take for ever, and nothing could stop it."""
    client.init("r")
    client.upload("r", "/".join(["a" * 180] * 5), b"x")
    begun = time.monotonic()
    assert listing(client, pattern="%a" * 30 + "b") == []
    query = 'query($p: String) { project(name: "p") { run(name: "r") { files(pattern: $p) { edges { cursor } } } } }'
    assert "pattern" in client.graphql(query, status=400, p="%a" * 10_000)
    assert time.monotonic() - begun < 10


def test_uploaded_page_cannot_act_as_ours(client):
    """A web page that a run uploaded is served so that a browser runs nothing of it."""
    client.init("r")
    client.upload("r", "a.html", b"<script>1</script>")
    headers = client.http.get("/files/local/p/r/a.html").headers
    assert "sandbox" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("token", ["", "?token=", "?token=" + "0" * 64, "?token=%ff"])
def test_upload_without_its_signature_is_refused(client, token):
    """A PUT to an address that was not signed is a 403, with or without a key."""
    client.init("r")
    assert client.http.put(f"/files/local/p/r/a.txt{token}", content=b"x").status_code == 403


def test_signature_is_for_one_file(client):
    """The signature of one file does not open another one, nor another run."""
    client.init("r")
    token = client.upload_url("r", "a.txt").partition("?")[2]
    for address in ("/files/local/p/r/b.txt", "/files/local/p/s/a.txt", "/files/local/q/r/a.txt"):
        assert client.http.put(f"{address}?{token}", content=b"x").status_code == 403


BAD_PATHS = [
    "../x",
    "a/../../x",
    "/etc/passwd",
    "a\\..\\x",
    "a\0b",
    "..",
    ".",
    "",
    "a/./b",
    "x" * 300,
    "é" * 101,
    "a/" * 600 + "b",
    "line\nbreak",
    "C:/x",
    "c:x",
    "//host/share/x",
    ".. /x",
    "a/. ./x",
    "...",
    "a/...",
    "\\\\host\\share",
]


@pytest.mark.parametrize("path", BAD_PATHS)
def test_path_that_leaves_the_run_is_refused(client, path):
    """No address is signed for a path that climbs, is absolute or cannot be a file's."""
    client.init("r")
    assert client.upload_url("r", path, status=400)


@pytest.mark.parametrize("path", BAD_PATHS)
def test_path_is_checked_again_where_files_are_placed(tmp_path, path):
    """Whatever an address says, the place on disk lies in the run's folder."""
    store = FileStore(tmp_path)
    with pytest.raises(RequestError):
        store.locate("local", "p", "r", path)
    with pytest.raises(RequestError):
        check_path(path)


def test_link_out_of_the_run_is_not_followed(tmp_path):
    """A symbolic link in a run's folder does not lead out of it."""
    store = FileStore(tmp_path / "files")
    home = tmp_path / "files" / "local" / "p" / "r"
    home.mkdir(parents=True)
    (home / "out").symlink_to(tmp_path)
    with pytest.raises(RequestError):
        store.locate("local", "p", "r", "out/x")


@pytest.mark.parametrize(
    "address", ["/files/local/p/r/%2e%2e/%2e%2e/x", "/files/local/p/r/a%5C..%5Cb", "/files/local/p/r/%00"]
)
def test_download_stays_in_the_run(client, address):
    """An encoded path that climbs is refused or not found, never served."""
    client.init("r")
    assert client.http.get(address).status_code in {400, 404}


def test_file_and_folder_of_one_name_are_refused(client):
    """A path below a file is a 400, and the file stays."""
    client.init("r")
    client.upload("r", "a", b"x")
    answer = client.http.put(client.upload_url("r", "a/b"), content=b"y")
    assert answer.status_code == 400
    assert client.http.get("/files/local/p/r/a").content == b"x"


def test_nothing_is_left_of_an_upload_that_broke_off(client):
    """Temporary files are gone after good and bad uploads."""
    client.init("r")
    client.upload("r", "a", b"x")
    client.http.put(client.upload_url("r", "a/b"), content=b"y")
    assert list(Path(client.data_dir / "files").glob(".upload-*")) == []


@pytest.mark.parametrize("path", ["aux/loss.png", "a b.txt", "x..y", "media/images/a:b_0.png", ".hidden", "v1."])
def test_names_that_only_windows_dislikes_are_kept(client, path):
    """The server runs where these are plain names, and the SDK makes them of the keys that people log."""
    client.init("r")
    client.upload("r", path, b"x")
    assert [file["name"] for file in listing(client)] == [path]


def test_file_that_is_too_long_is_refused(client):
    """A file over the limit is a 413 whether its length is announced or not, and leaves nothing behind."""
    client.init("r")
    client.http.app.state.max_file = 10
    address = client.upload_url("r", "a")
    assert client.http.put(address, content=b"x" * 11).status_code == 413
    assert client.http.put(address, content=iter([b"x" * 6, b"y" * 6])).status_code == 413
    assert client.http.put(address, content=b"x" * 10).status_code == 200
    assert list(Path(client.data_dir / "files").glob(".upload-*")) == []


def test_what_a_dead_server_moved_is_noted_at_the_next_start(tmp_path):
    """Killed between a file's move and its row, or before the move: row and file agree again, and nothing is left."""
    store, files = Store(MEMORY), FileStore(tmp_path)
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        run = runs.create(db, place.id, "r", state=RunState.RUNNING, now=0)
        for path in ("moved", "unmoved"):
            target = files.locate("local", "p", "r", path)
            files.make_room(target)
            target.write_bytes(b"old content")  # as long as the new one: only the MD5 tells them apart
            torn = tmp_path / f".upload-{path}"
            torn.write_bytes(b"new content")
            run_files.record(db, run.id, path, 3, "old", now=0)
            arrival = run_files.Arrival(torn, 11, run_files.md5_of(torn))
            run_files.announce(db, run.id, path, arrival)
            assert run_files.is_arriving(db, run.id, path)
            if path == "moved":
                arrival.move(target)
        run_files.settle(db, files, now=1)
        assert [(file.path, file.size) for file in run_files.of_run(db, run.id)] == [("moved", 11), ("unmoved", 3)]
        assert not run_files.is_arriving(db, run.id, "unmoved")
    assert list(tmp_path.glob(".upload-*")) == []
    store.close()


def test_rows_are_made_to_agree_with_what_a_backup_took():
    """A row is corrected or forgotten by run and path; the sizes of those left are added up."""
    store = Store(MEMORY)
    with store.write() as db:
        place = projects.ensure(db, "local", "p", now=0)
        for name in ("r", "s"):
            run = runs.create(db, place.id, name, state=RunState.RUNNING, now=0)
            for path in ("a", "b"):
                run_files.record(db, run.id, path, 10, "x", now=0)
        run_files.correct(db, run.id, "a", 3, "y")
        run_files.forget(db, run.id, "b")
        found = [(file.run, file.path, file.size, file.md5) for file in run_files.of_all_runs(db)]
        assert found == [("r", "a", 10, "x"), ("r", "b", 10, "x"), ("s", "a", 3, "y")]
        assert run_files.look_up(db, run.id, "b") is None
        assert run_files.total_bytes(db) == 23
    store.close()
