"""GraphQL as the SDK sends it: sweeps and agents, runs, filters, and requests that make no sense."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
import yaml
from graphql import GraphQLObjectType, build_schema, get_named_type

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}
SWEEP_FIELDS = "name state method config runCount runCountExpected bestLoss displayName"


def sweep_fields(client, sweep, fields=SWEEP_FIELDS):
    query = f'{{ project(name: "p") {{ sweep(sweepName: "{sweep}") {{ {fields} }} }} }}'
    return client.graphql(query)["project"]["sweep"]


def set_state(client, sweep, state, *, status=200):
    query = "mutation($id: ID, $state: String) { upsertSweep(input: {id: $id, state: $state}) { sweep { state } } }"
    return client.graphql(query, status=status, id=sweep_fields(client, sweep, "id")["id"], state=state)


def test_viewer_is_the_embedded_user(client):
    """The key in the data directory is that of the user and entity `local`."""
    assert client.graphql("{ viewer { entity username flags } }")["viewer"] == {
        "entity": "local",
        "username": "local",
        "flags": "{}",
    }


def test_sweep_is_created_in_the_askers_entity(client):
    """A sweep sent without entity or project lands in the asker's entity and `uncategorized`."""
    query = """mutation($config: String, $entity: String) {
        upsertSweep(input: {config: $config, entityName: $entity}) {
            sweep { name project { name entity { name } } } configValidationWarnings } }"""
    found = client.graphql(query, config=json.dumps(GRID), entity=None)["upsertSweep"]
    assert re.fullmatch("[a-z0-9]{8}", found["sweep"]["name"])
    assert found["sweep"]["project"] == {"name": "uncategorized", "entity": {"name": "local"}}
    assert found["configValidationWarnings"] == []


def test_text_that_looks_like_a_number_is_taken_as_the_sdk_writes_it(client):
    """PyYAML quotes neither `1e-5` nor null; whoever meant a number is warned, with the place."""
    query = "mutation($config: String) { upsertSweep(input: {config: $config}) { configValidationWarnings } }"
    config = yaml.safe_dump({**GRID, "name": None, "parameters": {"size": {"values": ["1e-5", "large"]}}})
    [empty, number] = client.graphql(query, config=config)["upsertSweep"]["configValidationWarnings"]
    assert "name: is empty" in empty
    assert "write 1.0e-5" in number
    (command,) = client.beat(client.agent(client.sweep(config)))
    assert command["args"] == {"size": {"value": "1e-5"}}


def test_sweep_tells_what_to_expect(client):
    """A sweep answers its definition as sent, its state in W&B's words and how many runs it will have."""
    name = client.sweep(json.dumps({**GRID, "name": "mine"}))
    found = sweep_fields(client, name)
    assert found["config"] == json.dumps({**GRID, "name": "mine"})
    assert (found["state"], found["method"], found["displayName"]) == ("PENDING", "grid", "mine")
    assert (found["runCount"], found["runCountExpected"], found["bestLoss"]) == (0, 2, None)


def test_invalid_definition_is_refused_with_its_faults(client):
    """A config that describes no sweep is a 400 naming the key."""
    query = "mutation($config: String) { upsertSweep(input: {config: $config}) { sweep { name } } }"
    refusal = client.graphql(query, status=400, config="method: grid\nparameters: {lr: {value: [}}")
    assert refusal.startswith("Invalid sweep config:")
    refusal = client.graphql(query, status=400, config="method: gird\nparameters: {lr: {value: 1}}")
    assert "method" in refusal


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"controller": {"type": "local"}}, "Leave `controller:` out"),
    ],
)
def test_definition_that_is_not_served_is_refused(client, more, said):
    """A valid config that needs a search outside this server is a 400 with a way out, at creation and at an update."""
    config = json.dumps({**GRID, **more})
    query = "mutation($id: ID, $c: String) { upsertSweep(input: {id: $id, config: $c}) { sweep { name } } }"
    id_ = sweep_fields(client, client.sweep(GRID), "id")["id"]
    for asked in (None, id_):
        refusal = client.graphql(query, status=400, id=asked, c=config)
        assert refusal.startswith("Sweep config not served here:")
        assert said in refusal


