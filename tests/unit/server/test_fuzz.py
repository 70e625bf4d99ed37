"""Whatever comes in: no 5xx, no hang, strict JSON. `make fuzz` sends thousands of each kind, the tests a hundred."""

from __future__ import annotations

import json
import time
from random import Random
from urllib.parse import quote

import graphql
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.routing import Route

from sweeper.server.graphql import inputs
from sweeper.server.graphql.executor import _schema
from sweeper.server.http.app import _routes

HANGS_S = 20.0
SWEEP = {"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}
ROUTES = [(route, method) for route in _routes() for method in sorted(route.methods)]
fuzz = settings(suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
texts = st.text(max_size=30) | st.sampled_from(
    [
        "",
        ".",
        "..",
        "a/../b",
        "\0",
        "\ud800",
        "C:x",
        "aux",
        "Ⅷ",
        "-1",
        "1e999",
        "9" * 5000,
        "%00",
        "*",
        "'",
        "{}",
        "null",
    ]
)
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**31, 2**63, -(2**63) - 1, 10**400, float("nan"), float("-inf"), 5e-324])
    | st.floats()
    | texts
)
trees = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=8
)


@pytest.fixture(scope="module")
def known(serve_module, tmp_path_factory):
    """A server in which something has happened, and the names in it."""
    client = next(server := serve_module(tmp_path_factory.mktemp("fuzz") / "data"))
    client.http.app.state.page_watch.is_ending = lambda: True  # or a page's stream would go on for minutes
    sweep = client.sweep(SWEEP)
    agent = client.agent(sweep)
    (command,) = client.beat(agent)
    run = client.init(command["run_id"], config='{"lr": {"value": 0.1}}')["bucket"]
    client.log(run["name"], *({"_step": i, "loss": 1.0 / (i + 1), "a": {"b": i}} for i in range(20)))
    client.upload(run["name"], "media/a.json", b"{}")
    names = ["local", "p", sweep, agent, run["name"], run["id"], "loss", "media/a.json", "lr", "pending", "RUNNING"]
    yield client, [*names, "created_at", '{"state": "running"}', '{"keys": ["loss"]}', json.dumps(SWEEP)]
    server.close()


def send(client, method, url, **arguments):
    """Send one request and look at the answer."""
    begun = time.monotonic()
    answer = client.http.request(method, url, follow_redirects=False, **arguments)
    assert time.monotonic() - begun < HANGS_S, f"{method} {url} took too long"
    assert answer.status_code < 500, f"{method} {url}: {answer.status_code} {answer.text}"
    if "json" in answer.headers.get("Content-Type", "") and method != "HEAD" and "files" not in url:
        json.loads(answer.content, parse_constant=pytest.fail)
    for secret in (str(client.data_dir), "Traceback", "sqlite", "SELECT ", ".py"):
        assert secret not in answer.text, f"{method} {url} tells {secret}"
    return answer


def words(names):
    """Names that exist, or anything."""
    return st.sampled_from(names) | texts


@fuzz
@given(data=st.data())
def test_every_route_takes_anything(known, data):
    """Any path parameters, query, headers, method and body are answered without a failure of the server's."""
    client, names = known
    route, method = data.draw(st.sampled_from(ROUTES))
    values = {name: data.draw(words(names), name) for name in route.param_convertors}
    url = route.path
    for name, convertor in route.param_convertors.items():
        mark = f"{{{name}:path}}" if type(convertor).__name__.startswith("Path") else f"{{{name}}}"
        url = url.replace(mark, quote(values[name].encode(errors="replace"), safe=""))
    method = data.draw(st.just(method) | st.sampled_from(["GET", "PUT", "POST", "DELETE", "PATCH", "HEAD", "OPTIONS"]))
    query = data.draw(st.dictionaries(st.sampled_from(["token", "next", "q"]), texts, max_size=2))
    query = {name: value.encode(errors="replace").decode() for name, value in query.items()}
    headers = data.draw(st.dictionaries(st.sampled_from(HEADERS), st.sampled_from(HEADER_VALUES), max_size=2))
    headers = {name: value.encode("latin-1") for name, value in headers.items()}
    body = data.draw(st.binary(max_size=50) | trees.map(lambda tree: json.dumps(tree).encode()))
    send(client, method, url, params=query, headers=headers, content=body)


