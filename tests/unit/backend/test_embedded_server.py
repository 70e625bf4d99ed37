"""The embedded server from outside: its record, its locks, its port."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
import threading
from dataclasses import asdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sweeper.backend import embedded_server, listening, server_record
from sweeper.backend.server_record import ServerRecord
from sweeper.errors import ServerError


def write_record(data, **more) -> None:
    data.mkdir(parents=True, exist_ok=True)
    record = {"pid": os.getpid(), "url": "http://127.0.0.1:1", "certificate": None, **more}
    (data / "server.json").write_text(json.dumps(record))


def test_a_record_without_an_answer_is_no_server(tmp_path):
    """It is left behind by a server that was killed."""
    assert embedded_server.find(tmp_path) is None
    write_record(tmp_path / "server")
    assert embedded_server.find(tmp_path) is None
    (tmp_path / "server" / "server.json").write_text("{")
    assert embedded_server.find(tmp_path) is None
    assert embedded_server.stop(tmp_path) is None


def test_an_address_is_asked_of_a_running_server_only(tmp_path):
    """The error says how to start one."""
    with pytest.raises(ServerError, match="no server is running") as caught:
        embedded_server.login_address(tmp_path)
    assert "sweeper serve" in caught.value.hint


def test_a_directory_that_was_open_to_others_is_closed(tmp_path):
    """Before anything is written there."""
    data = tmp_path / "data"
    data.mkdir(mode=0o755)
    data.chmod(0o755)
    with embedded_server.held(data):
        assert data.stat().st_mode & 0o777 == 0o700


def test_a_server_is_announced_for_its_user_alone(tmp_path):
    """Where it is stands in a file that others cannot read, in a directory that others cannot enter."""
    data = tmp_path / "data"
    before = os.umask(0)
    try:
        with embedded_server.announced(data, "http://127.0.0.1:7") as record:
            assert json.loads((data / "server.json").read_text()) == asdict(record)
            assert (record.pid, record.url, record.certificate) == (os.getpid(), "http://127.0.0.1:7", None)
            assert data.stat().st_mode & 0o777 == 0o700
            assert {path.name: path.stat().st_mode & 0o777 for path in data.iterdir()} == dict.fromkeys(
                ["server.json", "last-port", "serve.lock"], 0o600
            )
    finally:
        os.umask(before)
    assert not (data / "server.json").exists()


def held(data):
    return embedded_server.held(data)


HOLD = """
import sys, pathlib
from sweeper.backend import embedded_server, listening, server_job, server_record
from sweeper.backend.server_record import ServerRecord
with embedded_server.held(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


class Squatter(BaseHTTPRequestHandler):
    """Another user who has taken the server's port: tells the recorded pid, proves all it can, and notes the keys."""

    def do_GET(self):
        """Answer as the server does, but for what it cannot know."""
        self.server.seen.append((self.path, self.headers.get("Authorization")))
        nonce = self.path.partition("nonce=")[2]
        proof = self.server.claim(nonce)
        body = json.dumps({"service": "sweeper", "version": "1", "pid": os.getpid(), "proof": proof}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Print nothing."""


@pytest.fixture
def squatter():
    with ThreadingHTTPServer(("127.0.0.1", 0), Squatter) as server:
        server.seen, server.url = [], f"http://127.0.0.1:{server.server_port}"
        server.claim = lambda nonce: ServerRecord(os.getpid(), server.url).proof(nonce)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@contextlib.contextmanager
def holder(data):
    """Another process that holds a data directory."""
    command = [sys.executable, "-c", HOLD, str(data)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_who_took_the_port_of_a_killed_server_is_asked_nothing(tmp_path, squatter):
    """Nobody holds the lock: the record counts for nothing, and its process, somebody else's by now, is left alone."""
    record = server_record.fresh(squatter.url, None)
    server_record.write(a_data_dir(tmp_path), record)
    squatter.claim = record.proof
    assert embedded_server.find(tmp_path) is None
    assert embedded_server.stop(tmp_path) is None
    with pytest.raises(ServerError, match="no server is running"):
        embedded_server.login_address(tmp_path / "server")
    assert squatter.seen == []


@pytest.mark.parametrize("claim", ["no proof", "none", "number", "wrong", "other address", "replayed"])
@pytest.mark.parametrize("secret", ["a secret", ""])
def test_who_cannot_prove_to_be_the_server_gets_no_key(tmp_path, squatter, claim, secret):
    """Be it with the recorded pid and while somebody holds the lock; a record without a secret proves nothing."""
    record = ServerRecord(os.getpid(), squatter.url, secret=secret)
    claims = {
        "no proof": lambda _: None,
        "none": lambda _: "",
        "number": lambda _: 1,
        "wrong": lambda _: "é\ud800",
        "other address": ServerRecord(os.getpid(), "http://127.0.0.1:1", secret=secret).proof,
        "replayed": lambda _: record.proof("an earlier nonce"),
    }
    squatter.claim = claims[claim]
    server_record.write(a_data_dir(tmp_path), record)
    with holder(tmp_path / "server"):
        assert embedded_server.find(tmp_path) is None
        with pytest.raises(ServerError, match="no server is running"):
            embedded_server.login_address(tmp_path / "server")
        with pytest.raises(ServerError, match="does not answer as its server"):
            embedded_server.stop(tmp_path)
    assert squatter.seen
    assert {key for _, key in squatter.seen} == {None}


def test_who_proves_to_be_the_server_is_found(tmp_path, squatter):
    """It holds the lock and knows the secret of the record."""
    record = server_record.fresh(squatter.url, None)
    squatter.claim = record.proof
    server_record.write(a_data_dir(tmp_path), record)
    with holder(tmp_path / "server"):
        assert embedded_server.find(tmp_path) == record


def a_data_dir(home):
    """Make the data directory, with a key in it."""
    data = embedded_server.data_dir(home)
    data.mkdir()
    embedded_server.key_file(data).write_text("local-" + "k" * 40)
    return data


def test_a_directory_has_one_server(tmp_path):
    """Another process is refused and told where the first one is; a killed one holds nothing."""
    write_record(tmp_path, pid=4711)
    already = pytest.raises(ServerError, match=r"already, at http://127\.0\.0\.1:1 \(pid 4711\)")
    with holder(tmp_path), already, held(tmp_path):
        pytest.fail("two servers on one directory")
    with held(tmp_path), (tmp_path / "serve.lock").open("w") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_server_of_an_older_version_counts(tmp_path):
    """It holds the same file with flock(2): an upgrade beside a running server starts no second one."""
    with (tmp_path / "serve.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ServerError, match="already"), held(tmp_path):
            pytest.fail("two servers on one directory")
    with held(tmp_path):
        pass


def test_a_server_that_does_not_start_says_what_it_said(tmp_path):
    """The last error of its log, and where the log is."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "sweeper.db").write_text("no database, but long enough to be taken for one")
    with pytest.raises(ServerError, match=r"did not start: .* is not a database") as caught:
        embedded_server.ensure(tmp_path, os.environ)
    assert str(embedded_server.log_file(tmp_path)) in caught.value.hint
    assert "sweeper server restore" in caught.value.hint
    assert embedded_server.find(tmp_path) is None


@pytest.mark.parametrize(
    ("name", "said"), [("api-key", "holds no API key"), ("files", "cannot use .*files: File exists")]
)
def test_a_server_whose_directory_holds_nonsense_says_what(tmp_path, name, said):
    """Also where it meets it late in its start."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / name).write_text("nonsense")
    with pytest.raises(ServerError, match=f"did not start: .*{said}"):
        embedded_server.ensure(tmp_path, os.environ)


def test_a_key_that_was_deleted_is_named(tmp_path):
    """The database keeps its hash alone, so a new one has to be made: the error says how."""
    with pytest.raises(ServerError, match=r"the server's key is gone: .*api-key") as caught:
        embedded_server.backend(tmp_path, ServerRecord(1, "http://127.0.0.1:1"))
    assert "sweeper server stop" in caught.value.hint


@pytest.mark.parametrize("content", ["", "garbage", "\n\n", "two\nlines of " + "x" * 40])
def test_a_file_that_holds_no_key_is_named(tmp_path, content):
    """Whoever emptied it is told how to get another one."""
    (tmp_path / "server").mkdir()
    (tmp_path / "server" / "api-key").write_text(content)
    with pytest.raises(ServerError, match=r"api-key holds no API key") as caught:
        embedded_server.backend(tmp_path, embedded_server.ServerRecord(1, "http://127.0.0.1:1"))
    assert "sweeper server stop" in caught.value.hint


@pytest.mark.parametrize("record", ["[]", "{}", "\0", '{"pid": "x", "url": "y"}', '{"pid": 1, "url": 5}', "null"])
def test_a_damaged_record_is_no_server(tmp_path, record):
    """Whatever stands in it, another server is started."""
    (tmp_path / "server.json").write_text(record)
    assert embedded_server.find_in(tmp_path) is None
    assert listening.choose_port(tmp_path) > 0


def test_a_directory_that_cannot_be_used_is_named(tmp_path):
    """What stands in the way, and the way around it."""
    (tmp_path / "home").write_text("a file")
    with pytest.raises(ServerError, match=r"cannot use .*home/server: Not a directory") as caught:
        embedded_server.ensure(tmp_path / "home", os.environ)
    assert "SWEEPER_HOME" in caught.value.hint
