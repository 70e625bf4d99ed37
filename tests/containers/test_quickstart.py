"""A server and a worker in containers: a sweep from its first run to its last, over a kill of both."""

from __future__ import annotations

import base64
import json
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.conftest import open_direct
from tests.containers.engine import Engine, until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

KEY = "/run/secrets/api-key"
TRAINER = ("torch", "torchvision", "onnx", "onnxscript", "onnxruntime")
TOY = """
import time, wandb

with wandb.init() as run:
    for step in range(3):
        run.log({"score": step * run.config.x})
        time.sleep(0.3)
"""
SWEEP = """
method: grid
project: toys
program: /data/toy.py
metric: {name: score, goal: maximize}
parameters:
  x: {values: [1, 2, 3, 4, 5, 6]}
"""


@dataclass(frozen=True)
class Cluster:
    """A server's data, and containers on them.

    Attributes:
        engine: What runs containers.
        servers: The server's container.
        workers: The worker's.
        data: The server's volume.
        state: The worker's.
        key_file: The file with the key of both.
        port: The server's.
        volumes: What a worker is given.
    """

    engine: Engine
    servers: str
    workers: str
    data: Path
    state: Path
    key_file: Path
    port: int
    volumes: dict[Path, str]

    def server(self):
        """Start the server's container."""
        return self.engine.running(
            self.servers,
            *("sweeper", "serve", "--port", str(self.port), "--data", "/data", "--key-file", KEY),
            volumes={self.data: "/data", self.key_file: f"{KEY}:ro"},
        )

    def url(self, path=""):
        """Name the server, or something at it."""
        return f"http://127.0.0.1:{self.port}{path}"

    def wait_for(self, server):
        """Wait until it answers, and until the image's health check says so."""
        until(self._answers, lambda: server.output)
        check = ("sweeper", "server", "status", "--data", "/data")
        self.engine.run(self.servers, *check, volumes={self.data: "/data"})

    def _answers(self):
        try:
            return bool(open_direct(self.url("/healthz")).read())
        except OSError:
            return False

    def sweeper(self, *words):
        """Run a command in a worker's container that asks the server; give what it prints."""
        there = {"WANDB_BASE_URL": self.url(), "WANDB_API_KEY": self.key_file.read_text().strip()}
        return self.engine.run(self.workers, "sweeper", *words, volumes=self.volumes, **there)

    def worker(self, sweep, *options):
        """Start a worker's container."""
        words = ("sweeper", "worker", sweep, "--server", self.url(), "--key-file", KEY, *options)
        return self.engine.running(self.workers, *words, volumes=self.volumes)

    def create(self, file):
        """Create a sweep; give its name."""
        printed = self.sweeper("create", "--backend", "wandb", "--json", file)
        return json.loads(printed[printed.index("{") :])["sweep"]

    def finished(self, sweep):
        """List the runs that are finished, with what each logged last."""
        query = (
            "query($e: String!, $p: String!, $s: String!) { project(entityName: $e, name: $p) { sweep(sweepName: $s)"
        )
        query += " { runs { edges { node { name state summaryMetrics } } } } } }"
        entity, project, name = sweep.split("/")
        body = json.dumps({"query": query, "variables": {"e": entity, "p": project, "s": name}}).encode()
        key = self.key_file.read_text().strip()
        told = json.load(open_direct(_post(self.url("/graphql"), body, key)))
        runs = [edge["node"] for edge in told["data"]["project"]["sweep"]["runs"]["edges"]]
        return {run["name"]: json.loads(run["summaryMetrics"]) for run in runs if run["state"] == "finished"}


@pytest.fixture
def cluster(engine, server_image, worker_image, volume, key_file, port):  # noqa: PLR0917 each is one of pytest's
    """Name what the tests below share."""
    data, state = volume("data"), volume("state")
    volumes = {state: "/data", key_file: f"{KEY}:ro"}
    servers, workers = engine.create(server_image), engine.create(worker_image)
    return Cluster(engine, servers, workers, data, state, key_file, port, volumes)


def _post(url, body, key):
    word = base64.b64encode(f"api:{key}".encode()).decode()
    headers = {"Content-Type": "application/json", "Authorization": f"Basic {word}"}
    return urllib.request.Request(url, body, headers)  # noqa: S310 - http


def test_a_sweep_goes_on_after_both_containers_were_killed(cluster):
    """The server knows the runs that were finished, and the worker makes the rest: each of the grid's six once."""
    (cluster.state / "toy.py").write_text(TOY)
    (cluster.state / "sweep.yaml").write_text(SWEEP)
    with cluster.server() as server:
        cluster.wait_for(server)
        sweep = cluster.create("/data/sweep.yaml")
        with cluster.worker(sweep, "--workers", "1") as worker:
            until(lambda: len(cluster.finished(sweep)) >= 2, lambda: worker.output + server.output)
            before = cluster.finished(sweep)
            worker.kill()
            server.kill()
    with cluster.server() as server:
        cluster.wait_for(server)
        after = cluster.finished(sweep)
        assert before.items() <= after.items()
        with cluster.worker(sweep, "--workers", "1") as worker:
            assert worker.wait() == 0, worker.output
        done = cluster.finished(sweep)
        assert after.items() <= done.items()
        assert sorted(run["score"] for run in done.values()) == [2, 4, 6, 8, 10, 12]
        assert server.stop() == 0, server.output


def test_the_quickstart_is_completed(cluster):
    """By the shipped trainer, with this environment's PyTorch where the worker's whole image has its own."""
    packages = next(
        Path(cluster.engine.buildah("mount", cluster.workers)).glob("opt/sweeper/lib/python3*/site-packages")
    )
    if packages.parent.name != f"python{sys.version_info.major}.{sys.version_info.minor}":
        pytest.skip(f"the image has {packages.parent.name}, for which this environment has no PyTorch")
    there = {entry.name for entry in packages.iterdir()}
    for place in _places(TRAINER):
        if place.name not in there:
            cluster.volumes[place] = f"/opt/sweeper/lib/{packages.parent.name}/site-packages/{place.name}:ro"
    with cluster.server() as server:
        cluster.wait_for(server)
        sweep = cluster.create("sweeps/quickstart.yaml")
        with cluster.worker(sweep, "--workers", "2") as worker:
            assert worker.wait() == 0, worker.output
        done = cluster.finished(sweep)
        assert len(done) == 6
        assert all(0 < run["val_accuracy"] <= 1 for run in done.values())


def _places(names):
    """Find the folders and modules that packages, and what they ask for, are made of."""
    left, seen, places = [*names], set(), set()
    while left:
        name = left.pop()
        try:
            found = distribution(name)
        except PackageNotFoundError:  # for another system
            continue
        if found.metadata["Name"] in seen:
            continue
        seen.add(found.metadata["Name"])
        places |= {
            Path(found.locate_file(file.parts[0]))
            for file in found.files or ()
            if file.parts[0] not in {"..", "__pycache__"}
        }
        asked = [Requirement(line) for line in found.requires or ()]
        left += [need.name for need in asked if need.marker is None or need.marker.evaluate({"extra": ""})]
    return sorted(places)


def test_a_name_that_the_server_is_not_called_is_told(cluster):
    """As a service's that --allow-host does not have: what to start the server with."""
    with cluster.server() as server:
        cluster.wait_for(server)
        request = urllib.request.Request(cluster.url("/healthz"), headers={"Host": "sweeps.example"})  # noqa: S310 - http
        with pytest.raises(urllib.error.HTTPError) as raised:
            open_direct(request)
        assert raised.value.code == 400
        assert b"start it with --allow-host NAME" in raised.value.read()
