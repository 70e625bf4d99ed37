"""Two clients: the SDK, of two versions; and one without it, for what the SDK would repeat or hide."""

from __future__ import annotations

import base64
import json
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import open_direct
from tests.sdks.releases import pointed, wanted

ROOT = Path(__file__).parents[2]
HEARTBEAT = """mutation($id: ID!, $runState: JSONString) {
    agentHeartbeat(input: {id: $id, metrics: "{}", runState: $runState}) { commands } }"""
UPSERT = """mutation($name: String, $sweep: String) {
    upsertBucket(input: {name: $name, modelName: "p", sweep: $sweep}) { inserted bucket { name } } }"""
UPSERT_SWEEP = """mutation($config: String) {
    upsertSweep(input: {config: $config, projectName: "p"}) { sweep { name } } }"""
CREATE_AGENT = """mutation($sweep: String!, $host: String!) {
    createAgent(input: {host: $host, sweep: $sweep, projectName: "p"}) { agent { id } } }"""
UPLOAD_URL = """mutation($run: String!, $files: [String!]!) {
    createRunFiles(input: {projectName: "p", runName: $run, files: $files}) { files { name uploadUrl } } }"""


@dataclass(frozen=True)
class Wire:
    """One user of a server, by hand: each call is one request and its answer, and is acknowledged if it returns.

    Attributes:
        url: The server's address.
        key: The user's key.
    """

    url: str
    key: str

    def send(self, method: str, url: str, body: bytes | None = None) -> bytes:
        """Send a request; `urllib.error.HTTPError` for a refusal, `OSError` if there is no whole answer."""
        if url.startswith("/"):
            url = self.url + url
        request = urllib.request.Request(url, body, method=method)  # noqa: S310 - our own server
        request.add_header("Authorization", "Basic " + base64.b64encode(f"api:{self.key}".encode()).decode())
        with open_direct(request) as answer:
            content: bytes = answer.read()
            return content

    def graphql(self, query: str, **variables: Any) -> Any:
        """Send a query; give its data."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        return json.loads(self.send("POST", "/graphql", body))["data"]

    def sweep(self, text: str) -> str:
        """Create a sweep; give its id."""
        return str(self.graphql(UPSERT_SWEEP, config=text)["upsertSweep"]["sweep"]["name"])

    def agent(self, sweep: str, host: str = "h") -> str:
        """Register an agent; give its id."""
        return str(self.graphql(CREATE_AGENT, sweep=sweep, host=host)["createAgent"]["agent"]["id"])

    def beat(self, agent: str, *listed: str) -> dict[str, Any]:
        """Send a heartbeat; give the command, empty if there is none."""
        data = self.graphql(HEARTBEAT, id=agent, runState=json.dumps(dict.fromkeys(listed, True)))
        return next(iter(json.loads(data["agentHeartbeat"]["commands"])), {})

    def init(self, run: str, sweep: str | None = None) -> bool:
        """Start a run; tell whether it is a new one."""
        return bool(self.graphql(UPSERT, name=run, sweep=sweep)["upsertBucket"]["inserted"])

    def stream(self, run: str, **body: Any) -> None:
        """Send what a run logs."""
        self.send("POST", f"/files/local/p/{run}/file_stream", json.dumps(body).encode())

    def log(self, run: str, offset: int, *rows: dict[str, Any]) -> None:
        """Send rows of a history."""
        content = [json.dumps(row) for row in rows]
        self.stream(run, files={"wandb-history.jsonl": {"offset": offset, "content": content}})

    def upload(self, run: str, path: str, content: bytes) -> None:
        """Upload a file."""
        files = self.graphql(UPLOAD_URL, run=run, files=[path])["createRunFiles"]["files"]
        self.send("PUT", files[0]["uploadUrl"], content)

    def download(self, run: str, path: str) -> bytes:
        """Fetch a file."""
        return self.send("GET", f"/files/local/p/{run}/{path}")

    def run(self, name: str, fields: str) -> Any:
        """Read fields of a run."""
        query = f'query($r: String!) {{ project(name: "p") {{ run(name: $r) {{ {fields} }} }} }}'
        return self.graphql(query, r=name)["project"]["run"]

    def history(self, run: str) -> list[dict[str, Any]]:
        """Read all rows of a history."""
        return [json.loads(line) for line in self.run(run, "history(samples: 1000000)")["history"]]

    def runs_of(self, sweep: str) -> list[dict[str, Any]]:
        """Read a sweep's runs: name, state and config."""
        query = """query($s: String!) { project(name: "p") { sweep(sweepName: $s) {
            runs { edges { node { name state config } } } } } }"""
        found = self.graphql(query, s=sweep)["project"]["sweep"]["runs"]["edges"]
        return [{**edge["node"], "config": json.loads(edge["node"]["config"])} for edge in found]


@pytest.fixture
def wire():
    """What makes a client of an address and a key."""
    return Wire


@pytest.fixture(params=["0.31.0", pytest.param("0.29.0", marks=pytest.mark.sdks)])
def sdk(request, user, tmp_path):
    """Either SDK, pointed at a server of this test's own."""
    if request.param not in wanted():
        pytest.skip("SDKS does not name it")
    return pointed(user, request.param, tmp_path)