HEADERS = ["Host", "Origin", "Cookie", "Authorization", "Accept", "Content-Type", "Content-Encoding", "Sec-Fetch-Site"]
HEADERS += ["X-Sweeper-Holder", "Range", "Expect", "X-Forwarded-Proto", "Content-Length", "Transfer-Encoding"]
HEADER_VALUES = [
    "",
    "null",
    "a b",
    "sweeper-1=x",
    "text/html",
    "gzip",
    "bytes=5-1,0-",
    "127.0.0.1:1",
    "[::1]",
    "[",
    "@x",
]
HEADER_VALUES += ["Basic YTpi", "http://[", "cross-site", "a" * 3000, "\xe9", "http://127.0.0.1:1", "-5", "chunked"]


def test_every_route_is_fuzzed():
    """A route of a new kind is not passed over."""
    assert [route for route in _routes() if not isinstance(route, Route)] == []
    assert len(ROUTES) >= len(_routes())


def selection(rng, names, kind, depth):
    """Write a selection of a type's fields at random; some are nonsense."""
    fields = list(kind.fields.items())
    chosen = [rng.choice(fields) for _ in range(rng.choice([1, 2, 3, 6]))]
    parts = [field(rng, names, name, entry, depth) for name, entry in chosen]
    if rng.random() < 0.01:
        parts.append(rng.choice(["nope", "__typename", "...F", "... on Run { id }", "a: id a: name", "@skip"]))
    return "{ " + " ".join(filter(None, parts)) + " }"


def field(rng, names, name, entry, depth):
    """Write one field, under an alias or not, with arguments; empty where it leads too deep."""
    kind = graphql.get_named_type(entry.type)
    inner = ""
    if graphql.is_object_type(kind):
        if depth == 0:
            return ""
        inner = selection(rng, names, kind, depth - 1)
    arguments = [
        f"{key}: {value(rng, names, argument.type, name)}"
        for key, argument in entry.args.items()
        if graphql.is_required_argument(argument) or rng.random() < 0.6
    ]
    alias = f"a{rng.randrange(10**6)}: " if rng.random() < 0.8 else ""
    return f"{alias}{name}{'(' + ', '.join(arguments) + ')' if arguments else ''} {inner}"


def value(rng, names, kind, name):  # noqa: PLR0911 one for each kind
    """Write an argument: of its type, mostly."""
    if graphql.is_non_null_type(kind):
        return value(rng, names, kind.of_type, name)
    if graphql.is_list_type(kind):
        return "[" + ", ".join(value(rng, names, kind.of_type, name) for _ in range(rng.randrange(3))) + "]"
    wrong = ["null", "5", '"\\u0000"', "[[]]", "{a: 1}", "$v", "ENUM", "1e400", "true", '"\\ud800"']
    if rng.random() < 0.02:
        return rng.choice(wrong)
    if kind.name in {"Int", "Int64"}:
        numbers = ["0", "1", "7", "-1", "1000", "2147483647", "-2147483648"]
        return rng.choice([*numbers, "99999999999999999999"] if kind.name == "Int64" else numbers)
    if kind.name == "Boolean":
        return rng.choice(["true", "false"])
    if kind.name == "JSON" or kind.name.endswith("Input"):
        return mutation_input(rng, names, name)
    if kind.name == "JSONString":
        return json.dumps(rng.choice([*names, json.dumps(condition(rng, names)), json.dumps(spec(rng, names))]))
    return json.dumps(rng.choice([*names, "-created_at", "+config.lr.value", "nope", "\0", "../x", ""]))


INPUTS = {
    name: kind for name, kind in vars(inputs).items() if isinstance(kind, type) and issubclass(kind, inputs.Input)
}


def mutation_input(rng, names, mutation):
    """Write the input object of a mutation."""
    kind = INPUTS.get(mutation[0].upper() + mutation[1:]) or rng.choice(list(INPUTS.values()))
    wrong = ["null", "[]", "[1]", "5", "{}", "1e300", "true", '["a", "a/../b"]', '"9999-99-99"']
    right = [json.dumps(name) for name in names]
    parts = []
    for entry in kind.model_fields.values():
        if entry.is_required() or rng.random() < 0.5:
            choices = [f"[{rng.choice(right)}]"] if "list" in str(entry.annotation) else right
            parts.append(f"{entry.alias}: {rng.choice(choices if rng.random() < 0.95 else wrong)}")
    return "{" + ", ".join(parts) + "}"


