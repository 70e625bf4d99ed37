"""Where a server can listen on this machine."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path

from sweeper.backend import server_record
from sweeper.errors import ServerError

HOST = "127.0.0.1"


def choose_port(data: Path) -> int:
    """Take the port the server had before, so that runs and links go on across a restart; else a free one."""
    return _bind(HOST, server_record.last_port(data)) or _bind(HOST, 0) or 0


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine's own, which nobody else's network carries."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


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
