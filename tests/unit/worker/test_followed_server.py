"""Following a server: who is believed to be it, and whose certificate is trusted."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from sweeper.backend import server_record
from sweeper.backend.server_record import ServerRecord
from sweeper.worker.followed_server import FollowedServer
from sweeper.worker.http_messages import read_head

SECRET = "s" * 64


@contextlib.asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None, *, knows: str = SECRET) -> AsyncIterator[ServerRecord]:
    """Serve the question for a proof; give the record, which nobody has written yet."""
    writers = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        with contextlib.suppress(Exception):
            while head := await read_head(reader):
                nonce = parse_qs(urlsplit(head.first[1]).query)["nonce"][0]
                body = f'{{"proof": "{replace(record, secret=knows).proof(nonce)}"}}'.encode()
                writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
    port = server.sockets[0].getsockname()[1]
    record = ServerRecord(1, f"http{'s' if tls else ''}://127.0.0.1:{port}", secret=SECRET)
    try:
        yield record
    finally:
        server.close()
        for writer in writers:
            writer.close()
        await server.wait_closed()
        await asyncio.sleep(0.05)


async def connected(server: FollowedServer) -> str:
    """Connect once; say to whom."""
    connection = await server.connect()
    connection.close()
    await connection.writer.wait_closed()
    return connection.record.url


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> Path:
    """A certificate that nobody else trusts, for another name; its key lies beside it."""
    folder = tmp_path_factory.mktemp("tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=elsewhere"]
    files = ["-keyout", folder / "key.pem", "-out", folder / "certificate.pem"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    return folder / "certificate.pem"


def test_a_server_that_proves_itself_is_connected_to(tmp_path):
    """It alone knows the secret of its data directory."""

    async def scene() -> None:
        async with listening() as record:
            server_record.write(tmp_path, record)
            assert await connected(FollowedServer(tmp_path)) == record.url

    asyncio.run(scene())


def test_whoever_took_the_port_of_a_server_is_sent_nothing(tmp_path):
    """Another user of the node may listen there next: no key goes to somebody who cannot prove who they are."""

    async def scene() -> None:
        async with listening(knows="another") as record:
            server_record.write(tmp_path, record)
            with pytest.raises(ConnectionError, match="does not prove to be the server"):
                await connected(FollowedServer(tmp_path))

    asyncio.run(scene())


def test_nobody_is_there_until_somebody_is_named(tmp_path):
    """What stands in server.json counts, as of a moment ago."""

    async def scene() -> None:
        server = FollowedServer(tmp_path, look_s=0.05)
        with pytest.raises(OSError, match="no server is named"):
            await connected(server)
        async with listening() as first, listening() as second:
            for record in (first, second):
                server_record.write(tmp_path, record)
                await asyncio.sleep(0.1)
                assert await connected(server) == record.url
        with pytest.raises(OSError, match="Connect call failed"):
            await connected(server)

    asyncio.run(scene())


def test_what_is_there_and_says_nothing_is_not_waited_for(tmp_path):
    """A node that hangs is as good as none."""

    async def scene() -> None:
        async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            writer.close()

        silent = await asyncio.start_server(take, "127.0.0.1", 0)
        port = silent.sockets[0].getsockname()[1]
        server_record.write(tmp_path, ServerRecord(1, f"http://127.0.0.1:{port}", secret=SECRET))
        with pytest.raises(OSError, match="does not answer in time"):
            await connected(FollowedServer(tmp_path, connect_s=0.1))
        silent.close()
        await asyncio.sleep(0.1)

    asyncio.run(scene())


def test_the_servers_own_certificate_is_trusted_and_no_other(tmp_path, certificate):
    """Whatever name it is for; also where its folder has another name on this machine."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, certificate.with_name("key.pem"))
    (tmp_path / "certificate.pem").write_bytes(certificate.read_bytes())

    async def scene() -> None:
        async with listening(tls) as record:
            for named in (str(certificate), "/elsewhere/certificate.pem"):
                server_record.write(tmp_path, replace(record, certificate=named))
                assert await connected(FollowedServer(tmp_path)) == record.url
            server_record.write(tmp_path, record)
            with pytest.raises(ssl.SSLError):
                await connected(FollowedServer(tmp_path))

    asyncio.run(scene())