def test_run_is_named_by_the_files_template(client):
    """A proposed run has the name that the file's template makes, wandb.init keeps it, and the user's own name wins."""
    named = {**GRID, "sweeper": {"run_name": "{number}-lr{lr:.1e}"}}
    agent = client.agent(client.sweep(named))
    (command,) = client.beat(agent)
    assert client.init(command["run_id"], config="{}")["bucket"]["displayName"] == "1-lr1.0e-01"
    client.stream(command["run_id"], complete=True, exitcode=0)
    (command,) = client.beat(agent)
    assert client.run(command["run_id"], "displayName")["displayName"] == "2-lr2.0e-01"
    query = """mutation($name: String) {
        upsertBucket(input: {name: $name, modelName: "p", displayName: "mine"}) { bucket { displayName } } }"""
    assert client.graphql(query, name=command["run_id"])["upsertBucket"]["bucket"]["displayName"] == "mine"


@pytest.mark.parametrize("state", ["PAUSED", "RUNNING", "FINISHED", "CANCELED"])
def test_state_of_a_sweep_is_set(client, state):
    """The four words of the CLI's flags become the sweep's state."""
    name = client.sweep(GRID)
    assert set_state(client, name, state)["upsertSweep"]["sweep"]["state"] == state


def test_unknown_state_is_refused_with_the_known_ones(client):
    """A state that is none is refused, and the message lists those there are."""
    assert "CANCELED" in set_state(client, client.sweep(GRID), "ASLEEP", status=400)


def test_started_sweep_keeps_its_definition(client):
    """A definition can be replaced until the first agent has come."""
    name = client.sweep(GRID)
    query = "mutation($id: ID, $c: String) { upsertSweep(input: {id: $id, config: $c}) { sweep { runCountExpected } } }"
    wider = json.dumps({**GRID, "parameters": {"lr": {"values": [1, 2, 3]}}})
    id_ = sweep_fields(client, name, "id")["id"]
    assert client.graphql(query, id=id_, c=wider)["upsertSweep"]["sweep"]["runCountExpected"] == 3
    client.agent(name)
    assert "has started" in client.graphql(query, status=400, id=id_, c=json.dumps(GRID))


def test_cli_reads_a_sweep_with_its_runs(client):
    """The CLI's document is answered; it passes one text where the schema has a list of them."""
    name = client.sweep(GRID)
    client.beat(client.agent(name))
    query = """query($sweep: String!, $specs: [JSONString!]!) { project(name: "p") { sweep(sweepName: $sweep) {
        state heartbeatAt earlyStopJobRunning controller scheduler
        runs { edges { node { name state shouldStop failed stopped running exitcode sampledHistory(specs: $specs) } } }
    } } }"""
    found = client.graphql(query, sweep=name, specs="{}")["project"]["sweep"]
    assert [edge["node"]["state"] for edge in found["runs"]["edges"]] == ["pending"]


def test_agent_is_given_a_run_as_the_sdk_reads_it(client):
    """The run command carries every top-level parameter under `value`, in a JSON text of a list."""
    nested = {"method": "grid", "program": "t.py", "parameters": {"opt": {"parameters": {"lr": {"values": [1]}}}}}
    (command,) = client.beat(client.agent(client.sweep(nested)))
    assert command["type"] == "run"
    assert command["args"] == {"opt": {"value": {"lr": 1}}}
    assert command["program"] == "t.py"
    assert client.run(command["run_id"], "state sweepName")["state"] == "pending"


def test_agent_of_another_project_finds_no_sweep(client):
    """A sweep is found in its project only; the answer is a 404, which ends the client."""
    name = client.sweep(GRID)
    query = """mutation { createAgent(input: {host: "h", sweep: "%s", projectName: "q"}) { agent { id } } }"""
    assert name in client.graphql(query % name, status=404)


def test_heartbeat_of_nobody_is_not_found(client):
    """A heartbeat of an agent nobody knows is a 404, which ends the client."""
    query = 'mutation { agentHeartbeat(input: {id: "nobody", runState: "{}"}) { commands } }'
    assert "nobody" in client.graphql(query, status=404)


