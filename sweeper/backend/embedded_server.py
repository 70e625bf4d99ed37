"""The embedded server as a background process: start it on demand, find it, stop it.

It knows the server only by its command line, its record file and its address.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from shlex import quote
from typing import Any
from urllib.parse import urlencode, urlsplit, urlunsplit

import psutil
from filelock import FileLock, Timeout

from sweeper.errors import ServerError
from sweeper.machine_errors import refusal
from sweeper.settings import Backend

HOST = "127.0.0.1"
START_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 15.0
_KEY = re.compile(r"[A-Za-z0-9_-]{40,200}")
"""What the SDK (0.31) sends as a key; it takes nothing else for one."""


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """Where a server is.

    Attributes:
        pid: Its process.
        url: Its address.
        certificate: The file of its TLS certificate; None for plain HTTP.
    """

    pid: int
    url: str
    certificate: str | None = None


def data_dir(home: Path) -> Path:
    """Name the server's data directory under the state directory."""
    return home / "server"


def _record_file(data: Path) -> Path:
    return data / "server.json"


def log_file(home: Path) -> Path:
    """Name the background server's log."""
    return data_dir(home) / "server.log"


def database(data: Path) -> Path:
    """Name the server's database."""
    return data / "sweeper.db"


def key_file(data: Path) -> Path:
    """Name the file with the key of the server's own user."""
    return data / "api-key"


def _read_record(data: Path) -> ServerRecord | None:
    try:
        record = ServerRecord(**json.loads(_record_file(data).read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError):
        return None
    # others may have written it: nothing in it need be what its name says
    return record if str(record.pid).isdecimal() and re.fullmatch(r"https?://[^/]+:\d+", str(record.url)) else None


def has_served(data: Path) -> bool:
    """Whether a server has run on a data directory."""
    return _record_file(data).exists()


def find(home: Path) -> ServerRecord | None:
    """Find the running server of a state directory: the process of the record must answer at its address."""
    return find_in(data_dir(home))


def find_in(data: Path) -> ServerRecord | None:
    """Find the running server of a data directory."""
    record = _read_record(data)
    # somebody else may listen on the port of a server that was killed
    if record is None or _answering_pid(record) != record.pid:
        return None
    return record


def _answering_pid(record: ServerRecord) -> int | None:
    try:
        return int(_ask(record, "/healthz", timeout_s=5)["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


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
        ServerError: It does not come up.
    """
    _private(data_dir(home))
    with _lock(data_dir(home) / "start.lock"):  # of two commands at once, one starts it and the other finds it
        return find(home) or _start(home, environ)


def _private(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
        path.chmod(0o700)
    except OSError as error:
        told = refusal(error)
        raise ServerError(told.message, told.hint) from error


def _start(home: Path, environ: Mapping[str, str]) -> ServerRecord:
    data = data_dir(home)
    command = [sys.executable, "-m", "sweeper", "serve", "--data", str(data), "--port", str(choose_port(data))]
    with open(log_file(home), "ab", opener=_for_us_alone) as log:
        # a session of its own: a Ctrl-C for the command that happened to start it is not meant for it
        process = subprocess.Popen(
            command, env=dict(environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
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
    why, fix = _last_words(home)
    raise ServerError(f"the embedded server did not start{why}", f"{fix}its log: {log_file(home)}")


def _last_words(home: Path) -> tuple[str, str]:
    """Quote the error that the server's log ends with, if it does, and what to do about it."""
    lines = log_file(home).read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    errors = [number for number, line in enumerate(lines) if line.startswith("error:")]
    if not errors:
        return "", ""
    why = lines[errors[-1]].removeprefix("error:").strip()
    fix = " ".join(line.strip() for line in lines[errors[-1] + 1 :] if line.startswith("  "))
    return f": {why}", f"{fix.rstrip('.')}; " if fix else ""


def _for_us_alone(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def choose_port(data: Path) -> int:
    """Take the port the server had before, so that runs and links go on across a restart; else a free one."""
    record = _read_record(data)
    before = int(record.url.rpartition(":")[2]) if record else 0
    return _bind(HOST, before) or _bind(HOST, 0) or 0


def check_port(host: str, port: int) -> None:
    """Make sure that a server can listen there.

    Raises:
        ServerError: The port is taken, or the address is not this machine's.
    """
    try:
        socket.getaddrinfo(host or None, port)
    except OSError as error:
        fix = "give an address of this machine: --host 127.0.0.1, or 0.0.0.0 for all"
        raise ServerError(f"cannot listen on {host}: no machine of that name is known here", fix) from error
    if _bind(host, port) is None:
        raise ServerError(f"cannot listen on {host}:{port}: it is taken, or not ours", "give another --port")


def _bind(host: str, port: int) -> int | None:
    """Try to listen on a port, 0 for any; give the port, or None."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        # as the server itself will: without, a port counts as taken for a minute after the server before
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return None
        return int(probe.getsockname()[1])


@contextmanager
def announced(data: Path, url: str, certificate: Path | None = None) -> Iterator[None]:
    """Hold a data directory while a server runs on it, and say where it is.

    Raises:
        ServerError: Another server holds it, or nothing can be written there.
    """
    with held(data):
        record, fresh = _record_file(data), _record_file(data).with_suffix(".new")
        try:
            with open(fresh, "w", encoding="utf-8", opener=_for_us_alone) as file:
                json.dump(asdict(ServerRecord(os.getpid(), url, str(certificate) if certificate else None)), file)
            fresh.replace(record)  # it stays when we end: `choose_port` reads it
        except OSError as error:
            told = refusal(error)
            raise ServerError(told.message, told.hint) from error
        yield


@contextmanager
def held(data: Path) -> Iterator[None]:
    """Hold a data directory, so that no server runs on it but ours.

    Raises:
        ServerError: A server holds it.
    """
    _private(data)
    lock = _lock(data / "serve.lock")
    try:
        lock.acquire(timeout=STOP_TIMEOUT_S if _is_ending(data) else 0)
    except Timeout as error:
        other = _read_record(data)
        where = f"at {other.url} (pid {other.pid})" if other else "somewhere"
        raise ServerError(f"a server runs on {data} already, {where}", "stop it: sweeper server stop") from error
    try:
        yield
    finally:
        lock.release()


def _is_ending(data: Path) -> bool:
    """Whether a server is there that answers no more: it was told to end, or its database was deleted."""
    record = _read_record(data)
    return record is not None and find_in(data) is None and not _has_ended(record.pid)


def _lock(file: Path) -> FileLock:
    """Make a lock that ends with its process, however that ends: filelock's is flock(2), as servers before it took."""
    return FileLock(file, mode=0o600)


def stop(home: Path) -> ServerRecord | None:
    """Stop the running server; None if there is none.

    Raises:
        ServerError: It does not end.
    """
    record = find(home)
    if record is None:
        return None
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
    return Backend(kind="local", base_url=record.url, api_key=_key(data_dir(home)))


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
