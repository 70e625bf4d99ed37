"""The embedded server as a background process: start it on demand, find it, stop it.

It knows the server only by its command line, its record file and its address.
"""

from __future__ import annotations

import fcntl
import os
import re
import secrets
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import psutil

from sweeper import private_files
from sweeper.backend import listening, network_disk, server_job, server_record
from sweeper.backend.last_words import last_words
from sweeper.backend.server_record import ServerRecord
from sweeper.errors import ServerError
from sweeper.machine_errors import refusal
from sweeper.processes import python
from sweeper.settings import Backend

if TYPE_CHECKING:
    from filelock import FileLock

START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
LOCK = "serve.lock"
"""What a running server holds in its data directory."""
HELD_FOR_A_LOOK_S = 0.2
"""Seconds for which the lock may be held by somebody who only looks whether it is."""
_KEY = re.compile(r"[A-Za-z0-9_-]{40,200}")
"""What the SDK (0.31) sends as a key; it takes nothing else for one."""


def data_dir(home: Path) -> Path:
    """Name the server's data directory under the state directory."""
    return home / "server"


def log_file(home: Path) -> Path:
    """Name the background server's log."""
    return data_dir(home) / "server.log"


def database(data: Path) -> Path:
    """Name the server's database."""
    return data / "sweeper.db"


def has_data(data: Path) -> bool:
    """Whether a data directory holds a server's database, or the mirror of one that lies on another disk."""
    return database(data).exists() or (data / "mirror" / "owner").exists()


def key_file(data: Path) -> Path:
    """Name the file with the key of the server's own user."""
    return data / "api-key"


def has_served(data: Path) -> bool:
    """Whether a server has run on a data directory."""
    return server_record.last_port(data) > 0


def find(home: Path) -> ServerRecord | None:
    """Find the running server of a state directory: the process of the record must answer at its address."""
    return find_in(data_dir(home))


def find_in(data: Path, *, timeout_s: float = 5) -> ServerRecord | None:
    """Find the running server of a data directory: it proves at its address to be the one, and holds the lock if here.

    Somebody else may listen on the port of a server that was killed, and would be sent the key next.
    """
    record = server_record.read(data)
    if record is None or (record.is_here and not _is_held(data)):  # no lock tells of another machine's processes
        return None
    return record if _proves_itself(record, timeout_s) else None


def _is_held(data: Path) -> bool:
    try:
        with (data / LOCK).open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True  # held; or no locks on this file system, and the proof has to do
    return False