def test_pending_run_is_started_by_its_first_upsert(client):
    """The first upsert of a run handed out says `inserted` and sets it running; later ones change nothing of that."""
    (command,) = client.beat(client.agent(client.sweep(GRID)))
    name = command["run_id"]
    first = client.init(name, config='{"lr": {"value": 0.1}}')
    assert first["inserted"] is True
    assert first["bucket"]["historyLineCount"] == 0
    assert first["bucket"]["project"] == {"name": "p", "entity": {"name": "local"}}
    assert client.init(name, config='{"lr": {"value": 0.1}, "x": {"value": 1}}')["inserted"] is False
    assert client.run(name, "state")["state"] == "running"


def test_run_that_joins_a_sweep_late_brings_its_metric(client):
    """What a run logged before it joined a sweep counts in that sweep."""
    sweep = client.sweep({**GRID, "metric": {"name": "loss", "goal": "minimize"}})
    client.init("r", config='{"lr": {"value": 0.1}}')
    client.log("r", {"_step": 0, "loss": 0.5})
    client.init("r", sweep=sweep)
    assert sweep_fields(client, sweep, "bestLoss runCount") == {"bestLoss": 0.5, "runCount": 1}


def test_upsert_after_the_end_does_not_revive(client):
    """A run that has completed stays finished when its client sends its config once more."""
    client.init("r")
    client.stream("r", complete=True, exitcode=0)
    client.init("r", config='{"a": {"value": 1}}')
    assert client.run("r", "state config") == {"state": "finished", "config": '{"a": {"value": 1}}'}


def test_unset_fields_stay_as_they_are(client):
    """An upsert with null for a field leaves it alone."""
    client.init("r", config='{"a": {"value": 1}}')
    client.init("r", config=None)
    assert client.run("r", "config")["config"] == '{"a": {"value": 1}}'


def test_missing_run_and_project_are_null(client):
    """What is not there is null where the SDK has its own words for that."""
    client.init("r")
    assert client.run("nope", "id") is None
    assert client.graphql('{ project(name: "nope") { id } }')["project"] is None
    query = '{ model(name: "p") { bucket(name: "nope", missingOk: true) { id } } }'
    assert client.graphql(query)["model"]["bucket"] is None


def test_resume_finds_the_last_line_and_the_counts(client):
    """Resuming is told the number of lines, the last one as a list of texts, and the SDK's own config."""
    client.init("r", config='{"_wandb": {"value": {"t": {"1": 2}, "x": 3}}}')
    client.log("r", {"_step": 0, "loss": 1}, {"_step": 1, "loss": 2})
    query = """{ model(name: "p") { bucket(name: "r", missingOk: true) {
        historyLineCount eventsLineCount logLineCount historyTail eventsTail wandbConfig(keys: ["t"]) } } }"""
    found = client.graphql(query)["model"]["bucket"]
    assert found["historyLineCount"] == 2
    assert json.loads(json.loads(found["historyTail"])[0]) == {"_step": 1, "loss": 2}
    assert found["eventsTail"] == "[]"
    assert json.loads(found["wandbConfig"]) == {"t": {"1": 2}}


def test_reason_is_shown_in_the_summary_and_never_stored(client):
    """A reason is read as `_sweeper` in the summary, and stripped when a client sends the summary back."""
    client.init("r")
    client.stream("r", complete=True, exitcode=3)
    summary = client.run("r", "summaryMetrics")["summaryMetrics"]
    assert json.loads(summary) == {"_sweeper": {"reason": "exit code 3"}}
    client.init("r", summary='{"a": 1, "_sweeper": {"reason": "mine"}}')
    summary = client.run("r", "summaryMetrics")["summaryMetrics"]
    assert json.loads(summary) == {"a": 1, "_sweeper": {"reason": "exit code 3"}}


