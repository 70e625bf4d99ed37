"""The record of a running server: what it says, whom it believes, what stays of it."""

from __future__ import annotations

import json
from dataclasses import asdict, replace

import pytest

from sweeper.backend import server_record
from sweeper.backend.server_record import ServerRecord


def test_a_record_comes_back_and_goes(tmp_path):
    """As it was written, secret included, which is shown nowhere; after the end only the port is left."""
    record = server_record.fresh("https://[::1]:8443", tmp_path / "c.pem")
    server_record.write(tmp_path, record)
    assert server_record.read(tmp_path) == record
    assert record.secret not in repr(record)
    server_record.remove(tmp_path, server_record.fresh("http://127.0.0.1:1", None))
    assert server_record.read(tmp_path) == record
    server_record.remove(tmp_path, record)
    server_record.remove(tmp_path, record)
    assert server_record.read(tmp_path) is None
    assert server_record.last_port(tmp_path) == 8443


@pytest.mark.parametrize("change", ["pid", "url", "secret"])
def test_a_proof_is_of_one_start_at_one_address(change):
    """Another process, address or start has another proof for the same nonce."""
    record = server_record.fresh("http://127.0.0.1:1", None)
    other = replace(record, **{change: {"pid": 1, "url": "http://127.0.0.1:2", "secret": "x"}[change]})
    assert record.is_proven("nonce", record.proof("nonce"))
    assert not record.is_proven("nonce", other.proof("nonce"))


def test_a_server_without_a_secret_proves_nothing():
    """As those of older versions: anybody could compute its proof."""
    record = ServerRecord(1, "http://127.0.0.1:1")
    assert not record.is_proven("nonce", record.proof("nonce"))
    proven = server_record.fresh("http://127.0.0.1:1", None)
    assert proven.secret
    assert [proven.is_proven("nonce", proof) for proof in (None, 7, "", "\ud800", proven.proof("other"))] == [False] * 5


@pytest.mark.parametrize(
    ("noted", "port"), [("0", 0), ("1", 1), ("65535", 65535), ("65536", 0), ("-1", 0), ("null", 0)]
)
def test_a_port_is_one_of_sixteen_bits(tmp_path, noted, port):
    """What is noted may be anybody's text."""
    (tmp_path / "last-port").write_text(noted)
    assert server_record.last_port(tmp_path) == port


@pytest.mark.parametrize("wrong", [{"pid": 0}, {"pid": -1}, {"pid": "1"}, {"url": 1}, {"secret": None}, {"more": 1}])
def test_a_record_that_is_none_counts_as_none(tmp_path, wrong):
    """Above all no pid that stands for a group of processes."""
    content = asdict(server_record.fresh("http://127.0.0.1:1", None)) | wrong
    server_record.file(tmp_path).write_text(json.dumps(content))
    assert server_record.read(tmp_path) is None


def test_a_port_is_taken_from_an_older_record(tmp_path):
    """Servers before wrote it nowhere else; what is no port is none."""
    assert server_record.last_port(tmp_path) == 0
    server_record.file(tmp_path).write_text(json.dumps(asdict(ServerRecord(1, "http://127.0.0.1:8080"))))
    assert server_record.last_port(tmp_path) == 8080
    (tmp_path / "last-port").write_text("70000")
    assert server_record.last_port(tmp_path) == 0