def condition(rng, names, depth=3):
    """Make a filter."""
    keys = ["state", "name", "sweep", "tags", "config.lr", "summary_metrics.loss", "createdAt", "username", "nope", ""]
    signs = ["$eq", "$ne", "$gt", "$lte", "$in", "$nin", "$regex", "$exists", "$not", "$nope"]
    operands = [*names, 1, 0.5, None, True, [], ["a", 1], {}, "(a+)+$", "(?=a)", "[", "\ud800", 10**400, float("nan")]
    if depth and rng.random() < 0.4:
        parts = [condition(rng, names, depth - 1) for _ in range(rng.randrange(3))]
        return {rng.choice(["$and", "$or", "$nor", "$not"]): rng.choice([parts, parts[0] if parts else 5])}
    return {rng.choice(keys): rng.choice([rng.choice(operands), {rng.choice(signs): rng.choice(operands)}])}


def spec(rng, names):
    """Make a spec of a sampled history."""
    numbers = [0, 1, -1, 500, 2**63, 10**400, 1.5, "1", None, True]
    keys = rng.choice([["loss"], ["loss", "a.b"], ["_step"], [], "loss", [1], names])
    return {"keys": keys, rng.choice(["samples", "minStep", "maxStep"]): rng.choice(numbers)}


def document(rng, names):
    """Write a whole document."""
    kind = rng.choice(["query", "query", "mutation"])
    root = _schema().type_map[kind.capitalize()]
    fields = selection(rng, names, root, rng.randrange(1, 8))
    wanted = rng.choice(["$v: JSON", "$v: String", "$v: [Int!]!", "$v: JSONString = 5", "$v: Int"])
    head = f"{kind} Q({wanted}) " if "$v" in fields else kind + " "
    return head + fields + " fragment F on Run { id name }" * ("...F" in fields)


@fuzz
@given(rng=st.randoms(), variables=st.dictionaries(st.just("v"), trees))
@example(rng=Random(0), variables={})
def test_any_graphql_document_is_answered(known, rng, variables):
    """Documents made from the schema, with odd arguments and variables, deep and wide, never fail the server."""
    client, names = known
    body = json.dumps({"query": document(rng, names), "variables": variables})
    answer = send(client, "POST", "/graphql", content=body)
    assert {"data"} <= answer.json().keys()


@fuzz
@given(rng=st.randoms(), tree=trees)
def test_any_file_stream_is_answered(known, rng, tree):
    """Bodies like those that runs send, with anything in the places of values, never fail the server."""
    client, names = known
    rows = [json.dumps(tree), json.dumps({"_step": tree, "loss": tree, "a": {"_type": tree}}), '{"loss": NaN}', "{", ""]
    content = rng.choice([tree, [], [rng.choice(rows)], [rng.choice(rows) for _ in range(3)]])
    chunk = rng.choice([{"offset": rng.choice([0, 5, 2**39, 2**63, -1, tree]), "content": content}, tree])
    files = ["wandb-history.jsonl", "wandb-events.jsonl", "output.log", "wandb-summary.json", "nope"]
    body = {"files": {rng.choice(files): chunk}, "exitcode": rng.choice([0, 2**40, tree])}
    if rng.random() < 0.3:
        body[rng.choice(["complete", "preempting", "dropped", "files"])] = rng.choice([True, tree])
    run = rng.choice([names[4], "new", *names[:3]])
    content = rng.choice([json.dumps(body), json.dumps(tree), json.dumps(body)[:-1]])
    send(client, "POST", f"/files/local/p/{quote(run, safe='')}/file_stream", content=content)


@pytest.mark.parametrize(
    "query",
    [
        "{" * 5000,
        "{ viewer " * 3000,
        "{ " + "viewer { id } " * 3000 + "}",
        "{ " + " ".join(f"a{i}: viewer {{ id }}" for i in range(2000)) + "}",
        "{ ...A } " + " ".join(f"fragment F{i} on Query {{ ...F{i + 1} ...F{i + 1} }}" for i in range(40)),
        "{ ...A } fragment A on Query { ...B } fragment B on Query { ...A }",
        "{ project(name: " + "[" * 300 + "]" * 300 + ") { id } }",
        "{ project " + "{ runs { edges { node { project " * 5 + "{ id }" + "} } } }" * 5 + " }",
        "#" * 49_000,
    ],
    ids=["open", "deep", "repeated", "aliases", "fragments", "circle", "nested value", "nested lists", "comment"],
)
def test_a_document_that_asks_for_too_much_is_refused(known, query):
    """Depth, aliases, fragments and nested values have bounds; nothing is looked up."""
    client, _ = known
    assert send(client, "POST", "/graphql", json={"query": query}).status_code == 400