def test_pages_join_without_gap_or_repeat(client):
    """Paging by the last edge's cursor lists every run once, even if a run comes in between two pages."""
    for i in range(5):
        client.init(f"r{i}")
    query = """query($after: String) { project(name: "p") { runs(first: 2, after: $after, order: "-created_at") {
        edges { node { name } cursor } pageInfo { hasNextPage endCursor } } } }"""
    names, after, more = [], None, True
    while more:
        page = client.graphql(query, after=after)["project"]["runs"]
        names += [edge["node"]["name"] for edge in page["edges"]]
        after, more = page["edges"][-1]["cursor"], page["pageInfo"]["hasNextPage"]
        client.init("late")
    assert names == ["r4", "r3", "r2", "r1", "r0"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"query": 5}',
        b'{"query": "{ viewer { nope } }"}',
        b'{"query": "{ viewer"}',
        b'{"query": ""}',
        b'{"query": "mutation { upsertBucket(input: {name: 5}) { inserted } }"}',
        b'{"query": "mutation { upsertBucket(input: {name: \\"a/b\\"}) { inserted } }"}',
        b'{"query": "mutation { upsertBucket(input: {name: \\"..\\"}) { inserted } }"}',
        b'{"query": "mutation { upsertBucket(input: {name: \\"r\\", config: \\"[]\\"}) { inserted } }"}',
        b'{"query": "mutation { upsertBucket(input: {name: \\"r\\", notes: \\"\\ud800\\"}) { inserted } }"}',
        b'{"query": "{ project(name: \\"p\\") { runs(filters: \\"{\\") { totalCount } } }"}',
        b'{"query": "{ project(name: \\"p\\") { runs(after: \\"?\\") { totalCount } } }"}',
        b'{"query": "{ project(name: \\"p\\") { runs(first: -1) { totalCount } } }"}',
        b'{"query": "{ project(name: \\"p\\") { runs(first: 99999999999) { totalCount } } }"}',
        b"[" * 100_000,
        b'{"query": "' + b"{ project " * 500 + b'"}',
        b'{"query": "{ viewer { id } }", "variables": []}',
    ],
)
def test_nonsense_is_the_clients_mistake(client, body):
    """A request that makes no sense is answered with 400 and a message; never with 5xx, which the SDK repeats."""
    client.init("r")
    answer = client.http.post("/graphql", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["message"]


def test_query_that_nests_without_end_is_refused(client):
    """A query may nest only as deep as the SDK's do, also through fragments."""
    parts = [f"fragment F{i} on Project {{ sweep {{ project {{ ...F{i + 1} }} }} }}" for i in range(10)]
    text = f'{{ project(name: "p") {{ ...F0 }} }} {" ".join(parts)} fragment F10 on Project {{ name }}'
    assert "deep" in client.graphql(text, status=400)


def test_every_field_of_the_schema_is_answered(client):
    """No field of the schema lacks a resolver: each one is asked for, on real data, and none is an error."""
    (command,) = client.beat(client.agent(client.sweep(GRID)))
    client.init(command["run_id"])
    client.log(command["run_id"], {"_step": 0, "loss": 1.0})
    client.upload(command["run_id"], "a.txt", b"x")
    schema = build_schema((files("sweeper.server.graphql") / "schema.graphql").read_text())
    arguments = {
        "project": '(name: "p")',
        "model": '(name: "p")',
        "run": f'(name: "{command["run_id"]}")',
        "bucket": f'(name: "{command["run_id"]}")',
        "sampledHistory": '(specs: ["{}"])',
        "parquetHistory": '(liveKeys: ["_step"])',
        "wandbConfig": '(keys: ["t"])',
    }

    def select(kind, seen):
        parts = []
        for name, field in kind.fields.items():
            inner = get_named_type(field.type)
            known = isinstance(inner, GraphQLObjectType) and inner.name in seen
            if known or name in {"sweep", "agent"} or len(seen) > 11:
                continue
            nested = select(inner, {*seen, inner.name}) if isinstance(inner, GraphQLObjectType) else ""
            parts.append(f"{name}{arguments.get(name, '')} {nested}")
        return "{ " + " ".join(parts) + " }" if parts else "{ __typename }"

    assert schema.query_type is not None
    for name in schema.query_type.fields:
        kind = get_named_type(schema.query_type.fields[name].type)
        assert isinstance(kind, GraphQLObjectType)
        client.graphql(f"{{ {name}{arguments.get(name, '')} {select(kind, {kind.name})} }}")
