"""A relay on this machine, as whoever needs it sees it: one address for as long as that lives."""

from __future__ import annotations

import json
import select
import subprocess
from collections.abc import Mapping
from pathlib import Path

from sweeper import private_files
from sweeper.errors import LaunchError
from sweeper.processes import python

START_S = 60.0
END_S = 10.0


class RelayProcess:
    """A relay, from its start to its end; it dies with this process. Start it from the main thread.

    Args:
        data: The data directory of the server that it follows.
        environ: Its environment.
        log: Where it says for whom it waits.

    Raises:
        LaunchError: It does not come up.
    """

    def __init__(self, data: Path, environ: Mapping[str, str], log: Path) -> None:
        self._data = data
        self._environ = dict(environ)
        self._log = log
        self._port = 0
        self._process = self._start()

    @property
    def url(self) -> str:
        """Its address, which does not change."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def ensure(self) -> bool:
        """Start it again, at the same address, if it was killed; say whether it was.

        Raises:
            LaunchError: It does not come up.
        """
        if self._process.poll() is None:
            return False
        self._process = self._start()
        return True

    def _start(self) -> subprocess.Popen[bytes]:
        with private_files.open_file(self._log, "ab") as log:
            process = subprocess.Popen(
                python("-m", "sweeper.worker.relay", str(self._data), str(self._port)),
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,  # the terminal's Ctrl-C is not for it
            )
        assert process.stdout is not None  # noqa: S101 a pipe was asked for
        with process.stdout as said:
            line = said.readline() if select.select([said], [], [], START_S)[0] else b""
        try:
            self._port = int(json.loads(line)["port"])
        except ValueError as error:
            process.kill()
            process.wait(END_S)
            raise LaunchError("the relay to the server did not start", f"its log: {self._log}") from error
        return process

    def close(self) -> None:
        """End it; once is enough."""
        self._process.kill()
        self._process.wait(END_S)
