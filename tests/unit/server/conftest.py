"""A scheduler over a database in memory, and a whole server in this process."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml
from starlette.testclient import TestClient

from sweeper.run import RunState, SweepState
from sweeper.server.http.app import create_app
from sweeper.server.rules import run_endings, run_transitions, suggestions, sweep_transitions
from sweeper.server.rules.assignment import Command
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.file_stream import Chunk, Sent, _store
from sweeper.server.rules.liveness import DEFAULT, LivenessPolicy
from sweeper.server.rules.reaper import reap
from sweeper.server.rules.search_ahead import SearchAhead, SearchFailedError
from sweeper.server.rules.search_process import Searching
from sweeper.server.rules.suggestions import SearchAnswer, SearchOrder
from sweeper.server.store import projects, runs, sweeps, users
from sweeper.server.store.database import MEMORY, Store, open_reader
from sweeper.server.store.lines import Stream
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.suggestions import NumberedSuggestion
from sweeper.server.store.sweeps import Sweep

KEY = "test-" + "0123456789" * 4


@dataclass
class Table:
    """A scheduler with a clock that the test turns."""

    dispatcher: Dispatcher
    now: float = 1000.0

    @property
    def store(self) -> Store:
        """The scheduler's database."""
        return self.dispatcher.store

    def sweep(self, definition: dict[str, Any]) -> Sweep:
        """Create a sweep."""
        with self.store.write() as db:
            user = users.ensure_user(db, "local", KEY, now=self.now)
            place = projects.ensure(db, "local", "p", now=self.now)
            return sweeps.create(
                db, place.id, yaml.safe_dump(definition), user_id=user.id, seed=1, display_name=None, now=self.now
            )

    def agent(self, sweep: Sweep) -> str:
        """Register an agent."""
        return self.dispatcher.register(sweep, "host", now=self.now).name

    def beat(self, agent: str, *listed: str) -> Command:
        """Send a heartbeat five seconds after the last event."""
        self.now += 5
        return self.dispatcher.heartbeat(agent, set(listed), now=self.now)

    def given(self, agent: str) -> StoredRun:
        """Send a heartbeat that must be answered with a run."""
        command = self.beat(agent)
        assert command.kind == "run", command
        assert command.run is not None
        return command.run

    def start(self, run: StoredRun) -> None:
        """Let the run's process report."""
        with self.store.write() as db:
            run_transitions.heard(db, self.read(run), now=self.now)

    def complete(self, run: StoredRun, exit_code: int = 0) -> None:
        """Let the run's process report its end."""
        with self.store.write() as db:
            run_endings.complete(db, self.read(run), exit_code, now=self.now)

    def log(self, run: StoredRun, *values: float) -> None:
        """Let the run log values of the metric from its first line on, without being judged at once."""
        self.history(run, *({"loss": value} for value in values))

    def history(self, run: StoredRun, *rows: dict[str, Any]) -> None:
        """Let the run log rows from its first line on, without being judged at once."""
        sent = Sent(lines={Stream.HISTORY: Chunk(content=[json.dumps(row) for row in rows])})
        with self.store.write() as db:
            _store(db, self.read(run), sent, sweeps.seeing(db, run.id))

    def set_state(self, sweep: Sweep, state: SweepState) -> None:
        """Do what `wandb sweep --stop` and its like do."""
        with self.store.write() as db:
            sweep_transitions.set_state(db, sweeps.get(db, sweep.id), state, now=self.now)

    def join_by_hand(self, sweep: Sweep, params: str) -> None:
        """Let a run that nobody proposed join the sweep, with parameters as JSON."""
        with self.store.write() as db:
            run = runs.create(db, sweep.project_id, "by-hand", state=RunState.RUNNING, now=self.now)
            runs.update(db, run.id, sweep_id=sweep.id, params=params, params_key=runs.key_of(json.loads(params)))

    def read(self, run: StoredRun) -> StoredRun:
        """Read a run anew."""
        with self.store.read() as db:
            return runs.get(db, run.id)

    def state(self, run: StoredRun) -> RunState:
        """Read a run's state."""
        return self.read(run).state

    def sweep_state(self, sweep: Sweep) -> SweepState:
        """Read a sweep's state."""
        with self.store.read() as db:
            return sweeps.get(db, sweep.id).state

    def runs(self, sweep: Sweep) -> list[StoredRun]:
        """Read a sweep's runs."""
        with self.store.read() as db:
            return runs.of_sweep(db, sweep.id)

    def reap(self, *, hearing_since: float = 0.0, lost_retries: int = 2) -> list[str]:
        """Look for the dead."""
        with self.store.write() as db:
            policy = LivenessPolicy(lost_retries=lost_retries)
            found = reap(db, policy, now=self.now, hearing_since=hearing_since)
        return [run.name for run in found]


