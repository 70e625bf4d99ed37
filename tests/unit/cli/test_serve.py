"""What `sweeper serve` insists on before it listens."""

from __future__ import annotations

import os
import socket

import pytest

from sweeper.cli.serve import _check_exposure, _url
from sweeper.errors import ServerError, UsageError


@pytest.mark.parametrize(
    ("host", "port", "tls", "url"),
    [
        ("127.0.0.1", 80, False, "http://127.0.0.1:80"),
        ("0.0.0.0", 80, True, "https://127.0.0.1:80"),  # noqa: S104 nothing listens
        ("", 80, False, "http://127.0.0.1:80"),
        ("::", 80, False, "http://[::1]:80"),
        ("gpu1.lan", 80, False, "http://gpu1.lan:80"),
    ],
)
def test_the_address_works_on_this_machine(host, port, tls, url):
    """Every address is no address to call; IPv6 stands in brackets."""
    assert _url(host, port, tls=tls) == url


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_loopback_needs_no_tls(host):
    """Nobody listens on the way."""
    _check_exposure(host, tls=False, insecure_http=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "", "10.0.0.7", "gpu1.lan"])  # noqa: S104 nothing listens
def test_other_addresses_need_tls_or_a_decision(host):
    """Keys and data would cross the network in the clear."""
    with pytest.raises(UsageError, match="in the clear"):
        _check_exposure(host, tls=False, insecure_http=False)
    _check_exposure(host, tls=True, insecure_http=False)
    _check_exposure(host, tls=False, insecure_http=True)


def test_a_certificate_comes_with_its_key(sweeper, tmp_path):
    """Both, and both files are there."""
    (tmp_path / "c.pem").touch()
    alone = sweeper("serve", "--tls-cert", tmp_path / "c.pem").exception
    assert "its key" in alone.message
    gone = sweeper("serve", "--tls-cert", tmp_path / "c.pem", "--tls-key", tmp_path / "k.pem").exception
    assert "k.pem is no file" in gone.message


def test_a_port_that_is_taken_is_said(sweeper, home):
    """Before the data directory is touched."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        error = sweeper("serve", "--port", taken.getsockname()[1]).exception
    assert isinstance(error, ServerError)
    assert error.hint == "give another --port"
    assert not home.exists()


def test_a_host_that_is_not_known_is_said(sweeper):
    """Another port would not help."""
    error = sweeper("serve", "--host", "nobody.invalid", "--insecure-http", "--port", 1).exception
    assert isinstance(error, ServerError)
    assert error.message == "cannot listen on nobody.invalid: no machine of that name is known here"


@pytest.mark.parametrize(
    ("option", "value"), [("--port", 65536), ("--port", -1), ("--max-file", "inf"), ("--max-file", 0)]
)
def test_a_number_that_no_server_can_have_is_refused(sweeper, home, option, value):
    """In the option's name, before anything is made."""
    done = sweeper("serve", option, value)
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.stderr
    assert not (home / "server").exists()


def test_a_file_without_a_key_starts_no_server(sweeper, home, tmp_path):
    """It is told before anything is made."""
    (tmp_path / "key").write_text("secret")
    error = sweeper("serve", "--key-file", tmp_path / "key").exception
    assert error.message == f"{tmp_path / 'key'} holds no key"
    assert not (home / "server").exists()


@pytest.mark.parametrize("text", ["", "30 s", "0s", "soon", "-1s", "1e3s"])
def test_a_time_that_is_none_is_refused(sweeper, home, text):
    """Before anything is made."""
    error = sweeper("serve", "--local", home / "x", "--snapshot-every", text).exception
    assert isinstance(error, UsageError)
    assert "90s, 30m" in error.hint
    assert not home.exists()


def test_the_database_is_not_kept_twice_in_one_folder(sweeper, home):
    """The mirror is for another disk."""
    error = sweeper("serve", "--data", home / "data", "--local", home / "data").exception
    assert isinstance(error, UsageError)
    assert "is the data directory" in error.message


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may become somebody who may not read a file")
def test_a_key_file_that_may_not_be_read_says_who_is_to_be_let_in(sweeper, tmp_path):
    """As in a container, whose user is none that the machine outside knows; not only that it is not readable."""
    file = tmp_path / "key"
    file.write_text("local-" + "0" * 40)
    file.chmod(0o600)
    tmp_path.chmod(0o755)
    os.seteuid(10001)
    try:
        error = sweeper("serve", "--key-file", file).exception
    finally:
        os.seteuid(0)
    assert error.hint.startswith("let user 10001 read it")
