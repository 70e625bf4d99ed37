"""The server of a data directory, wherever it is at the moment: connections to it, which it has proven to be at."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import socket
import ssl
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sweeper.backend import server_record
from sweeper.backend.server_record import ServerRecord
from sweeper.worker.http_messages import HEAD_BYTES, CutOffError, MessageError, pieces, read_head

LOOK_S = 1.0
"""How long what server.json said is believed, and how long nobody is looked for who was not there."""
CONNECT_S = 10.0
"""Seconds for a server to take a connection and prove itself; it may be busy."""
_SILENT = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 4, "TCP_USER_TIMEOUT": 30_000}
"""A node that lost its power closes no connection: after half a minute of silence the kernel does."""


@dataclass(slots=True)
class ServerConnection:
    """A connection to a server.

    Attributes:
        record: What stood in server.json.
        reader: What it says.
        writer: What is said to it.
        used: Whether it has carried a request.
    """

    record: ServerRecord
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    used: bool = False

    @property
    def usable(self) -> bool:
        """Whether, as far as one knows, the server has not closed it."""
        return not (self.reader.at_eof() or self.writer.is_closing())

    def close(self) -> None:
        """End it, behind what was written."""
        self.writer.close()


class FollowedServer:
    """The server that `server.json` names, read anew while it is away.

    Args:
        data: The data directory.
        look_s: See LOOK_S.
        connect_s: See CONNECT_S.
    """

    def __init__(self, data: Path, *, look_s: float = LOOK_S, connect_s: float = CONNECT_S) -> None:
        self._data = data
        self.look_s = look_s
        self._connect_s = connect_s
        self._record: ServerRecord | None = None
        self._read_at = -look_s
        self._trusted: tuple[tuple[str, int], ssl.SSLContext] | None = None

    async def record(self) -> ServerRecord | None:
        """Say where it is, as of a moment ago."""
        if time.monotonic() - self._read_at >= self.look_s:
            # a shared folder may hang for a while, and other connections shall go on
            self._record = await asyncio.to_thread(server_record.read, self._data)
            self._read_at = time.monotonic()
        return self._record

    async def connect(self, *, timeout_s: float | None = None) -> ServerConnection:
        """Open a connection, on which it has proven to be the server of this data directory.

        Args:
            timeout_s: Another limit than usual.

        Raises:
            OSError: Nobody is there.
        """
        record = await self.record()
        if record is None:
            raise ConnectionError(f"no server is named in {self._data}")
        try:
            async with asyncio.timeout(timeout_s or self._connect_s):
                return await self._open(record)
        except TimeoutError as error:
            raise ConnectionError(f"{record.url} does not answer in time") from error
        except OSError:  # before ValueError: a certificate that is not trusted is both
            raise
        except (MessageError, CutOffError, ValueError) as error:
            raise ConnectionError(f"{record.url} speaks no HTTP") from error

    async def _open(self, record: ServerRecord) -> ServerConnection:
        parts = urlsplit(record.url)
        tls = self._tls(record) if parts.scheme == "https" else None
        port = parts.port or (443 if tls else 80)
        reader, writer = await asyncio.open_connection(
            parts.hostname,
            port,
            ssl=tls,
            server_hostname=parts.hostname if tls else None,
            limit=HEAD_BYTES,
        )
        connection = ServerConnection(record, reader, writer)
        try:
            _close_when_silent(writer.get_extra_info("socket"))
            if record.secret:
                await _have_proven(connection, parts.netloc)
        except BaseException:
            connection.close()
            raise
        return connection

    def _tls(self, record: ServerRecord) -> ssl.SSLContext:
        """Trust the server's own certificate, whatever its name; without one of its own, what this machine trusts."""
        if record.certificate is None:
            return ssl.create_default_context()
        file = Path(record.certificate)
        if not file.exists():  # named by another way into the same folder
            file = self._data / file.name
        key = (str(file), file.stat().st_mtime_ns)
        if self._trusted is None or self._trusted[0] != key:
            context = ssl.create_default_context(cafile=str(file))
            context.check_hostname = False
            context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN  # it need not be an authority's
            self._trusted = key, context
        return self._trusted[1]


async def _have_proven(connection: ServerConnection, host: str) -> None:
    """Ask for the proof that only a reader of the data directory can give, before any key is sent.

    The port of a server that was killed is anybody's.

    Raises:
        ConnectionError: It is not given.
    """
    nonce = secrets.token_hex(16)
    connection.writer.write(f"GET /healthz?nonce={nonce} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    await connection.writer.drain()
    head = await read_head(connection.reader)
    if head is None or head.status != 200 or not (head.length or 0) < HEAD_BYTES:
        raise ConnectionError(f"{connection.record.url} does not prove to be the server")
    body = json.loads(b"".join([piece async for piece in pieces(connection.reader, head)]))
    if not (isinstance(body, dict) and connection.record.is_proven(nonce, body.get("proof"))):
        raise ConnectionError(f"what answers at {connection.record.url} does not prove to be the server")


def _close_when_silent(end: socket.socket) -> None:
    """Have the kernel close a connection whose other end is silent for good."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _SILENT.items():
            if hasattr(socket, name):
                end.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
