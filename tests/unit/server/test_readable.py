"""What cannot be read is not written, and what an older server wrote can be read again."""

from __future__ import annotations

import json

import pytest

from sweeper.server.store import artifact_files

RUN = """state exitcode historyLineCount eventsLineCount logLineCount fileCount historyKeys historyTail eventsTail
    systemMetrics summaryMetrics wandbConfig(keys: ["t"]) history(minStep: 0, maxStep: 9007199254740993)
    events(samples: 5) logLines(last: 5) { edges { node { number timestamp line } cursor } }
    sampledHistory(specs: ["{\\"keys\\": [\\"loss\\"]}"]) parquetHistory(liveKeys: ["_step"]) { liveData }"""
ALL = f"""query {{ project(name: "p") {{ runCount totalSweeps
    up: runs(first: 1000, order: "+config.lr") {{ edges {{ node {{ name {RUN} }} }} }}
    down: runs(order: "-summary_metrics.loss") {{ edges {{ node {{ name }} }} }}
    sweeps {{ edges {{ node {{ runCount runCountExpected bestLoss }} }} }}
    artifactTypes {{ edges {{ node {{ artifactCollections {{ edges {{ node {{ artifacts {{ edges {{ node {{
        size fileCount versionIndex historyStep ttlDurationSeconds }} }} }} }} }} }} }} }} }} }} }}"""
START = 'mutation($n: String, $c: String) { upsertBucket(input: {name: $n, modelName: "p", config: $c}) { inserted } }'
REWIND = """mutation($n: JSON, $r: String) { rewindRun(input: {runName: $r, projectName: "p", metricName: "_step",
    metricValue: $n}) { rewoundRun { id } } }"""
ARTIFACT = """mutation($n: JSON) { createArtifact(input: {artifactTypeName: "t", artifactCollectionName: "c",
    projectName: "p", digest: "d", ttlDurationSeconds: $n, historyStep: $n}) {
    artifact { ttlDurationSeconds historyStep } } }"""
SWEEP = """mutation($c: String) { upsertSweep(input: {config: $c, projectName: "p"}) { sweep { runCountExpected } } }"""
HUGE = [2**31 - 1, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63, 10**30, 10**400]
NUMBERS = [*HUGE, *(-number for number in HUGE), 1e300, float("inf"), float("nan"), True]
NAMES = [str(number)[:12] for number in NUMBERS]


@pytest.fixture(scope="module")
def shared(serve_module, tmp_path_factory):
    """A server for many numbers, each with runs of its own."""
    server = serve_module(tmp_path_factory.mktemp("readable") / "data")
    client = next(server)
    client.init("r")
    yield client
    server.close()


def everything(client):
    """Read all that lists of a project are made of; give its runs by name."""
    for page in ("/", "/local/p", "/local/p/runs/r"):
        assert client.http.get(page).status_code == 200
    found = client.graphql(ALL)["project"]
    return {edge["node"]["name"]: edge["node"] for edge in found["up"]["edges"]}


def post(client, query, **variables):
    """Send a mutation that may be refused, and must not fail."""
    answer = client.http.post("/graphql", content=json.dumps({"query": query, "variables": variables}))
    assert answer.status_code in {200, 400, 404}, answer.text


@pytest.mark.parametrize("number", NUMBERS, ids=NAMES)
def test_no_number_that_comes_in_makes_a_project_unreadable(shared, number):
    """Any number in any place of a run's requests is refused, or stored so that all of the project can be read."""
    client, run = shared, f"run-{str(number)[:30]}-{len(str(number))}"
    client.init(run)
    path, row = f"/files/local/p/{run}/file_stream", json.dumps({"_step": number, "_timestamp": number, "loss": number})
    bodies = [
        *({"files": {name: {"offset": number, "content": ["{}"]}}} for name in ("wandb-history.jsonl", "output.log")),
        {"files": {"wandb-history.jsonl": {"content": [row]}, "wandb-summary.json": {"content": [row]}}},
        {"files": {"wandb-events.jsonl": {"content": [json.dumps(number)]}}},
        {"files": {"wandb-events.jsonl": {"content": [json.dumps({"system.gpu": number})]}}},
        {"complete": True, "exitcode": number},
    ]
    for body in bodies:
        assert client.http.post(path, content=json.dumps(body)).status_code in {200, 400}
        headers = {"X-Wandb-Async-Client-Id": "one"}
        assert client.http.post(path, content=json.dumps(body), headers=headers).status_code in {200, 400}
    branch = {"_wandb": {"value": {"branch_point": {"run_id": run, "step": number}}}, "lr": {"value": number}}
    for config in (branch, {"_wandb": {"value": number}}, {"_wandb": number, "lr": number}):
        post(client, START, n=f"{run}-{len(json.dumps(config))}", c=json.dumps(config))
    post(client, REWIND, n=number, r=run)
    post(client, ARTIFACT, n=number)
    definition = {
        "method": "random",
        "run_cap": number,
        "metric": {"name": "loss"},
        "parameters": {"lr": {"min": 0.0, "max": 1.0}},
    }
    post(client, SWEEP, c=json.dumps(definition))
    assert run in everything(client)


