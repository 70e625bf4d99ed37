"""The actor of a slot: what Ray runs on a node, where the slot's station is started, signalled and waited for."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sweeper import private_files
from sweeper.journal.directories import LaunchDir
from sweeper.launch.cores import usable_cores
from sweeper.launch.local import THREADS
from sweeper.processes import Family, end_with_parent, python
from sweeper.settings import Settings
from sweeper.worker.spec import WorkerSpec

NODES_OWN = ("TMPDIR", "HOSTNAME", "XDG_RUNTIME_DIR")
"""What a worker takes from its node, and not from where the launch is."""


class StationActor:
    """A slot's station: a process below this actor, which dies with it.

    Args:
        orders: Its orders.
        environ: The launch's environment. It comes by Ray and not by a file: there may be a key in it.
        folder: Where the launch was started: trainers are found from there.
        shares: Of each node, by its id, the part of its cores that its runs may compute with.
        name: Its own.
    """

    def __init__(
        self, orders: str, environ: Mapping[str, str], folder: str, shares: Mapping[str, float], name: str
    ) -> None:
        import ray

        share = shares.get(ray.get_runtime_context().get_node_id(), 1.0)
        spec = WorkerSpec.load(Path(orders))
        threads = max(1, int(usable_cores() * share))
        self._family = Family()
        self._family.keep()
        with private_files.open_file(LaunchDir(Path(spec.directory)).worker_log(spec.slot.name), "a") as log:
            self._process = subprocess.Popen(
                python("-m", "sweeper.launch.ray_station", orders, name),
                env=station_environ(environ, os.environ, threads=threads),  # noqa: TID251 Ray has put the device there
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._family.keep([self._process.pid])

    def begun(self) -> str:
        """Say which machine it is on, once it is on one."""
        return socket.gethostname()

    def ended(self) -> int:
        """Wait for the station's end, and end what it left running; give its exit code, negative for a signal."""
        code = self._process.wait()
        self._family.end_strays()
        return code

    def signal(self, number: int) -> None:
        """Send the station a signal; one that has ended hears nothing."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal.Signals(number))


def station_environ(launch: Mapping[str, str], actor: Mapping[str, str], *, threads: int) -> dict[str, str]:
    """Say what a station finds in its environment: the launch's, with what the node and Ray give.

    Args:
        launch: The launch's environment.
        actor: The actor's: Ray has put the slot's device there, and a number of threads that is not ours.
        threads: How many its runs may have; what the user has set stays.
    """
    environ = {name: value for name, value in launch.items() if not _nodes_own(name)}
    environ |= {name: value for name, value in actor.items() if _nodes_own(name)}
    environ.setdefault("CUDA_VISIBLE_DEVICES", "")  # a slot without a GPU sees none: not named, it would see them all
    for name in THREADS:
        environ.setdefault(name, str(threads))
    return environ


def _nodes_own(name: str) -> bool:
    return name in NODES_OWN or name.endswith("_VISIBLE_DEVICES")


def main(orders: str, name: str) -> int:
    """Be the station of an actor, and die with it: Ray ends an actor's process, and nobody else would end this one.

    Args:
        orders: The worker's.
        name: The actor's.
    """
    from sweeper.launch.station import work  # the actor itself needs nothing of it

    end_with_parent()
    return work(Path(orders), Settings.from_env().environ, native_id=name, node=socket.gethostname())


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
