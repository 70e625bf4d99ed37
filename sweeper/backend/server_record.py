"""What a running server writes down for the commands of its own user: where it is, and how it proves to be it."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import socket
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from sweeper import private_files


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """Where a server is.

    Attributes:
        pid: Its process.
        url: Its address.
        certificate: The file of its TLS certificate; None for plain HTTP.
        secret: What only this start of the server and the readers of its directory know; empty in records of servers
            that cannot prove who they are.
        host: The machine that the process runs on; empty in records of servers that were on this one.
    """

    pid: int
    url: str
    certificate: str | None = None
    secret: str = field(default="", repr=False)
    host: str = ""

    @property
    def is_here(self) -> bool:
        """Whether the process is one of this machine."""
        return self.host in {"", socket.gethostname()}

    def proof(self, nonce: str) -> str:
        """Prove, for somebody who has just made up the nonce, that one is this server at this address."""
        text = "\0".join(("sweeper server", nonce, self.url, str(self.pid)))
        return hmac.new(self.secret.encode(), text.encode(errors="surrogatepass"), hashlib.sha256).hexdigest()

    def is_proven(self, nonce: str, proof: object) -> bool:
        """Check what a server answers: whoever took its port knows no secret of its data directory."""
        if not self.secret or not isinstance(proof, str):
            return False
        return hmac.compare_digest(proof.encode(errors="surrogatepass"), self.proof(nonce).encode())


def fresh(url: str, certificate: Path | None) -> ServerRecord:
    """Describe this process as the server at an address, with a secret of this start."""
    return ServerRecord(
        os.getpid(), url, str(certificate) if certificate else None, secrets.token_hex(32), socket.gethostname()
    )


def read(data: Path) -> ServerRecord | None:
    """Read the record of a data directory's server; None where there is none that one can follow."""
    try:
        record = ServerRecord(**json.loads(file(data).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    content: tuple[Any, ...] = (record.pid, record.url, record.secret, record.host, record.certificate or "")
    known = (
        tuple(map(type, content)) == (int, str, str, str, str) and record.pid > 0
    )  # 0 and less are groups of processes
    return record if known else None


def write(data: Path, record: ServerRecord) -> None:
    """Say where a server is, to its user alone, and note its port for the next one.

    Raises:
        OSError: It cannot be written.
    """
    private_files.replace(file(data), json.dumps(asdict(record)))
    private_files.replace(_port_file(data), str(_port(record)))


def remove(data: Path, record: ServerRecord) -> None:
    """Take a server's record away: it has ended, and its port is anybody's. That of one that took over stays."""
    if read(data) in {record, None}:
        file(data).unlink(missing_ok=True)


def last_port(data: Path) -> int:
    """Tell the port that a data directory's server had before; 0 where it had none."""
    try:
        port = json.loads(_port_file(data).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        record = read(data)  # a server of an older version noted its port nowhere else
        port = _port(record) if record else 0
    return port if isinstance(port, int) and 0 <= port < 2**16 else 0


def file(data: Path) -> Path:
    """Name the file with the record."""
    return data / "server.json"


def _port_file(data: Path) -> Path:
    return data / "last-port"


def _port(record: ServerRecord) -> int:
    digits = record.url.rpartition(":")[2]
    return int(digits) if digits.isdecimal() and len(digits) < 6 else 0
