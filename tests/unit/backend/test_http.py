"""Questions over HTTP: what is sent, to whom, and what no answer is called."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading

import pytest

from sweeper.backend.http import MAX_ANSWER_BYTES, NotHttpError, Reply, ask, save


def get(url: str, **more):
    return ask(url, timeout_s=5, direct=True, **more)


def test_an_answer_is_read(server):
    """Status, the server's clock and JSON."""
    reply = get(f"{server.url}/x")
    assert (reply.status, reply.json()) == (200, {"a": 1})
    assert reply.date
    assert server.seen == [("GET", "/x", None)]


def test_a_refusal_is_a_reply_and_no_json(server):
    """Whoever asks for its JSON learns the status."""
    server.answer = (404, {}, b'{"a": 1}')
    with pytest.raises(ValueError, match="404"):
        get(server.url).json()


@pytest.mark.parametrize(("status", "agrees"), [(199, False), (200, True), (299, True), (300, False), (404, False)])
def test_only_an_answer_that_agrees_is_json(status, agrees):
    """A redirect that was not followed is none."""
    reply = Reply(status, "", b"{}")
    if agrees:
        assert reply.json() == {}
    else:
        with pytest.raises(ValueError, match=str(status)):
            reply.json()


def test_no_more_is_read_than_was_asked_for(server):
    """To the byte."""
    server.answer = (200, {}, b"0123456789")
    assert get(server.url, most_bytes=4).body == b"0123"
    assert get(server.url, most_bytes=10).body == get(server.url, most_bytes=11).body == b"0123456789"


def test_a_file_is_saved_whole_or_not_at_all(server, tmp_path):
    """What refuses it is no file; nothing is left beside it."""
    file = tmp_path / "file"
    server.answer = (200, {}, b"x" * (2 * MAX_ANSWER_BYTES + 1))
    save(f"{server.url}/f", file, timeout_s=5, direct=True, key="k" * 40)
    assert file.read_bytes() == b"x" * (2 * MAX_ANSWER_BYTES + 1)
    assert server.seen[-1][:2] == ("GET", "/f")
    assert server.seen[-1][2].startswith("Basic ")
    for status in (204, 404, 500):
        server.answer = (status, {}, b"" if status == 204 else b"no")
        with pytest.raises(OSError, match=f"HTTP status {status}"):
            save(f"{server.url}/f", file, timeout_s=5, direct=True)
    assert file.stat().st_size == 2 * MAX_ANSWER_BYTES + 1
    assert list(tmp_path.iterdir()) == [file]


def test_an_answer_without_end_is_cut(server):
    """Something else may listen there, and send what it likes."""
    server.answer = (200, {}, b"x" * (3 * MAX_ANSWER_BYTES))
    assert len(get(server.url).body) == MAX_ANSWER_BYTES


def test_a_key_follows_no_redirect_to_another_server(server, serving):
    """A server that is not the one it was made for does not get to see it."""
    with serving() as other:
        server.answer = (302, {"Location": other.url}, b"")
        assert get(server.url, key="k" * 40).json() == {"a": 1}
        assert server.seen[0][2].startswith("Basic ")
        assert [seen[2] for seen in other.seen] == [None]


def test_a_login_is_sent_by_nobody_else(server, tmp_path, monkeypatch):
    """A question that needs no key carries none, also where the netrc file has a login for the server."""
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login user password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    get(server.url)
    assert server.seen[0][2] is None


def test_the_proxy_is_passed_by_or_asked(server, monkeypatch):
    """What is on this machine is asked directly; what is elsewhere through the proxy that the environment names."""
    for name in ("NO_PROXY", "no_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert get(server.url).status == 200
    monkeypatch.setenv("http_proxy", server.url)
    assert ask("http://elsewhere.invalid/y", timeout_s=5, direct=False).status == 200
    assert server.seen[-1][1] == "http://elsewhere.invalid/y"


def test_no_answer_is_an_error_in_words():
    """The cause alone: no addresses of objects, no layers."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(OSError, match=r"^\[Errno \d+\] Connection refused$"):
            get(f"http://127.0.0.1:{taken.getsockname()[1]}")
    with pytest.raises(OSError, match=r"^\[Errno -\d+\] "):
        get("http://elsewhere.invalid")


def test_who_is_slow_is_given_up():
    """In the time that was given."""
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(OSError, match="timed out"):
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout_s=0.2, direct=True)


def test_another_protocol_is_told_from_silence():
    """Somebody is there, who is no HTTP server."""
    with socket.create_server(("127.0.0.1", 0)) as other:

        def greet() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"220 mail.example ESMTP\r\n")

        thread = threading.Thread(target=greet)
        thread.start()
        with pytest.raises(NotHttpError):
            get(f"http://127.0.0.1:{other.getsockname()[1]}")
        thread.join()


def test_a_certificate_is_trusted_whatever_its_name(tmp_path, serving):
    """A server's own certificate, given by file; without it, the server is a stranger."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=a.example"]
    subprocess.run([openssl, *made, "-keyout", "k.pem", "-out", "c.pem"], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    with serving(context) as server:
        assert get(server.url, certificate=str(tmp_path / "c.pem")).json() == {"a": 1}
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            get(server.url)
