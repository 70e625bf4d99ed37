"""What a sweep file says under `sweeper:`, through the real SDK, server and workers."""

from __future__ import annotations

import http.server
import json
import threading
import urllib.error
import urllib.request
from collections import Counter

import pytest

from tests.conftest import open_direct

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

TOY = """
import wandb

def train():
    with wandb.init() as run:
        config = dict(run.config)
        run.log({"loss": config["x"] + config["seed"] + config.get("momentum", 0)})
"""
FILE = """
method: grid
name: extended
project: toys
metric: {name: loss, goal: minimize}
parameters:
  x: {values: [1, 2]}
  optimizer: {values: [adam, sgd]}
  momentum: {values: [0.5, 0.9]}
sweeper:
  seed: 7
  order: random
  repeats: 2
  repeat_parameter: seed
  initial: [{x: 2, optimizer: adam}]
  conditions: {momentum: {optimizer: sgd}}
  run_name: "{optimizer}-x{x:02d}-{momentum}-s{seed}"
"""


@pytest.mark.long
def test_a_sweep_uses_every_extension(user):
    """Six configurations, each twice with its count, the initial one first, no momentum for adam, names as asked."""
    user.write("toy.py", TOY)
    created = user.run("create", user.write("extended.yaml", FILE))
    assert "runs   12" in created.stdout
    user.run("launch", "--trainer", "toy:train", "--workers", "2")

    runs = user.status()["runs"]
    assert {run["state"] for run in runs} == {"finished"}
    params = [dict(run["params"]) for run in runs]
    assert params[:2] == [{"x": 2, "optimizer": "adam", "seed": 1}, {"x": 2, "optimizer": "adam", "seed": 2}]
    seeds = {run.pop("seed") for run in params}
    assert seeds == {1, 2}
    counts = Counter(json.dumps(run, sort_keys=True) for run in params)
    assert (len(counts), set(counts.values())) == (6, {2})
    assert all(("momentum" in run) == (run["optimizer"] == "sgd") for run in params)

    code = "import wandb, json; print(json.dumps([run.name for run in wandb.Api().runs('local/toys')]))"
    names = json.loads(user.python(code, **user.sdk()).stdout.splitlines()[-1])
    assert {"adam-x02---s1", "sgd-x01-0.9-s2"} <= set(names)


@pytest.fixture
def plain_server(user):
    """A W&B server that is no sweeper: one of ours behind a proxy that does not say so."""
    target = user.serve()["WANDB_BASE_URL"]

    class Proxy(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            if self.path == "/healthz":
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name: value for name, value in self.headers.items() if name.lower() != "host"}
            asked = urllib.request.Request(target + self.path, body or None, headers, method=self.command)  # noqa: S310
            try:
                answer = open_direct(asked)
            except urllib.error.HTTPError as error:
                answer = error
            with answer:
                found = answer.read()
                self.send_response(answer.status)
                self.send_header("Content-Type", answer.headers.get("Content-Type", "application/json"))
                self.send_header("Content-Length", str(len(found)))
                self.end_headers()
                self.wfile.write(found)

        do_GET = do_POST  # noqa: N815 http.server's names

        def log_message(self, *args):
            pass

    proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=proxy.serve_forever, daemon=True).start()
    yield {**user.sdk(), "WANDB_BASE_URL": f"http://127.0.0.1:{proxy.server_port}"}
    proxy.shutdown()
    proxy.server_close()


@pytest.mark.long
def test_a_plain_wandb_server_is_told_nothing_it_cannot_honour(user, plain_server):
    """`create` refuses and names the extensions; told to ignore them, it sends the rest of the file."""
    file = user.write("extended.yaml", FILE)
    refused = user.run("create", "--backend", "wandb", file, code=1, **plain_server)
    assert "`seed`, `order`, `repeats`" in refused.stderr
    created = user.run("create", "--backend", "wandb", "--ignore-extensions", file, **plain_server)
    assert "runs   8" in created.stdout
    sweep = created.stdout.split()[1]
    code = f"import wandb, json; print(json.dumps(wandb.Api().sweep({sweep!r}).config))"
    config = json.loads(user.python(code, **plain_server).stdout.splitlines()[-1])
    assert "sweeper" not in config
    assert config["method"] == "grid"