@dataclass
class Process:
    """A search process that answers in this one, unless it is told to fail first or to wait for a gate."""

    database: Path
    fails: Callable[[], bool] = bool
    gate: threading.Event = field(default_factory=threading.Event)
    orders: list[SearchOrder] = field(default_factory=list)

    def is_alive(self) -> bool:
        """It never dies."""
        return True

    def carry_out(self, order: SearchOrder) -> SearchAnswer:
        """Answer when the gate is open."""
        self.gate.wait(20)
        self.orders.append(order)
        if self.fails():
            raise SearchFailedError("it failed")
        with contextlib.closing(open_reader(self.database)) as db:
            return Searching(db).answer(order)

    def kill(self) -> None:
        """End it."""


@dataclass
class AheadTable(Table):
    """A table whose scheduler has a search process."""

    process: Process | None = None

    def ready(self, sweep: Sweep, count: int = 1) -> list[NumberedSuggestion]:
        """Wait until so many suggestions, or all that there are, are ready."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with self.store.read() as db:
                found, order = suggestions.ahead(db, sweep.id), suggestions.next_order(db, sweep.id)
            if len(found) >= count or order is None:
                return found
            time.sleep(0.005)
        raise AssertionError("no suggestion came")

    def settled(self, sweep: Sweep) -> list[NumberedSuggestion]:
        """Wait until nothing is left to compute."""
        self.ready(sweep, 100)
        with self.store.read() as db:
            return suggestions.ahead(db, sweep.id)


@pytest.fixture
def table() -> Iterator[Table]:
    """A scheduler over a database in memory."""
    store = Store(MEMORY)
    yield Table(Dispatcher(store))
    store.close()


@dataclass
class Client:
    """A server in this process with a client that has its key."""

    http: TestClient
    data_dir: Path

    def graphql(self, query: str, *, status: int = 200, **variables: Any) -> Any:
        """Send a GraphQL request; give its data, or the first message when another status is expected."""
        answer = self.http.post("/graphql", json={"query": query, "variables": variables})
        assert answer.status_code == status, answer.text
        content = answer.json()
        return content["data"] if status == 200 else content["errors"][0]["message"]

    def sweep(self, definition: dict[str, Any] | str, project: str = "p") -> str:
        """Create a sweep as wandb.sweep does; give its id."""
        text = definition if isinstance(definition, str) else yaml.safe_dump(definition)
        query = """mutation($config: String, $project: String) {
            upsertSweep(input: {config: $config, projectName: $project}) { sweep { name } } }"""
        return str(self.graphql(query, config=text, project=project)["upsertSweep"]["sweep"]["name"])

    def agent(self, sweep: str, project: str = "p") -> str:
        """Register an agent as wandb.agent does."""
        query = """mutation($sweep: String!, $project: String) {
            createAgent(input: {host: "h", sweep: $sweep, projectName: $project}) { agent { id } } }"""
        return str(self.graphql(query, sweep=sweep, project=project)["createAgent"]["agent"]["id"])

    def beat(self, agent: str, *listed: str) -> list[dict[str, Any]]:
        """Send a heartbeat as wandb.agent does; give the commands."""
        query = """mutation($id: ID!, $runState: JSONString) {
            agentHeartbeat(input: {id: $id, metrics: "{}", runState: $runState}) { commands } }"""
        state = json.dumps(dict.fromkeys(listed, True))
        commands: list[dict[str, Any]] = json.loads(
            self.graphql(query, id=agent, runState=state)["agentHeartbeat"]["commands"]
        )
        return commands

    def init(self, run: str, project: str = "p", **fields: Any) -> dict[str, Any]:
        """Start a run as wandb.init does."""
        query = """mutation($name: String, $project: String, $config: JSONString, $sweep: String,
            $summary: JSONString) {
            upsertBucket(input: {name: $name, modelName: $project, config: $config, sweep: $sweep,
                summaryMetrics: $summary}) {
              inserted bucket { id name displayName historyLineCount sweepName config
                project { name entity { name } } } } }"""
        found: dict[str, Any] = self.graphql(query, name=run, project=project, **fields)["upsertBucket"]
        return found

    def begin(self, run: str, *, status: int = 200, **fields: Any) -> Any:
        """Send what a process says first of a run: with its host."""
        query = """mutation($id: String, $name: String, $config: JSONString) { upsertBucket(input: {
            id: $id, name: $name, modelName: "p", config: $config, host: "h"}) {
            inserted bucket { id state historyLineCount } } }"""
        found = self.graphql(query, status=status, name=run, **fields)
        return found if status != 200 else found["upsertBucket"]

    def stream(self, run: str, project: str = "p", *, status: int = 200, **body: Any) -> dict[str, Any]:
        """Send what a run logs."""
        url = f"/files/local/{project}/{run}/file_stream"
        answer = self.http.post(url, content=json.dumps(body))
        assert answer.status_code == status, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def log(self, run: str, *rows: dict[str, Any], offset: int = 0) -> dict[str, Any]:
        """Send rows of a run's history."""
        content = [json.dumps(row) for row in rows]
        return self.stream(run, files={"wandb-history.jsonl": {"offset": offset, "content": content}})

    def run(self, name: str, fields: str, project: str = "p") -> Any:
        """Read fields of a run."""
        query = f"query($p: String!, $r: String!) {{ project(name: $p) {{ run(name: $r) {{ {fields} }} }} }}"
        return self.graphql(query, p=project, r=name)["project"]["run"]

    def set_run_state(self, run: str, state: str, *, status: int = 200) -> Any:
        """Ask for another state of a run, as our workers do."""
        query = "mutation($id: ID!, $state: String!) { updateRunState(input: {id: $id, state: $state}) { success } }"
        found = self.graphql(query, status=status, id=self.run(run, "id")["id"], state=state)
        return found if status != 200 else found["updateRunState"]["success"]

    def runs(self, filters: Any = None, order: str | None = None, project: str = "p") -> list[str]:
        """List the names of a project's runs."""
        query = """query($p: String!, $f: JSONString, $o: String) {
            project(name: $p) { runs(filters: $f, order: $o) { edges { node { name } } } } }"""
        found = self.graphql(query, p=project, f=None if filters is None else json.dumps(filters), o=order)
        return [edge["node"]["name"] for edge in found["project"]["runs"]["edges"]]

    def sign(self, *asked: str) -> str:
        """Sign an address of the client's own for an hour."""
        state, key = self.http.app.state, (self.data_dir / "api-key").read_text().strip()
        user = state.keys.owner(key)
        return str(state.signer.token(*asked, user_id=user.id, key=user.key, until=time.time() + 3600))

    def upload_url(self, run: str, path: str, *, status: int = 200) -> str:
        """Ask where to upload a file to."""
        query = """mutation($run: String!, $files: [String!]!) {
            createRunFiles(input: {projectName: "p", runName: $run, files: $files}) { files { uploadUrl } } }"""
        found = self.graphql(query, status=status, run=run, files=[path])
        return str(found["createRunFiles"]["files"][0]["uploadUrl"]) if status == 200 else str(found)

    def upload(self, run: str, path: str, content: bytes) -> None:
        """Upload a file as wandb-core does, without a key."""
        answer = self.http.put(self.upload_url(run, path), content=content, headers={"Authorization": ""})
        assert answer.status_code == 200, answer.text


def run_server(
    data_dir: Path, *, search_ahead: bool = False, hold_s: float = 0.01, policy: LivenessPolicy = DEFAULT
) -> Iterator[Client]:
    """Run a server in this process, without a process for its searches and without held heartbeats unless asked."""
    app = create_app(data_dir, search_ahead=search_ahead, hold_s=hold_s, policy=policy)
    with TestClient(app, base_url="http://127.0.0.1:1") as http:
        key = (data_dir / "api-key").read_text().strip()
        http.headers["Authorization"] = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
        yield Client(http, data_dir)


@pytest.fixture
def ahead(tmp_path: Path) -> Iterator[AheadTable]:
    """A table with a search process that answers at once."""
    store = Store(tmp_path / "db")
    process = Process(tmp_path / "db")
    process.gate.set()
    search_ahead = SearchAhead(store, lambda: process)
    yield AheadTable(Dispatcher(store, search_ahead), process=process)
    process.gate.set()
    search_ahead.close()
    store.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """A server over an empty data directory."""
    yield from run_server(tmp_path / "data")


@pytest.fixture
def serve():
    """What runs a server in this process over a data directory."""
    return run_server


@pytest.fixture(scope="module")
def serve_module():
    """The same, for a server that several tests share."""
    return run_server