def _proves_itself(record: ServerRecord, timeout_s: float) -> bool:
    nonce = secrets.token_hex(16)
    try:
        answer = _ask(record, f"/healthz?nonce={nonce}", timeout_s=timeout_s)
        return record.is_proven(nonce, answer["proof"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _ask(record: ServerRecord, path: str, *, timeout_s: float, method: str = "GET", key: str | None = None) -> Any:
    """Ask the server, without a proxy, and under TLS trusting its own certificate."""
    # requests takes 0.15 s to import; every command imports this module, and `--help` asks nobody
    from sweeper.backend.http import ask

    url, certificate = record.url + path, record.certificate
    return ask(url, timeout_s=timeout_s, direct=True, method=method, key=key, certificate=certificate).json()


def login_address(data: Path, page: str = "/") -> str:
    """Ask the running server of a data directory for an address that logs a browser in, once.

    Args:
        data: The data directory.
        page: What it then shows: the address of one of the server's pages, or its path.

    Raises:
        ServerError: No server runs there, or the key in its directory is gone or unknown to it.
    """
    record = find_in(data)
    if record is None:
        raise ServerError(f"no server is running on {data}", "start it: sweeper serve, or any command that needs it")
    key = _key(data)
    address = urlsplit(page)
    target = urlencode({"next": urlunsplit(("", "", f"/{address.path.lstrip('/')}", address.query, ""))})
    try:
        link = _ask(record, f"/login/link?{target}", timeout_s=10, method="POST", key=key)
        return record.url + str(link["path"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ServerError(f"the server at {record.url} gives no address: {error}", f"restart it on {data}") from error


def ensure(home: Path, environ: Mapping[str, str]) -> ServerRecord:
    """Find the server, or start it in the background.

    Args:
        home: The state directory.
        environ: The environment to start it in.

    Raises:
        ServerError: It does not come up; or it is a job of a scheduler, and not there yet.
    """
    data = data_dir(home)
    _private(data)
    with _lock(data / "start.lock"):  # of two commands at once, one starts it and the other finds it
        if found := find(home):
            return found
        if (job := server_job.read(data)) and (state := server_job.state(job)):
            what = "waits in the queue" if "RUNNING" not in state else "does not answer (yet)"
            raise ServerError(
                f"the server is {job.name} ({state}), which {what}", f"see {job.show}; its log: {log_file(home)}"
            )
        server_job.remove(data)  # it is gone: the server goes on here, with what is in its mirror
        return _start(home, environ)


def _options(home: Path) -> list[str]:
    """Give a server a folder for its database, where its data directory lies on a network file system."""
    if network_disk.network_mount(data_dir(home)) is None:
        return []
    folder = network_disk.folder_for(home)
    _private(folder)  # somebody else's it refuses
    return ["--local", str(folder)]


def _private(path: Path) -> None:
    try:
        private_files.make_folder(path)
        path.chmod(0o700)
    except OSError as error:
        told = refusal(error)
        raise ServerError(told.message, told.hint) from error


def _start(home: Path, environ: Mapping[str, str]) -> ServerRecord:
    data = data_dir(home)
    port = str(listening.choose_port(data))
    command = python("-m", "sweeper", "serve", "--data", str(data), "--port", port, *_options(home))
    with private_files.open_file(log_file(home), "ab") as log:
        # a session of its own: a Ctrl-C for the command that happened to start it is not meant for it
        process = subprocess.Popen(
            command,
            cwd=data,
            env=dict(environ),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline:
        record = find(home)
        if record and record.pid == process.pid:
            return record
        if process.poll() is not None:
            break
        time.sleep(0.1)
    process.terminate()  # or a slow one would come up behind the back of whoever was told that it did not
    why, fix = last_words(log_file(home))
    raise ServerError(f"the embedded server did not start{why}", f"{fix}its log: {log_file(home)}")


@contextmanager
def announced(data: Path, url: str, certificate: Path | None = None, *, moves: bool = False) -> Iterator[ServerRecord]:
    """Hold a data directory while a server runs on it, and say where it is; give what it proves itself with.

    Args:
        data: The data directory.
        url: The server's address.
        certificate: Its TLS certificate.
        moves: Whether the server may take over from one of another machine, which then ends (a mirror's owner).

    Raises:
        ServerError: Another server holds it, or nothing can be written there.
    """
    with held(data, moves=moves):
        record = server_record.fresh(url, certificate)
        try:
            server_record.write(data, record)
        except OSError as error:
            told = refusal(error)
            raise ServerError(told.message, told.hint) from error
        try:
            yield record
        finally:
            server_record.remove(data, record)


@contextmanager
def held(data: Path, *, moves: bool = False) -> Iterator[None]:
    """Hold a data directory, so that no server runs on it but ours.

    Args:
        data: The data directory.
        moves: Whether the lock of a server that was on another machine, and does not answer, may be passed over: a
            file server lets go of it late, or never.

    Raises:
        ServerError: A server holds it.
    """
    _private(data)
    lock, other = _lock(data / LOCK), server_record.read(data)
    away = other is not None and not other.is_here
    if away and find_in(data):
        raise _held_by(data, other)
    try:
        patience = STOP_TIMEOUT_S if _is_ending(data) else HELD_FOR_A_LOOK_S
        lock.acquire(timeout=patience, poll_interval=HELD_FOR_A_LOOK_S / 4)
    except TimeoutError as error:
        if not (moves and away):
            raise _held_by(data, server_record.read(data)) from error
    try:
        yield
    finally:
        lock.release()


def _held_by(data: Path, other: ServerRecord | None) -> ServerError:
    where = f"at {other.url} (pid {other.pid})" if other else "somewhere"
    if other and not other.is_here:
        fix = f"stop it there: kill {other.pid}"
        return ServerError(f"a server runs on {data} already, {where} on {other.host}", fix)
    return ServerError(f"a server runs on {data} already, {where}", "stop it: sweeper server stop")


def _is_ending(data: Path) -> bool:
    """Whether a server is there that answers no more: it was told to end, or its database was deleted."""
    record = server_record.read(data)
    return record is not None and record.is_here and find_in(data) is None and not _has_ended(record.pid)


def _lock(file: Path) -> FileLock:
    """Make a lock that ends with its process, however that ends: filelock's is flock(2), as servers before it took."""
    from filelock import FileLock  # every command imports this module, and few lock anything

    return FileLock(file, mode=0o600)


def stop(home: Path) -> ServerRecord | None:
    """Stop the running server; None if there is none. Only a process that has proven to be the server is signalled.

    Raises:
        ServerError: It does not end, what holds the data directory does not prove to be the server, or the server is a
            job of a scheduler or runs on another machine.
    """
    data = data_dir(home)
    if (job := server_job.read(data)) and server_job.state(job):
        raise ServerError(f"the server is {job.name}, which its scheduler ends", f"see {job.show}, and cancel it there")
    record = find_in(data)
    if record and not record.is_here:
        where = f"{record.host} (pid {record.pid})"
        raise ServerError(f"the server at {record.url} runs on {where}", f"stop it there: kill {record.pid}")
    if record is None:
        if not _is_held(data):
            return None
        fix = f"look who holds the lock, and end it: fuser -v {data / LOCK}"
        raise ServerError(f"a process holds {data} and does not answer as its server", fix)
    os.kill(record.pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while time.monotonic() < deadline:
        if _has_ended(record.pid):
            return record
        time.sleep(0.05)
    raise ServerError(f"the server (pid {record.pid}) does not end", f"kill it: kill -9 {record.pid}")


def _has_ended(pid: int) -> bool:
    try:
        # in a container nobody may wait for it, so that it stays a zombie
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def backend(home: Path, record: ServerRecord) -> Backend:
    """Describe the embedded server as a W&B server, with its own user's key.

    Raises:
        ServerError: The file with the key is gone, or holds none.
    """
    key, job = _key(data_dir(home)), server_job.read(data_dir(home))
    name = job.name if job else ""
    return Backend(kind="local", base_url=record.url, api_key=key, certificate=record.certificate, job=name)


def _key(data: Path) -> str:
    file = key_file(data)
    try:
        key = file.read_text(encoding="utf-8").strip()
    except FileNotFoundError as error:  # the database keeps only its hash, so it cannot be written anew
        fix = "restart the server, which makes another one: sweeper server stop"
        raise ServerError(f"the server's key is gone: {file}", fix) from error
    except ValueError:
        key = ""
    if not _KEY.fullmatch(key):
        fix = f"put the key back, or delete the file and restart the server: rm {quote(str(file))}; sweeper server stop"
        raise ServerError(f"{file} holds no API key", fix)
    return key
