"""A Ray cluster, as a launch joins it: found in seconds or not at all, and each node is tried before work starts."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sweeper import __version__, private_files
from sweeper.backend import server_record
from sweeper.backend.http import ask
from sweeper.backend.server_presence import absence
from sweeper.errors import LaunchError
from sweeper.launch.ray_plan import RayNode

ANSWER_S = 5.0
"""How long a cluster may take to say that it is one."""
PROBE_S = 90.0
"""How long a node may take to try what is asked of it: Ray may have to start a Python there first."""
START = "start one (`ray start --head`), or name its address: --address HOST:6379"
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""How a client of HTTP/2 begins (RFC 9113, 3.4), which Ray's gRPC speaks: its preface, and settings without a word."""
_SETTINGS = 4


@dataclass(frozen=True, slots=True)
class RayCluster:
    """A cluster that this process has joined.

    Attributes:
        address: Where it is.
        nodes: Those that live.
    """

    address: str
    nodes: tuple[RayNode, ...]

    def free(self, what: str) -> float:
        """Count what nobody holds at the moment: of `GPU` or `CPU`."""
        import ray

        return float(ray.available_resources().get(what, 0.0))

    def probe(self, home: Path, needs: NodeNeeds) -> None:
        """Have each node try whether a worker could work there.

        Args:
            home: The state directory, which all nodes are to share.
            needs: What else a worker needs.

        Raises:
            LaunchError: One is unfit; it is named, with what to do.
        """
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        private_files.make_folder(home)
        word, file = secrets.token_hex(16), home / f".ray-probe-{os.getpid()}"
        private_files.replace(file, word)
        try:
            asked = [
                ray.remote(num_cpus=0, max_retries=0)(_probe())
                .options(scheduling_strategy=NodeAffinitySchedulingStrategy(node.id, soft=False))
                .remote(str(file), word, __version__, asdict(needs))  # of plain values: sweeper may not be there
                for node in self.nodes
            ]
            ray.wait(asked, num_returns=len(asked), timeout=PROBE_S)
            for node, ref in zip(self.nodes, asked, strict=True):
                if error := fault(node, _answer(ray, ref), needs):
                    raise error
        finally:
            file.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class NodeNeeds:
    """What a worker needs of its node, beside the state directory.

    Attributes:
        folder: Where the launch was started.
        data: The data directory of the server that workers follow; None where they know its address.
        url: That address.
    """

    folder: str
    data: str | None
    url: str


@contextlib.contextmanager
def joined(address: str) -> Iterator[RayCluster]:
    """Join a Ray cluster as long as the block lasts; actors that were started in it end with it.

    Args:
        address: `HOST:PORT`; `auto` or nothing for the one that Ray finds.

    Raises:
        LaunchError: Ray is not installed, or there is no such cluster.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # noqa: TID251 Ray knows no other way to be told
    try:
        import ray
    except ModuleNotFoundError as error:
        fix = f"install it into this environment: {sys.executable} -m pip install 'sweeper[ray]'"
        raise LaunchError("--on ray needs Ray, which is not installed here", fix) from error
    where = _find(address)
    check_answers(where)
    _hush()
    try:
        ray.init(address=where, log_to_driver=False, logging_level="error", namespace="sweeper")
    except (RuntimeError, ValueError, OSError) as error:  # ConnectionError is an OSError
        why = " ".join(str(error).split())
        fix = "start it on one of the cluster's nodes, with the cluster's versions of Ray and Python"
        raise LaunchError(f"the Ray cluster at {where} does not take this process: {why}", fix) from error
    try:
        yield RayCluster(where, tuple(_nodes(ray.nodes())))
    finally:
        ray.shutdown()


def _hush() -> None:
    """Keep what Ray has to say of lost nodes, pages of it, off this process's stdout, where results go (Ray 2.60)."""
    from ray._private import worker  # no setting of Ray's does it, and its logs have it all

    worker.print_to_stdstream = lambda *_args, **_more: None


def _find(address: str) -> str:
    """Find out where a cluster is, which Ray itself may ask for minutes."""
    from ray._private import services  # the public way is to join it

    try:
        return str(services.canonicalize_bootstrap_address_or_die(address or "auto"))
    except (ConnectionError, ValueError) as error:
        what = f"--address {address}" if address else "no Ray cluster is found from here"
        raise LaunchError(f"{what}: {str(error).splitlines()[0]}", START) from error


