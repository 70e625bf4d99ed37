"""The server as a part of the head's job: on an address that the other nodes reach, its database on the node's disk."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from sweeper import private_files
from sweeper.backend import embedded_server, listening, server_record
from sweeper.errors import ServerError
from sweeper.processes import python

START_S = 180.0
END_S = 60.0
LOOK_S = 0.2


class HeadServer:
    """The server, from its start to its end.

    Args:
        data: Its data directory, which all nodes share.
        host: This node's address.
        snapshot_every_s: How often its database is copied whole.
        environ: Its environment.
        log: The file with what it prints.
    """

    def __init__(
        self, data: Path, host: str, *, snapshot_every_s: float, environ: Mapping[str, str], log: Path
    ) -> None:
        self._data, self._host, self._every_s = data, host, snapshot_every_s
        self._environ, self._log = environ, log
        self._local = Path(tempfile.mkdtemp(prefix="sweeper-server-", dir=environ.get("SLURM_TMPDIR") or None))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            ServerError: It does not come up.
        """
        command = python("-m", "sweeper", "serve", "--data", str(self._data), "--local", str(self._local))
        command += ["--snapshot-every", f"{self._every_s:g}s", "--host", self._host, "--port", str(self._port())]
        if not listening.is_loopback(self._host):
            command.append("--tls-self-signed")
        with private_files.open_file(self._log, "ab") as log:
            self._process = process = subprocess.Popen(
                command, env=dict(self._environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline and process.poll() is None:
            record = embedded_server.find_in(self._data)
            if record and record.pid == process.pid:
                return
            time.sleep(LOOK_S)
        self.close()
        raise ServerError(f"the server did not start on {self._host}: {self._last_words()}", f"its log: {self._log}")

    def _port(self) -> int:
        """Take the port of before, so that links stay right, if nobody has it on this node; else any that is free."""
        for port in (server_record.last_port(self._data), 0):
            with socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self._host, port))
                except OSError:
                    continue
                return int(probe.getsockname()[1])
        return 0

    def _last_words(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return next((line.removeprefix("error: ") for line in reversed(lines) if line.startswith("error: ")), "see it")

    def ensure(self) -> None:
        """Start it again if it has ended by itself.

        Raises:
            ServerError: It does not come up.
        """
        if self._process is not None and self._process.poll() is not None:
            self.start()

    def close(self) -> None:
        """End it, so that its mirror is whole, and clear the node's disk."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._local, ignore_errors=True)


def reachable_address(said: str) -> str:
    """Tell the address at which other nodes reach this one.

    Args:
        said: What Slurm calls it, a name or an address; empty if it does not say.
    """
    try:
        found = socket.getaddrinfo(said or socket.gethostname(), None, type=socket.SOCK_STREAM)[0][4][0]
    except OSError:
        found = ""
    if found and (said == found or not listening.is_loopback(str(found))):
        return str(found)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # Debian's hosts file names 127.0.1.1
        probe.connect(("192.0.2.1", 9))  # nothing is sent; the system only chooses an interface
        return str(probe.getsockname()[0])
