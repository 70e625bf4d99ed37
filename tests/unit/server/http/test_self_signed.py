"""The certificate that a server makes for itself."""

from __future__ import annotations

import socket
import ssl
import stat
import threading

import pytest

from sweeper.server.http import self_signed


def greet(files: tuple, trusted, name: str) -> str:
    """Speak TLS with a server that has these files; give the protocol."""
    server, client = socket.socketpair()
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    theirs.load_cert_chain(*files)

    def answer() -> None:
        try:
            theirs.wrap_socket(server, server_side=True).close()
        except OSError:
            server.close()

    thread = threading.Thread(target=answer)
    thread.start()
    ours = ssl.create_default_context(cafile=trusted)
    ours.verify_flags |= getattr(ssl, "VERIFY_X509_STRICT", 0)  # as Python does by itself from 3.13 on
    try:
        with client, ours.wrap_socket(client, server_hostname=name) as spoken:
            return spoken.version() or ""
    finally:
        thread.join()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "10.1.2.3", "sweeps.example.org"])
def test_who_trusts_the_file_speaks_with_the_server_by_its_names(tmp_path, name):
    """Strictly, as the newest Python does."""
    files = self_signed.make(tmp_path, "10.1.2.3", ["sweeps.example.org", "*"])
    assert greet(files, files[0], name) == "TLSv1.3"


def test_a_server_of_another_name_or_key_is_not_trusted(tmp_path):
    """The certificate proves whose it is."""
    (tmp_path / "other").mkdir()
    files, others = self_signed.make(tmp_path, "10.1.2.3"), self_signed.make(tmp_path / "other", "10.1.2.3")
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(files, files[0], "10.9.9.9")
    with pytest.raises(ssl.SSLCertVerificationError):
        greet(files, others[0], "10.1.2.3")


def test_a_certificate_stays_as_long_as_it_has_all_names(tmp_path):
    """A client that trusts it goes on after a restart; its key is its user's alone."""
    files = self_signed.make(tmp_path, "10.1.2.3")
    assert stat.S_IMODE(files[1].stat().st_mode) == 0o600
    before = files[0].read_bytes()
    self_signed.make(tmp_path, "10.1.2.3")
    assert files[0].read_bytes() == before
    self_signed.make(tmp_path, "10.7.7.7")
    assert files[0].read_bytes() != before
    assert greet(files, files[0], "10.7.7.7")


def test_a_key_that_is_none_is_refused(tmp_path):
    """It is somebody's, so it is not written over."""
    (tmp_path / "certificate-key.pem").write_text("none")
    with pytest.raises(ValueError, match="key"):
        self_signed.make(tmp_path, "127.0.0.1")
    assert (tmp_path / "certificate-key.pem").read_text() == "none"