def check_answers(address: str) -> None:
    """Fail in seconds where nothing like a Ray cluster answers.

    Raises:
        LaunchError: So it is.
    """
    if "://" in address:
        fix = "start it on one of the cluster's nodes, with --address HOST:6379 or without"
        raise LaunchError(f"{address}: actors of a Ray client end whenever its connection does", fix)
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise LaunchError(f"--address {address} is no HOST:PORT", START)
    try:
        with socket.create_connection((host.strip("[]"), int(port)), timeout=ANSWER_S) as connection:
            connection.settimeout(ANSWER_S)
            connection.sendall(_PREFACE)
            said = connection.recv(9)
    except OSError as error:
        raise LaunchError(f"no Ray cluster answers at {address}: {error}", START) from error
    if len(said) < 4 or said[3] != _SETTINGS:
        raise LaunchError(f"what answers at {address} is no Ray cluster", START)


def _nodes(told: Sequence[Mapping[str, Any]]) -> Iterator[RayNode]:
    for node in told:
        if node["Alive"]:
            name, has = f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']})", node["Resources"]
            yield RayNode(id=node["NodeID"], name=name, gpus=has.get("GPU", 0), cpus=has.get("CPU", 0))


def _probe() -> Any:
    """Make what a node is asked: a function that Ray carries there whole, for sweeper may not be there."""

    def look(file: str, word: str, version: str, needs: dict[str, Any]) -> tuple[str, str]:
        import sys

        try:
            from sweeper import __version__ as there
        except ImportError:
            return "missing", sys.executable
        if there != version:
            return "version", there
        from sweeper.launch.ray_cluster import NodeNeeds, try_here

        return try_here(file, word, NodeNeeds(**needs))

    return look


def try_here(file: str, word: str, needs: NodeNeeds) -> tuple[str, str]:
    """Try on a node what a worker needs; say which of it is not there, and a word about it: nothing if all is.

    Args:
        file: One in the state directory.
        word: What the launch has written into it.
        needs: What else is needed.
    """
    try:
        if Path(file).read_text(encoding="utf-8") != word:
            return "home", "another folder lies there"
    except OSError as error:
        return "home", str(error.strerror)
    if not Path(needs.folder).is_dir():
        return "folder", ""
    try:
        why = absence({"WANDB_BASE_URL": needs.url}) if needs.data is None else _away(Path(needs.data))
    except OSError as error:
        why = str(error)
    return ("server", why) if why else ("", "")


def _away(data: Path) -> str:
    """Say why the server of a data directory cannot be reached from here; empty if it can."""
    record = server_record.read(data)
    if record is None:
        return f"{data} names no server"
    try:
        ask(f"{record.url}/healthz", timeout_s=ANSWER_S, direct=True, certificate=record.certificate)
    except OSError as error:
        return f"nobody answers at {record.url}: {error}"
    return ""


def _answer(ray: Any, ref: Any) -> tuple[str, str]:
    try:
        what, why = ray.get(ref, timeout=0)
    except ray.exceptions.GetTimeoutError:
        return "time", ""
    except ray.exceptions.RayError as error:
        return "ray", " ".join(str(error).split())
    return str(what), str(why)


def fault(node: RayNode, answer: tuple[str, str], needs: NodeNeeds) -> LaunchError | None:
    """Turn what a node has answered into an error; None if it is fit."""
    what, why = answer
    same = f"install the same one on each node: pip install 'sweeper[ray]=={__version__}'"
    serve = (
        "start one that each node reaches, `sweeper serve --host ADDRESS`, or name one that runs: "
        "--server URL --key-file FILE"
    )
    said = {
        "missing": (f"sweeper is not installed for its {why}", same),
        "version": (f"it has sweeper {why}, and this is {__version__}", same),
        "home": (f"SWEEPER_HOME is not shared: {why}", "set it to a folder on a disk that all nodes share"),
        "folder": (f"{needs.folder} is not there", "start the launch in a folder on a disk that all nodes share"),
        "server": (f"it does not reach the server: {why}", serve),
        "time": (f"it has not answered for {PROBE_S:g} s", "see `ray status`, and its logs below /tmp/ray"),
        "ray": (f"Ray says: {why[:500]}", "see `ray status`, and its logs below /tmp/ray"),
    }
    if not what:
        return None
    message, fix = said[what]
    return LaunchError(f"Ray node {node.name} is unfit: {message}", fix)