@pytest.mark.parametrize("number", [str(2**63), "1" + "0" * 30, "-1" + "0" * 30, "9" * 5000, "1e400", "1.5"], ids=len)
@pytest.mark.parametrize(
    "place",
    [
        'project(name: "p") { run(name: "r") { history(minStep: %s) } }',
        'project(name: "p") { run(name: "r") { history(maxStep: %s, samples: 3) } }',
        'project(name: "p") { run(name: "r") { events(samples: %s) } }',
        'project(name: "p") { runs(first: %s) { edges { cursor } } }',
        'project(name: "p") { run(name: "r") { logLines(last: %s) { edges { cursor } } } }',
    ],
)
def test_a_number_out_of_range_is_the_clients_mistake(shared, place, number):
    """Written out in the document it is a 400 that says so."""
    message = shared.graphql("{ " + place % number + " }", status=400)
    assert "Int" in message or "read" in message


def test_a_cursor_of_many_digits_is_refused(shared):
    """A place that no column holds is no cursor, however it is written."""
    query = 'query($c: String) { project(name: "p") { run(name: "r") { logLines(after: $c) { edges { cursor } } } } }'
    for cursor in ("9" * 19, "0" * 20 + "9" * 30):
        assert "not a cursor" in shared.graphql(query, status=400, c=cursor)


def test_what_an_older_server_stored_can_be_read(client):
    """Lines far behind, exit codes, steps, events and lives beyond all bounds: the project is readable again."""
    client.init("r", config="{}")
    client.log("r", {"_step": 0, "loss": 1.0})
    with client.http.app.state.store.write() as db:
        number = db.execute("SELECT id FROM runs").fetchone()["id"]
        for stream, text in (("history", '{"_step": 1}'), ("events", "5"), ("console", "x")):
            row = (number, stream, 2**40, text)
            db.execute("INSERT INTO lines (run_id, stream, number, text) VALUES (?, ?, ?, ?)", row)
        keys = json.dumps({"sets": [], "keys": {}, "lastStep": 2**63 - 1})
        db.execute(
            "UPDATE runs SET exit_code = ?, history_keys = ?, config = ?", (2**31, keys, '{"_wandb": {"value": 5}}')
        )
    found = everything(client)["r"]
    assert (found["exitcode"], found["historyLineCount"], found["systemMetrics"]) == (2**31 - 1, 2**31 - 1, "{}")
    assert found["historyKeys"]["lastStep"] == 2**53
    assert found["logLines"]["edges"][-1]["cursor"] == str(2**40)


def test_sizes_that_a_client_makes_up_are_added_up(client):
    """The largest sizes that manifests may name, twice, are more than SQLite adds: backups are made all the same."""
    with client.http.app.state.store.write() as db:
        db.execute("INSERT INTO projects (id, entity, name, created_at) VALUES (1, 'local', 'p', 0)")
        db.execute(
            "INSERT INTO artifact_collections (id, project_id, name, kind, type, created_at, updated_at)"
            " VALUES (1, 1, 'c', 'ArtifactSequence', 't', 0, 0)"
        )
        db.execute("INSERT INTO artifacts (id, collection_id, digest, created_at, updated_at) VALUES (1, 1, 'd', 0, 0)")
        for md5 in ("a" * 32, "b" * 32):
            db.execute("INSERT INTO artifact_files VALUES (1, ?, ?, ?, NULL)", (md5, md5, 2**63 - 1))
        assert artifact_files.total_bytes(db) >= 2**63
