"""The executor: every field is answered, nodes are made of rows, and what makes no sense is a client's mistake."""

from __future__ import annotations

import json
import re
from importlib.resources import files

import pytest
from graphql import GraphQLError, GraphQLObjectType, build_schema, get_named_type

from sweeper.server.graphql import executor

GRID = {"method": "grid", "parameters": {"lr": {"values": [0.1, 0.2]}}}


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
        b'{"query": "{ project(name: \\"p\\") { sweeps(first: -1) { edges { node { id } } } } }"}',
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


def test_a_list_of_rows_is_a_list_of_nodes():
    """Each row gets its node; what is in the schema's shape already, or is not there, stays."""
    made = executor._wrapped(lambda context, row: (context, row), "request", [1, None, {"id": "x"}, [2]])
    assert made == [("request", 1), None, {"id": "x"}, [("request", 2)]]


@pytest.mark.parametrize(
    ("field", "name"),
    [("displayName", "display_name"), ("clientIDMapping", "client_id_mapping"), ("runID", "run_id"), ("name", "name")],
)
def test_a_field_has_its_name_in_snake_case(field, name):
    """The wire's words for ids, ID and Id, become one."""
    assert executor._snake_case(field) == name


@pytest.mark.parametrize(("sent", "read"), [(5, 5), (5.0, 5), (-(2**63), -(2**63))])
def test_whole_numbers_are_read_however_they_are_written(sent, read):
    """JSON has one kind of number, and clients in Go and Python write 5 and 5.0."""
    assert executor._integer(sent) == read


@pytest.mark.parametrize("sent", [True, 0.5, "5", 2**63, None, float("inf")])
def test_what_is_no_whole_number_is_refused(sent):
    """Truth values, halves, texts, and what has no place in 64 bits."""
    with pytest.raises(GraphQLError):
        executor._integer(sent)


def test_a_variable_that_was_not_sent_is_left_out(client):
    """In an input written out in the document it is as if its key were not there."""
    client.init("r", config='{"a": {"value": 1}}')
    query = """mutation($notes: String, $config: JSONString) {
        upsertBucket(input: {name: "r", modelName: "p", notes: $notes, config: $config}) {
            bucket { notes config } } }"""
    found = client.graphql(query, notes="n")["upsertBucket"]["bucket"]
    assert found == {"notes": "n", "config": '{"a": {"value": 1}}'}


def test_refusals_come_before_bugs(client, caplog):
    """Of several fields that fail, the client is told what it can mend."""
    client.init("r")
    with client.http.app.state.store.write() as db:
        db.execute("ALTER TABLE users RENAME TO gone")
    query = """{ users { edges { node { id } } } project(name: "p") { run(name: "r") { user { id } }
        sweeps(first: -1) { edges { node { id } } } } }"""
    said = client.graphql(query, status=400)
    with client.http.app.state.store.write() as db:
        db.execute("ALTER TABLE gone RENAME TO users")
    assert "negative" in said
    assert "gone" not in said
    assert "request" not in caplog.text


HISTORY = 'query($sent: Int64) { project(name: "p") { run(name: "r") { history(minStep: $sent) } } }'
COUNT = 'query($sent: JSONString) { project(name: "p") { runCount(filters: $sent) } }'


@pytest.mark.parametrize(
    ("query", "sent", "status"),
    [
        (HISTORY, 5.0, 200),
        (HISTORY, 0.5, 400),
        (HISTORY, True, 400),
        (HISTORY, "5", 400),
        (HISTORY, 2**70, 400),
        ('{ project(name: "p") { run(name: "r") { history(minStep: 9999999999999999999999) } } }', None, 400),
        (COUNT, "{}", 200),
        (COUNT, 5, 400),
        (COUNT, {"state": "finished"}, 400),
        ('{ project(name: "p") { runCount(filters: 5) } }', None, 400),
    ],
)
def test_values_are_read_where_they_come_in(client, query, sent, status):
    """As variables or written out: what a scalar cannot be reaches no resolver, and is no 5xx for the SDK to repeat."""
    client.init("r")
    assert client.graphql(query, status=status, sent=sent)


def test_a_time_is_written_in_milliseconds_and_utc():
    """So the SDK reads it; what a process wrote of its own lines stays as it is."""
    assert executor._moment(0.12345) == "1970-01-01T00:00:00.123Z"
    assert executor._moment("2026-01-01T00:00:00.5Z") == "2026-01-01T00:00:00.5Z"


def test_rows_give_times_as_the_schema_says(client):
    """A column in seconds is a text for the client, and none stays none."""
    sweep = client.sweep(GRID)
    query = (
        f'{{ project(name: "p") {{ createdAt sweep(sweepName: "{sweep}") {{ createdAt updatedAt heartbeatAt }} }} }}'
    )
    found = client.graphql(query)["project"]
    assert found["sweep"]["heartbeatAt"] is None
    times = [found["createdAt"], found["sweep"]["createdAt"], found["sweep"]["updatedAt"]]
    assert [re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", text) is not None for text in times] == [True] * 3


def test_an_answer_is_bounded_by_its_bytes(client):
    """One long text under many names is refused once it has been read a few times, wherever the text stands."""
    long = "x" * (8 * 2**20)
    client.init("r", config=json.dumps({"a": {"value": long}}))
    row = json.dumps({"_step": 0, "a": long})
    client.stream("r", files={"wandb-history.jsonl": {"content": [row]}, "output.log": {"content": [long]}})
    for field in ("config", 'parquetHistory(liveKeys: ["a"]) { liveData }', "logLines { edges { node { line } } }"):
        client.run("r", field)
        often = " ".join(f"a{i}: {field}" for i in range(9))
        query = f'{{ project(name: "p") {{ run(name: "r") {{ {often} }} }} }}'
        assert "bytes" in client.graphql(query, status=400)


def test_values_of_variables_are_counted(client):
    """In lists, in objects and all together."""
    query = 'query($n: [String]) { project(name: "p") { run(name: "r") { files(names: $n) { edges { cursor } } } } }'
    assert "variables" in client.graphql(query, status=413, n=["a"] * (executor.MAX_VARIABLES + 1))
    assert "variables" in client.graphql(query, status=413, n=[], m=[[1, 2]] * (executor.MAX_VARIABLES // 3 + 1))


def test_a_count_is_what_it_is_and_at_most_what_graphql_counts_to(client):
    """One that is beyond hides no other field of its answer."""
    client.init("r")
    client.log("r", {"loss": 1}, {"loss": 2})
    assert client.run("r", "historyLineCount fileCount") == {"historyLineCount": 2, "fileCount": 0}
    with client.http.app.state.store.write() as db:
        db.execute("UPDATE lines SET number = number + ?", (2**40,))
    assert client.run("r", "historyLineCount fileCount") == {"historyLineCount": 2**31 - 1, "fileCount": 0}
