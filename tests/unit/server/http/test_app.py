"""The server as a whole: it survives its own restart, its pages show what is there, it ends quickly."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

SWEEP = {
    "method": "grid",
    "name": "first <b>sweep</b>",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}},
}


def test_restart_loses_nothing(running_server):
    """Agents, pending and running runs, keys and signed addresses are the same after a restart."""
    with running_server() as client:
        key = client.http.headers["Authorization"]
        sweep = client.sweep(SWEEP)
        first, second = client.agent(sweep), client.agent(sweep)
        (running,) = client.beat(first)
        client.init(running["run_id"])
        client.log(running["run_id"], {"_step": 0, "loss": 1.0})
        (pending,) = client.beat(second)
        address = client.upload_url(running["run_id"], "a.txt")
    with running_server() as client:
        assert client.http.headers["Authorization"] == key
        assert client.beat(second) == [pending]
        assert client.beat(first, running["run_id"]) == []
        assert client.http.put(address, content=b"x", headers={"Authorization": ""}).status_code == 200
        assert client.run(running["run_id"], "state historyLineCount") == {"state": "running", "historyLineCount": 1}


@pytest.fixture
def running_server(serve, tmp_path):
    """Start a server over one data directory, as often as wanted."""

    @contextmanager
    def start():
        yield from serve(tmp_path / "data")

    return start


def test_pages_show_the_sweep_and_its_runs(client):
    """The pages at the addresses the SDK prints show state, parameters, metric and reason, with names escaped."""
    sweep = client.sweep(SWEEP)
    (command,) = client.beat(client.agent(sweep))
    name = command["run_id"]
    client.init(name, config='{"lr": {"value": 0.1}, "_wandb": {"value": {}}}')
    client.log(name, {"_step": 0, "loss": 2.5}, {"_step": 1, "loss": 1.25})
    client.upload(name, "model.onnx", b"x")
    client.stream(name, complete=True, exitcode=7)
    pages = {
        path: client.http.get(path) for path in ("/", "/local/p", f"/local/p/sweeps/{sweep}", f"/local/p/runs/{name}")
    }
    for page in pages.values():
        assert page.status_code == 200
        assert "<b>sweep</b>" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "1 of 2" in pages["/"].text
    for part in ("1.25", "0.1", "exit code 7", "failed"):
        assert part in pages[f"/local/p/sweeps/{sweep}"].text
    for part in ("<polyline", "model.onnx", "exit code 7"):
        assert part in pages[f"/local/p/runs/{name}"].text


def test_a_sweeps_page_shows_importance_and_what_was_saved(client):
    """From ten runs with a value on, every parameter has its line; runs stopped early are counted."""
    rule = {"type": "hyperband", "min_iter": 1, "eta": 4}
    metric = {"name": "loss", "goal": "minimize"}
    parameters = {"rate": {"min": 0.0, "max": 1.0}}
    sweep = client.sweep({"method": "random", "metric": metric, "parameters": parameters, "early_terminate": rule})
    path = f"/local/p/sweeps/{sweep}"
    for number in range(11):
        (command,) = client.beat(client.agent(sweep))
        client.init(command["run_id"])
        client.log(command["run_id"], {"_step": 0, "loss": float(number)})
        if number == 9:
            assert "<h2>Importance</h2>" not in client.http.get(path).text
        client.stream(command["run_id"], complete=True, exitcode=0)
    page = client.http.get(path).text
    assert "<h2>Importance</h2>" in page
    assert "<td>rate</td>" in page
    assert re.search(r"<dt>stopped early</dt><dd>\d+ runs", page)
    assert "<dt>at random</dt>" not in page


def test_the_page_of_several_metrics_gives_each_runs_values(client):
    """Every run's row has its value of every metric, as far as it has one, and lists name all metrics."""
    metrics = [{"name": "loss", "goal": "minimize"}, {"name": "speed", "goal": "maximize"}]
    sweep = client.sweep({"method": "bayes", "metrics": metrics, "parameters": {"lr": {"min": 0.0, "max": 1.0}}})
    for row in ({"loss": 0.25, "speed": 7.5}, None):
        (command,) = client.beat(client.agent(sweep))
        client.init(command["run_id"])
        if row:
            summary = {"wandb-summary.json": {"offset": 0, "content": [json.dumps(row)]}}
            client.stream(command["run_id"], files=summary, complete=True, exitcode=0)
    runs = client.http.get(f"/local/p/sweeps/{sweep}").text.partition("<h2>Runs</h2>")[2]
    assert "<th>loss</th><th>speed</th>" in runs
    assert "<td>0.25</td><td>7.5</td>" in runs
    assert "<td></td><td></td>" in runs
    assert "<td>minimize loss, maximize speed</td>" in client.http.get("/local/p").text


def test_random_draws_in_place_of_a_search_are_reported(serve, tmp_path):
    """A run that could not wait for its search says so in its summary, on its page and on its sweep's."""
    bayes = {"method": "bayes", "metric": {"name": "loss"}, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}
    client = next(server := serve(tmp_path / "data", search_ahead=True))
    sweep = client.sweep(bayes)
    (command,) = client.beat(client.agent(sweep))  # the process takes a second to start
    summary = json.loads(client.run(command["run_id"], "summaryMetrics")["summaryMetrics"])
    assert summary["_sweeper"]["suggestion"]["fallback"] == "the search process is starting"
    for page, part in (("sweeps", "1 runs: the search process"), ("runs", "at random: the search process")):
        name = sweep if page == "sweeps" else command["run_id"]
        assert part in client.http.get(f"/local/p/{page}/{name}").text
    server.close()


@pytest.mark.parametrize("path", ["/local/nope", "/local/p/sweeps/nope", "/local/p/runs/nope"])
def test_page_of_nothing_is_not_found(client, path):
    """A page of something that is not there is a 404 that names it."""
    client.init("r")
    answer = client.http.get(path)
    assert answer.status_code == 404
    assert "nope" in answer.json()["errors"][0]["message"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_server_ends_quietly_on_a_signal(tmp_path, number):
    """SIGTERM and SIGINT end the server with exit code 0, soon, and without a traceback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = f"""
from pathlib import Path
from sweeper.server.http.serve import Address, serve
serve(Address(host="127.0.0.1", port={port}), Path("data"))
"""
    environ = {"PATH": os.defpath, "PYTHONPATH": str(Path(__file__).parents[4])}
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=tmp_path, env=environ, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_for(port)
        process.send_signal(number)
        _, errors = process.communicate(timeout=10)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0, errors
    assert "Traceback" not in errors


def wait_for(port, limit_s=60):
    """Wait until something listens."""
    end = time.monotonic() + limit_s
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            assert time.monotonic() < end, f"nothing listens on port {port}"
            time.sleep(0.05)
        else:
            return
