"""The server in the foreground: where it listens, under which names, with or without TLS."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from sweeper.errors import ServerError, StoreError
from sweeper.server.errors import RequestError
from sweeper.server.http.app import LOOPBACK, create_app
from sweeper.server.http.endpoints import Prove
from sweeper.server.http.file_size import MAX_FILE
from sweeper.server.rules import liveness
from sweeper.server.rules.liveness import LivenessPolicy
from sweeper.server.store import mirror_files, users
from sweeper.server.store.database import Store
from sweeper.server.store.mirror import Mirror

HEADERS_WITHIN_S = 20.0
"""Seconds in which a client must have sent the headers of a request: uvicorn (0.54) waits for ever."""
MAX_HEADERS = 64 * 1024
"""Bytes of a request's headers, more or less: httptools (0.9) would keep any number."""
KEEP_ALIVE_S = 120
"""Longer than wandb-core keeps an idle connection (90 s): who closes first must be the client, who knows whether it is
about to send. An agent's requests are 5 s and a run's 15 s apart."""
SNAPSHOT_EVERY_S = 30.0
MAX_CONNECTIONS = 8192
"""More are answered with 503, which clients repeat; a thousand agents have two each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where the server listens.

    Attributes:
        host: The address.
        port: The port.
        names: Further names that clients may call it by; `*` for any.
        tls: The files of the certificate and of its key; None for plain HTTP.
    """

    host: str
    port: int
    names: Collection[str] = ()
    tls: tuple[Path, Path] | None = None

    @property
    def hosts(self) -> frozenset[str]:
        """All names that clients may call it by; bare addresses they always may."""
        return frozenset({*LOOPBACK, self.host, socket.gethostname(), *self.names})


class HurriedProtocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, without clients that send a request's headers byte by byte (slowloris) or no end."""

    _limit: asyncio.TimerHandle | None = None
    _fruitless = 0
    """Bytes that have come since the last piece of a body or end of headers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as in uvicorn
        """Start waiting for the first request."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Take a piece of a request."""
        self._fruitless += len(data)
        super().data_received(data)
        if self._fruitless > MAX_HEADERS:
            self.transport.close()
        self._watch()

    def on_headers_complete(self) -> None:
        """Begin a request."""
        self._fruitless = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._fruitless = 0
        super().on_body(body)

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        if self._limit:
            self._limit.cancel()
        super().connection_lost(exc)

    def _awaits_headers(self) -> bool:
        return self.cycle is None or self.cycle.response_complete  # type: ignore[redundant-expr] # None at first

    def _watch(self) -> None:
        if not self._awaits_headers():
            if self._limit:
                self._limit.cancel()
            self._limit = None
        elif self._limit is None:
            self._limit = self.loop.call_later(HEADERS_WITHIN_S, self._give_up)

    def _give_up(self) -> None:
        self._limit = None
        if self._awaits_headers():
            self.transport.close()


class Listener(uvicorn.Server):
    """Uvicorn's server, which tells somebody when it listens."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None] | None) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen; where that fails, uvicorn has said so and ends."""
        await super().startup(sockets)
        if self._ready and self.started:
            self._ready()


def serve(
    address: Address,
    data_dir: Path,
    *,
    max_file: int = MAX_FILE,
    policy: LivenessPolicy = liveness.DEFAULT,
    own_key: str | None = None,
    prove: Prove | None = None,
    ready: Callable[[], None] | None = None,
    local: Path | None = None,
    snapshot_every_s: float = SNAPSHOT_EVERY_S,
) -> None:
    """Run the server until SIGTERM or SIGINT.

    Args:
        address: Where it listens.
        data_dir: The data directory, made if need be.
        max_file: Bytes of the largest file that is taken.
        policy: For how long silence is borne.
        own_key: The key of its own user; by default that of its data directory, made at the first start.
        prove: Answers a nonce with the proof that this is the server of its data directory.
        ready: Called once it listens.
        local: A folder on this machine's own disk, in which the database is to lie; None for the data directory.
        snapshot_every_s: Seconds after which the copy of it in the data directory is renewed.

    Raises:
        StoreError: Its database cannot be used, was deleted meanwhile, or has become another server's.
        ServerError: Its key cannot be used, or nobody can listen there.
        OSError: The disk refuses something that it needs.
    """
    os.umask(0o077)  # what it writes is for nobody else
    with contextlib.ExitStack() as stack:
        mirror = _mirrored(data_dir, local, snapshot_every_s, own_key, stack) if local else None
        if mirror is None:
            mirror_files.settle(data_dir, data_dir / users.DATABASE)
            _prepare(users.open_store(data_dir), data_dir, own_key)
        users.embedded_key(data_dir)
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        app = create_app(data_dir, hosts=address.hosts, max_file=max_file, policy=policy, mirror=mirror)
        app.state.prove = prove
        _run(app, address, ready)


def _prepare(store: Store, data_dir: Path, own_key: str | None) -> None:
    """Close a store that is migrated, or was refused in words: uvicorn would print a traceback."""
    with contextlib.closing(store):
        if own_key is not None:
            users.take_key(store, data_dir, own_key)


def _mirrored(data_dir: Path, local: Path, every_s: float, own_key: str | None, stack: contextlib.ExitStack) -> Mirror:
    mirror = Mirror(data_dir, local, users.DATABASE, every_s=every_s)
    users.check_restored(data_dir)
    try:
        stack.enter_context(mirror.held())
        _prepare(users.open_store(data_dir, database=mirror.database), data_dir, own_key)
        mirror.begin()
    except RequestError as error:
        raise StoreError(str(error), "see which server runs on it: its server.json says where") from error
    return mirror


def _run(app: Starlette, address: Address, ready: Callable[[], None] | None) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn (0.54) shuts down and then raises the signal again: the process would die of it instead of exiting
        signal.signal(number, lambda *_: None)
    server = Listener(_config(app, address), ready)
    app.state.is_ending = lambda: server.should_exit
    faults: list[str] = []

    def end(why: str) -> None:
        faults.append(why)
        server.should_exit = True

    app.state.end = end
    gc.freeze()  # what is there now stays to the end: looking at it takes each full collection 46 ms
    try:
        server.run()
    except SystemExit:  # of uvicorn, whose log has a traceback and no more
        raise getattr(app.state, "fault", None) or ServerError(
            f"cannot serve on {address.host}:{address.port}", "is its port free, and `ulimit -n` high enough?"
        ) from None
    if faults:
        raise StoreError(f"{faults[0]}, so this server has ended", "the next command that needs one starts another")


def _config(app: Starlette, address: Address) -> uvicorn.Config:
    certificate, key = address.tls or (None, None)
    return uvicorn.Config(
        app,
        host=address.host,
        port=address.port,
        http=HurriedProtocol,
        ws="none",
        ssl_certfile=certificate,
        ssl_keyfile=key,
        limit_concurrency=MAX_CONNECTIONS,
        log_config=None,
        access_log=False,  # it would hold the tokens of addresses
        timeout_graceful_shutdown=3,
        timeout_keep_alive=KEEP_ALIVE_S,
        server_header=False,
    )
