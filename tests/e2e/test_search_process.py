"""The process that computes suggestions ahead: killed, stopped, restarted, and never left behind."""

from __future__ import annotations

import base64
import json
import signal
import sqlite3
import threading
import time
import urllib.request
from contextlib import closing

import psutil
import pytest

from tests.conftest import open_direct

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

FINITE = {
    "method": "bayes",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"a": {"values": list(range(12))}, "b": {"values": ["x", "y", "z"]}},
}
ENDLESS = {**FINITE, "parameters": {"a": {"min": 0.0, "max": 1.0}}}


class Wire:
    """Speaks to a user's server as agents and runs do.

    Args:
        user: Whose server it is.
    """

    def __init__(self, user) -> None:
        sdk = user.sdk()
        self.url, self.user = sdk["WANDB_BASE_URL"], user
        self.headers = {
            "Authorization": "Basic " + base64.b64encode(f"api:{sdk['WANDB_API_KEY']}".encode()).decode(),
            "Content-Type": "application/json",
        }

    def post(self, path, body):
        """Send a request and read the answer."""
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), self.headers)  # noqa: S310 loopback
        with open_direct(request) as answer:
            return json.load(answer)

    def graphql(self, query, **variables):
        """Execute a document."""
        return self.post("/graphql", {"query": query, "variables": variables})["data"]

    def sweep(self, definition):
        """Create a sweep."""
        query = 'mutation($c: String) { upsertSweep(input: {projectName: "p", config: $c}) { sweep { name } } }'
        return self.graphql(query, c=json.dumps(definition))["upsertSweep"]["sweep"]["name"]

    def agent(self, sweep):
        """Register an agent."""
        query = 'mutation($s: String!) { createAgent(input: {host: "h", sweep: $s}) { agent { id } } }'
        return self.graphql(query, s=sweep)["createAgent"]["agent"]["id"]

    def beat(self, agent, listed=None):
        """Send an agent's heartbeat, of a free one or with a run; give the command, or None to wait."""
        query = """mutation($i: ID!, $s: JSONString) {
            agentHeartbeat(input: {id: $i, metrics: "{}", runState: $s}) { commands } }"""
        state = json.dumps({listed: "RUNNING"} if listed else {})
        return next(iter(json.loads(self.graphql(query, i=agent, s=state)["agentHeartbeat"]["commands"])), None)

    def finish(self, run, loss):
        """Let a run log and end."""
        history = {"wandb-history.jsonl": {"offset": 0, "content": [json.dumps({"_step": 0, "loss": loss})]}}
        self.post(f"/files/local/p/{run}/file_stream", {"files": history, "complete": True, "exitcode": 0})

    def suggestion(self, run):
        """Read what suggested a run."""
        query = 'query($r: String!) { project(name: "p") { run(name: $r) { summaryMetrics } } }'
        return json.loads(self.graphql(query, r=run)["project"]["run"]["summaryMetrics"])["_sweeper"]["suggestion"]

    def ready(self, count=1):
        """Wait for suggestions; give their parameters."""
        database = (self.user.home / "server" / "sweeper.db").as_uri() + "?mode=ro"

        def read():
            with closing(sqlite3.connect(database, uri=True)) as db:
                found = [text for (text,) in db.execute("SELECT params FROM suggestions ORDER BY number")]
            return found if len(found) >= count else None

        return self.user.wait(read, "suggestions")


@pytest.fixture
def wire(user):
    """A connection to a server of one's own."""
    user.serve()
    return Wire(user)


def search_process(user) -> psutil.Process | None:
    """Find the search process."""
    found = user.processes("sweeper.server.rules.search_process")
    return found[0] if found else None


def server_process(user) -> psutil.Process:
    """Find the server."""
    return psutil.Process(json.loads((user.home / "server" / "server.json").read_text())["pid"])


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP])
def test_agents_share_a_space_while_the_search_process_is_lost(wire, number):
    """Eight agents get each configuration exactly once and go home, whatever happens to the search process."""
    sweep = wire.sweep(FINITE)
    wire.ready()
    given = []

    def work():
        agent = wire.agent(sweep)
        while (command := wire.beat(agent)) is None or command["type"] != "exit":
            if command:
                given.append(command["args"])
                time.sleep(0.02)
                wire.finish(command["run_id"], command["args"]["a"]["value"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    wire.user.wait(lambda: len(given) >= 6, "the first runs")
    search_process(wire.user).send_signal(number)
    for thread in threads:
        thread.join(120)
    assert len(given) == 36
    assert len({(args["a"]["value"], args["b"]["value"]) for args in given}) == 36


def test_a_stopped_search_process_costs_random_draws(wire):
    """While the search process is stopped agents get random draws that say so; killed, it is replaced."""
    sweep = wire.sweep(ENDLESS)
    wire.ready()
    search_process(wire.user).suspend()
    agents = [wire.agent(sweep) for _ in range(20)]
    given = [wire.beat(agent)["run_id"] for agent in agents]
    told = [wire.suggestion(run) for run in given]
    assert told[-1] == {"engine": "random/1", "seed": told[0]["seed"], "runs": 0, "fallback": "the search takes longer"}
    wire.beat(agents[-1], listed=given[-1])  # a run is shown once its agent has it
    shown = wire.user.run("status", f"local/p/{sweep}", "--backend", "local").stdout
    assert "drawn at random: the search takes longer" in shown
    search_process(wire.user).kill()
    wire.ready()
    assert "fallback" not in wire.suggestion(wire.beat(wire.agent(sweep))["run_id"])


@pytest.mark.long
def test_suggestions_outlive_a_restart(wire):
    """A server that is killed and started again gives out what was ready."""
    sweep = wire.sweep(ENDLESS)
    first = json.loads(wire.ready(8)[0])
    server_process(wire.user).kill()
    wire.user.wait(lambda: not wire.user.processes(), "the server and its search process to end", 10)
    wire.user.serve()
    wire = Wire(wire.user)
    assert wire.beat(wire.agent(sweep))["args"]["a"]["value"] == first["a"]


@pytest.mark.parametrize("stopped", [False, True])
def test_no_search_process_is_left_behind(wire, stopped):
    """The search process ends with a killed server, even one that is stopped."""
    wire.sweep(ENDLESS)
    wire.ready()
    if stopped:
        search_process(wire.user).suspend()
    server_process(wire.user).kill()
    wire.user.wait(lambda: not wire.user.processes(), "all processes to end", 10)


def test_the_search_process_ends_with_its_server(wire):
    """A server that is asked to end takes its search process along."""
    wire.sweep(ENDLESS)
    wire.ready()
    server_process(wire.user).terminate()
    wire.user.wait(lambda: not wire.user.processes(), "all processes to end", 15)
