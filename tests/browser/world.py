"""What the browser looks at: a real server with real sweeps and runs in it, made through the real SDK."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import urllib.request
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.conftest import User, clean_environ, open_direct

FILES = Path(__file__).with_name("files")
PROJECT = "browser"
RUNS = 14
SWEEP = f"""
name: mnist, by hand
method: random
project: {PROJECT}
program: train:train
run_cap: {RUNS}
metric: {{name: val/loss, goal: minimize}}
parameters:
  lr: {{distribution: log_uniform_values, min: 0.0001, max: 0.1}}
  dropout: {{min: 0.0, max: 0.6}}
  units: {{values: [7, 16, 32, 64]}}
  optimizer: {{values: [adam, sgd]}}
  seed: {{value: 1}}
sweeper: {{seed: 5, early_terminate: {{type: asha, min_iter: 2, eta: 2}}}}
"""
TRADE = f"""
name: two metrics
method: custom
project: {PROJECT}
program: train:trade
metrics: [{{name: loss}}, {{name: size, goal: minimize}}]
parameters: {{x: {{values: [0.1, 0.4, 0.8]}}}}
"""
EMPTY = f"""
name: nothing yet
method: random
project: {PROJECT}
metric: {{name: loss}}
parameters: {{x: {{min: 0.0, max: 1.0}}}}
"""


@dataclass(frozen=True)
class World:
    """A server, and what is in it.

    Attributes:
        user: Whose it is; `user.run("...")` is the command line on this server.
        url: The server's address.
        key: The key of its one user.
        sweep: ID of the sweep with runs of every fate: finished, stopped early, failed.
        trade: That of one with two metrics.
        empty: That of one without runs.
        run: ID of the run with everything in it, outside sweeps.
    """

    user: User
    url: str
    key: str
    sweep: str
    trade: str
    empty: str
    run: str = "everything"
    entity: str = "local"
    project: str = PROJECT

    def page(self, *parts: str) -> str:
        """Name a page of the project: `page("sweeps", id)`."""
        return "/".join(["", self.entity, self.project, *parts])

    def send(self, path: str, method: str = "GET", body: bytes | None = None) -> bytes:
        """Ask the server with the key, not with a session."""
        request = urllib.request.Request(self.url + path, body, method=method)  # noqa: S310 - our own server
        request.add_header("Authorization", "Basic " + b64encode(f"api:{self.key}".encode()).decode())
        with open_direct(request) as answer:
            content: bytes = answer.read()
            return content

    def graphql(self, query: str, **variables: Any) -> Any:
        """Ask as the SDK does; give the data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        return json.loads(self.send("/graphql", "POST", body))["data"]

    def api(self, code: str) -> Any:
        """Run lines that use `api`, a `wandb.Api()`, and print JSON; give that."""
        lines = f"import json, wandb\napi = wandb.Api()\n{code}"
        done = self.user.python(lines, **self.user.sdk())
        return json.loads(done.stdout.splitlines()[-1])

    def runs(self, state: str) -> list[str]:
        """List the runs of the sweep in a state, in W&B's words, oldest first."""
        query = """query($p: String, $e: String, $s: String!) { project(name: $p, entityName: $e) {
            sweep(sweepName: $s) { runs(order: "+created_at") { edges { node { name state } } } } } }"""
        found = self.graphql(query, p=self.project, e=self.entity, s=self.sweep)["project"]["sweep"]["runs"]["edges"]
        return [edge["node"]["name"] for edge in found if edge["node"]["state"] == state]

    def finished(self) -> list[str]:
        """List the runs of the sweep that went to their end, or were stopped early."""
        return self.runs("finished")

    def failed(self) -> list[str]:
        """List those that failed."""
        return self.runs("failed")

    def login(self, path: str = "/") -> str:
        """Make an address that logs a browser in, and then shows a page."""
        return str(self.url + json.loads(self.send(f"/login/link?next={path}", "POST", b""))["path"])


def make(folder: Path) -> World:
    """Start a server in a folder, and fill it if that was not done before; `user.end()` ends it."""
    user = User(folder / "work", folder / "home", clean_environ(folder / "home"))
    made = folder / "made.json"
    if not made.exists():
        shutil.rmtree(folder, ignore_errors=True)
        user.folder.mkdir(parents=True)
        user.home.mkdir()
    try:
        sdk = user.serve()
        user.environ |= sdk
        if not made.exists():
            shutil.copytree(FILES, user.folder, dirs_exist_ok=True)
            made.write_text(json.dumps(_fill(user)))
    except BaseException:
        user.end()
        raise
    return World(user, sdk["WANDB_BASE_URL"], sdk["WANDB_API_KEY"], **json.loads(made.read_text()))


def _fill(user: User) -> dict[str, str]:
    everything = user.script("everything.py")
    sweep, trade, empty = (_create(user, text) for text in (SWEEP, TRADE, EMPTY))
    user.run("launch", sweep, "--workers", 2, "--max-failures", RUNS, code=1)  # some fail
    user.run("launch", trade, "--workers", 1)
    stdout, stderr = everything.communicate(timeout=120)
    assert everything.returncode == 0, f"{stdout}\n{stderr}"
    return {"sweep": sweep, "trade": trade, "empty": empty}


def _create(user: User, text: str) -> str:
    told = user.told("create", user.write("sweep.yaml", text))
    return str(told["sweep"].rpartition("/")[2])


def copied(filled: Path, folder: Path) -> World:
    """Start a server on a copy of a world, which is filled first if nobody has done so; `user.end()` ends it.

    Args:
        filled: The world: what is done to the copy never shows in it, so that it may be kept, and copied by others.
        folder: Where the copy goes.
    """
    with Path(f"{filled}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests that run beside each other fill one world, not one each
        if not (filled / "made.json").exists():
            found = make(filled)
            found.user.run("server", "stop")
            found.user.end()
        shutil.copytree(filled, folder, symlinks=True, dirs_exist_ok=True)
    (folder / "home" / "server" / "last-port").unlink(missing_ok=True)  # each server has a port of its own
    return make(folder)


def kept_folder() -> Path | None:
    """Name a folder that outlasts the tests: `BROWSER_WORLD=/tmp/world` fills it once and looks at it again."""
    given = os.environ.get("BROWSER_WORLD")
    return Path(given) if given else None
