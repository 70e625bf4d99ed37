"""The endpoints that need no GraphQL: health, telemetry, bodies, files."""

from __future__ import annotations

import json

import pytest
from starlette.requests import Request

from sweeper.backend import server_record
from sweeper.server.http import endpoints
from sweeper.server.store import run_files


def test_health_needs_no_key(client):
    """Anybody on the machine may ask whether the server is there; which process it is, is nobody else's business."""
    answer = client.http.get("/healthz", headers={"Authorization": ""})
    assert set(answer.json()) == {"service", "version"}
    assert answer.json()["service"] == "sweeper"


def test_health_proves_which_server_it_is(client):
    """Each nonce has a proof of its own, within reason: only the readers of the data directory can check it."""
    record = server_record.fresh("http://127.0.0.1:1", None)
    client.http.app.state.prove = record.proof
    one, other = (client.http.get(f"/healthz?nonce={nonce}").json()["proof"] for nonce in ("a" * 32, "b" * 32))
    assert record.is_proven("a" * 32, one)
    assert not record.is_proven("a" * 32, other)
    for nonce in ("", "a" * 129):
        assert "proof" not in client.http.get(f"/healthz?nonce={nonce}").json()


def test_addresses_are_those_of_the_relay_that_its_client_speaks_to(client):
    """It speaks TLS to the server and none to its client, which could not follow an address with https."""

    def address(*headers: tuple[bytes, bytes]) -> str:
        scope = {"type": "http", "scheme": "https", "app": client.http.app, "state": {"user": None}}
        return endpoints.context_of(Request({**scope, "headers": [(b"host", b"127.0.0.1:7"), *headers]})).base_url

    assert address() == "https://127.0.0.1:7"
    assert address((b"x-sweeper-scheme", b"http")) == "http://127.0.0.1:7"
    assert address((b"x-sweeper-scheme", b"javascript")) == "https://127.0.0.1:7"


def test_telemetry_is_taken_without_a_key(client):
    """The SDK's telemetry, sent without a key, is answered with an empty 200."""
    answer = client.http.post("/sdk/otel/v1/metrics", content=b"\x00\x01", headers={"Authorization": ""})
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_body_has_a_bound(client):
    """A JSON body of more than 64 MiB is a 413."""
    body = json.dumps({"query": "{ viewer { id } }", "variables": {"x": "a" * endpoints.MAX_BODY}}).encode()
    assert client.http.post("/graphql", content=body).status_code == 413


@pytest.mark.parametrize("path", ["/files/local/p/r/a.txt", "/files/local/q/r/a.txt", "/files/local/p/x/a.txt"])
def test_a_file_of_nothing_is_not_found(client, path):
    """A file, a project or a run that is not there is a 404 with a message."""
    client.init("r")
    answer = client.http.get(path)
    assert answer.status_code == 404
    assert answer.json()["errors"][0]["message"]


def test_a_file_that_has_left_the_disk_is_not_found(client):
    """The database knows it still; the answer says that its content is gone."""
    client.init("r")
    client.upload("r", "a.txt", b"x")
    (client.data_dir / "files" / "local" / "p" / "r" / "a.txt").unlink()
    answer = client.http.get("/files/local/p/r/a.txt")
    assert answer.status_code == 404
    assert "gone" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("name", ["a.js", "a.mjs", "a.css", "A.JS"])
def test_an_uploaded_script_is_text_to_every_page(client, name):
    """Pages may load scripts from this server alone, and a run's files come from there: a browser runs none of them."""
    client.init("r")
    client.upload("r", name, b"alert(1)")
    client.upload("r", "a.png", b"x")
    headers = client.http.get(f"/files/local/p/r/{name}").headers
    assert headers["Content-Type"].startswith("text/plain")
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert client.http.get("/files/local/p/r/a.png").headers["Content-Type"] == "image/png"


def test_an_upload_may_come_before_its_run(client):
    """A signed address outlives a restart of the client; the run is made if nobody has made it yet."""
    client.init("other")
    url = client.upload_url("other", "a.txt").replace("/other/", "/early/")
    assert client.http.put(url, content=b"x").status_code == 403
    token = client.sign("upload", "local", "p", "early", "a.txt")
    assert client.http.put(f"/files/local/p/early/a.txt?token={token}", content=b"x").status_code == 200
    assert client.run("early", "state fileCount") == {"state": "running", "fileCount": 1}


def test_an_upload_is_announced_before_it_is_moved(client):
    """A server that dies in between finds out at its next start what lies there."""
    client.init("r")
    state = client.http.app.state
    user = state.keys.owner((client.data_dir / "api-key").read_text().strip())
    arrival = run_files.Arrival(client.data_dir / "files" / ".upload-gone", 1, "x")
    with pytest.raises(FileNotFoundError):
        endpoints._keep(state.store, state.files, ("local", "p", "r", "a.txt"), arrival, user.id)
    with state.store.read() as db:
        (run,) = db.execute("SELECT id FROM runs").fetchone()
        assert run_files.is_arriving(db, run, "a.txt")
        assert run_files.look_up(db, run, "a.txt") is None


def test_an_upload_brings_no_deleted_run_back(client):
    """Its address is signed for a while, and the run may go meanwhile."""
    client.init("r")
    url, query = (
        client.upload_url("r", "a.txt"),
        "mutation($i: ID!) { deleteRun(input: {id: $i}) { clientMutationId } }",
    )
    client.graphql(query, i=client.run("r", "id")["id"])
    assert client.http.put(url, content=b"x").status_code != 200
    assert client.runs() == []


def test_a_nonce_has_a_length(client):
    """Of just so many characters one is answered, of one more none."""
    client.http.app.state.prove = len
    for length, proof in ((1, 1), (endpoints.MAX_NONCE, endpoints.MAX_NONCE), (endpoints.MAX_NONCE + 1, None)):
        assert client.http.get(f"/healthz?nonce={'a' * length}").json().get("proof") == proof


def test_absolute_addresses_follow_the_name_that_the_client_used(client):
    """A relay passes it through: what is uploaded by its address comes through the relay, too."""
    client.init("r")
    client.http.headers["Host"] = "127.0.0.1:4711"
    assert client.upload_url("r", "a.txt").startswith("http://127.0.0.1:4711/files/")
