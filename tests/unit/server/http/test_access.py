"""Who comes in: keys, the Host header, foreign pages; and what everybody may see."""

from __future__ import annotations

import base64
import re

import pytest

from sweeper.errors import ServerError
from sweeper.server.graphql.executor import _schema
from sweeper.server.http.access import Gate
from sweeper.server.http.app import WITHOUT_KEY, WITHOUT_ORIGIN, _routes
from sweeper.server.names import RESERVED
from sweeper.server.store import users


def basic(key, user="api"):
    return "Basic " + base64.b64encode(f"{user}:{key}".encode()).decode()


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !!!", basic(""), basic("0" * 40), "Bearer " + "0" * 40, "Basic " + "A" * 5],
)
def test_without_a_known_key_nobody_comes_in(client, header):
    """A missing, unreadable or unknown key is answered with 401 and a message the SDK shows."""
    answer = client.http.post("/graphql", json={"query": "{ viewer { id } }"}, headers={"Authorization": header})
    assert answer.status_code == 401
    assert "WANDB_API_KEY" in answer.json()["errors"][0]["message"]


def test_who_reads_without_a_key_is_told_how_to_send_one(client):
    """At curl a person reads that it goes in the password; the API says nothing of passwords."""
    assert "Basic" in client.http.get("/", headers={"Authorization": ""}).headers["WWW-Authenticate"]
    answer = client.http.post("/graphql", json={}, headers={"Authorization": ""})
    assert "WWW-Authenticate" not in answer.headers


HOSTS_OF_OTHERS = ["evil.example", "127.0.0.1.evil.example", "", "127.0.0.1@evil.example", "[bad", "127.0.0.1/healthz?"]


@pytest.mark.parametrize("host", HOSTS_OF_OTHERS)
def test_other_names_for_the_server_are_refused(client, host):
    """A page elsewhere cannot reach the server by letting its own name point here."""
    assert client.http.get("/healthz", headers={"Host": host}).status_code == 400


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "LOCALHOST", "[::1]:80", "192.0.2.7:1"])
def test_names_of_this_machine_are_taken(client, host):
    """The bound names are taken with any port, and so are bare addresses, which nobody can point elsewhere."""
    assert client.http.get("/healthz", headers={"Host": host}).status_code == 200


def test_pages_of_other_sites_cannot_use_a_browsers_key(client):
    """A request that a page of another origin sends with the browser's stored key is refused."""
    query = {"query": "{ viewer { id } }"}
    assert client.http.post("/graphql", json=query, headers={"Origin": "http://evil.example"}).status_code == 403
    assert client.http.post("/graphql", json=query, headers={"Origin": "http://127.0.0.1:1"}).status_code == 200


@pytest.mark.parametrize(
    ("site", "mode", "method", "status"),
    [
        ("cross-site", "cors", "GET", 403),
        ("same-site", "no-cors", "GET", 403),
        ("cross-site", "navigate", "POST", 403),
        ("cross-site", "navigate", "GET", 200),
        ("same-origin", "cors", "GET", 200),
        ("none", "navigate", "GET", 200),
    ],
)
def test_what_a_browser_sends_for_another_page_is_refused(client, site, mode, method, status):
    """Another site, or another port of this machine, may link to a page and not use it otherwise."""
    headers = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": mode}
    assert client.http.request(method, "/", headers=headers).status_code == status


PAGES = ["", "/sweeps/s", "/runs/r"]


@pytest.mark.parametrize("entity", ["healthzzz", *sorted(RESERVED)])
def test_what_only_looks_like_an_open_address_is_guarded(client, entity):
    """Pages of an entity whose name is, or begins like, an open address are shown to nobody without a key."""
    with client.http.app.state.store.write() as db:  # as an older server made them: these names are taken no more
        db.execute("INSERT INTO projects (entity, name, created_at) VALUES (?, 'p', 0)", (entity,))
    assert client.http.get(f"/{entity}/p").status_code in {200, 405}
    for page in PAGES:
        for method in ("GET", "HEAD", "POST", "PUT"):
            answer = client.http.request(method, f"/{entity}/p{page}", headers={"Authorization": ""})
            is_file = (method, entity) == ("PUT", "files") or (entity == "artifact-files" and not page)
            assert answer.status_code in ({401, 403} if is_file else {401}), (method, page)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_only_what_is_listed_answers_without_a_key(client, method):
    """Every route with every method: without a key it is 401, but for the endpoints that are said to be open."""
    for route in _routes():
        url = re.sub(r"{[^}]*}", "1", route.path)
        answer = client.http.request(method, url, headers={"Authorization": ""}, follow_redirects=False)
        answering = [other for other in _routes() if other.path_regex.match(url) and method in other.methods]
        is_open = bool(answering) and answering[0].endpoint in WITHOUT_KEY
        assert is_open or answer.status_code == 401, (method, url, answer.status_code)


def _ended(client):
    """Give keys that let nobody in: an unknown one, an old one, and that of a user who was removed."""
    keys = {"unknown": "0" * 40, "rotated": users.add_user(client.data_dir, "ann")}
    users.rotate_key(client.data_dir, "ann")
    keys["removed"] = users.add_user(client.data_dir, "bob")
    assert client.http.get("/", headers={"Authorization": basic(keys["removed"])}).status_code == 200
    users.remove_user(client.data_dir, "bob")
    return keys


def _addresses():
    """Give every route with every method that it takes, but those that answer without a key."""
    for route in _routes():
        for method in sorted(route.methods or ()):
            url = re.sub(r"{[^}]*}", "1", route.path)
            # a route above it may answer in its place
            first = next(other for other in _routes() if other.path_regex.match(url) and method in other.methods)
            if first.endpoint not in WITHOUT_KEY:
                yield method, url


def test_no_route_and_no_operation_is_open_to_a_wrong_or_ended_key(client):
    """Every route with each of its methods, and every query and mutation: 401, and nothing has changed."""
    keys = _ended(client)
    with client.http.app.state.store.read() as db:
        before = db.execute("SELECT count(*) FROM runs").fetchone()[0], db.execute("PRAGMA data_version").fetchone()[0]
    asked = [*_addresses()]
    assert {"/graphql", "/", "/1/1"} <= {url for _, url in asked}
    operations = [(kind, name) for kind in ("Query", "Mutation") for name in _schema().type_map[kind].fields]
    assert len(operations) > 40
    for what, key in keys.items():
        headers = {"Authorization": basic(key)}
        for method, url in asked:
            answer = client.http.request(method, url, headers=headers, follow_redirects=False)
            assert answer.status_code == 401, (what, method, url)
        for kind, name in operations:
            document = {"query": f"{kind.lower()} {{ {name} {{ __typename }} }}"}
            answer = client.http.post("/graphql", json=document, headers=headers)
            assert answer.status_code == 401, (what, name)
    with client.http.app.state.store.read() as db:
        assert before[0] == db.execute("SELECT count(*) FROM runs").fetchone()[0]


def test_every_route_refuses_other_hosts_and_other_origins(client):
    """Also those that answer without a key: a page elsewhere reaches none of them in a browser."""
    for route in _routes():
        url = re.sub(r"{[^}]*}", "1", route.path)
        for method in sorted(route.methods or ()):
            rebound = client.http.request(method, url, headers={"Host": "evil.example"}, follow_redirects=False)
            assert rebound.status_code == 400, (method, url)
            foreign = client.http.request(
                method, url, headers={"Origin": "http://evil.example"}, follow_redirects=False
            )
            assert foreign.status_code == 403, (method, url)


def test_the_names_of_our_own_addresses_are_nobodys(client, tmp_path):
    """What a route begins with is reserved, so that no entity and no user is called so; a project may be."""
    first = {route.path.split("/")[1] for route in _routes()}
    assert {name for name in first if name and "{" not in name} == RESERVED
    query = "mutation($e: String, $n: String!) { upsertModel(input: {name: $n, entityName: $e}) { inserted } }"
    for name in RESERVED - {"-"}:  # which is no user's name in any case
        assert "begin with it" in client.graphql(query, status=400, e=name, n="p")
        assert client.graphql(query, e="local", n=name)["upsertModel"]["inserted"]
        with pytest.raises(ServerError, match="begin with it"):
            users.add_user(tmp_path / "other", name)


def test_a_project_of_a_name_that_is_reserved_since_goes_on(client):
    """Its runs are taken as before."""
    with client.http.app.state.store.write() as db:
        db.execute("INSERT INTO projects (entity, name, created_at) VALUES ('login', 'p', 0)")
    query = 'mutation { upsertBucket(input: {name: "r", modelName: "p", entityName: "login"}) { inserted } }'
    assert client.graphql(query)["upsertBucket"]["inserted"]


def ask(client, *headers: tuple[str, str], method: str = "GET", path: str = "/healthz") -> int:
    """Send a request with just these headers, each as often as it is named; give the status."""
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message):
        sent.append(message)

    async def request() -> None:
        await client.http.app(scope, receive, send)

    client.http.portal.call(request)
    return sent[0]["status"]


OURS = ("host", "127.0.0.1:1")


@pytest.mark.parametrize(
    "hosts",
    [[], ["127.0.0.1:1", "evil.example"], ["evil.example", "127.0.0.1:1"], ["127.0.0.1:1", "127.0.0.1:1"]],
)
def test_a_request_has_one_host(client, hosts):
    """None, or a second one behind or before ours: what stands in front of us may have looked at the other."""
    assert ask(client, *(("host", host) for host in hosts)) == 400
    assert ask(client, OURS) == 200


@pytest.mark.parametrize(
    ("origins", "status"),
    [
        (["http://127.0.0.1:1"], 200),
        (["HTTP://127.0.0.1:1"], 200),
        (["https://127.0.0.1:1"], 200),
        (["http://127.0.0.1:2"], 403),
        (["http://127.0.0.1"], 403),
        (["http://127.0.0.1:1.evil.example"], 403),
        (["http://evil.example/127.0.0.1:1"], 403),
        (["null"], 403),
        ([""], 403),
        (["http://127.0.0.1:1", "http://evil.example"], 403),
        (["http://evil.example", "http://127.0.0.1:1"], 403),
    ],
)
def test_each_origin_is_ours(client, origins, status):
    """Host and port as a whole, and of several all: a page on another port is another page."""
    assert ask(client, OURS, *(("origin", origin) for origin in origins)) == status


@pytest.mark.parametrize("site", ["cross-site", "same-site", "else"])
@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (("navigate", "document", "GET"), 200),
        (("navigate", "document", "HEAD"), 200),
        (("navigate", None, "GET"), 200),
        (("navigate", "iframe", "GET"), 403),
        (("navigate", "frame", "GET"), 403),
        (("navigate", "object", "GET"), 403),
        (("navigate", "embed", "GET"), 403),
        (("navigate", "", "GET"), 403),
        (("navigate", "iframe", "HEAD"), 403),
        (("navigate", "document", "POST"), 403),
        (("navigate", "document", "PUT"), 403),
        (("nested-navigate", "document", "GET"), 403),
        (("no-cors", "document", "GET"), 403),
        (("no-cors", "image", "GET"), 403),
        (("websocket", "websocket", "GET"), 403),
        ((None, "document", "GET"), 403),
        ((None, None, "GET"), 403),
    ],
)
def test_another_page_may_only_link_to_ours(client, site, asked, status):
    """A person who follows a link sees the page; no frame, form, image or script of another site gets any of it."""
    mode, dest, method = asked
    given = [("sec-fetch-site", site), ("sec-fetch-mode", mode), ("sec-fetch-dest", dest)]
    headers = [(name, value) for name, value in given if value is not None]
    assert ask(client, OURS, *headers, method=method) == status


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_a_frame_without_an_origin_reads_what_is_its_own_alone(client, method):
    """Every route with every method: what a script in Netron's frame asks for is refused, but its own."""
    frame = (OURS, ("origin", "null"), ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors"))
    for route in _routes():
        url = re.sub(r"{[^}]*}", "1", route.path)
        answering = [other for other in _routes() if other.path_regex.match(url) and method in other.methods]
        reads = method in {"GET", "HEAD"} and answering and answering[0].endpoint in WITHOUT_ORIGIN
        # what is its own answers with what it has: no such file, or no right to that content
        assert (ask(client, *frame, method=method, path=url) == 403) or reads, (method, url)
    assert ask(client, *frame, path="/-/netron/index.js") == 200
    assert ask(client, *frame[:1], *frame[2:3], ("sec-fetch-mode", "no-cors"), path="/-/netron/index.js") == 200
    evil = ("origin", "http://evil.example")
    assert ask(client, OURS, evil, *frame[1:], path="/-/netron/index.js") == 403


@pytest.mark.parametrize("site", ["none", "same-origin"])
@pytest.mark.parametrize("dest", ["iframe", "document", "empty"])
def test_our_own_pages_and_the_persons_own_words_come_in(client, site, dest):
    """Whatever they are for; a script, which sends none of these headers, too."""
    headers = [("sec-fetch-site", site), ("sec-fetch-mode", "cors"), ("sec-fetch-dest", dest)]
    assert ask(client, OURS, *headers) == 200
    assert ask(client, OURS) == 200


def test_only_ones_own_key_in_its_own_form_opens(client):
    """The scheme in any case, any name before the colon; no other scheme, no half key, no second one behind it."""
    key = (client.data_dir / "api-key").read_text().strip()
    good = basic(key)
    for header, status in {
        good: 200,
        good.replace("Basic", "bAsIc"): 200,
        basic(key, user=""): 200,
        good.replace("Basic", "Bearer"): 401,
        good.replace("Basic ", "Basic"): 401,
        basic(key[:-1]): 401,
        basic(key + "0"): 401,
        basic(key + "\n"): 401,
        basic(key.upper()): 401,
        basic(f"{key}:{key}"): 401,
        f"Bearer {key}": 401,
    }.items():
        assert ask(client, OURS, ("authorization", header), path="/") == status, header


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"])
def test_a_session_only_reads(client, method):
    """The browser's cookie opens what is read; whatever changes something wants the key."""
    path = client.http.post("/login/link").json()["path"]
    found = client.http.get(path, headers={"Authorization": ""})
    cookie = found.headers["set-cookie"].partition(";")[0]
    status = ask(client, OURS, ("cookie", cookie), method=method, path="/")
    assert status == {"GET": 200, "HEAD": 200}.get(method, 401)
    assert ask(client, OURS, ("cookie", cookie[:-1]), method=method, path="/") == 401


def test_only_our_own_pages_are_told_that_they_may_ask(client):
    """What a browser asks before it sends (OPTIONS): another page is refused, and no other question is answered."""
    assert ask(client, OURS, ("origin", "http://127.0.0.1:1"), method="OPTIONS") == 200
    assert ask(client, OURS, ("origin", "http://evil.example"), method="OPTIONS") == 403
    assert ask(client, OURS, method="OPTIONS", path="/") == 401


def test_any_name_is_still_a_name():
    """A server that may be called anything takes names and addresses, and nothing else for one."""
    gate = Gate(None, is_open=(), for_pages=(), for_frames=(), hosts={"*"})
    for host in ("sweeps.example", "a:1", "A-b_c.d:65535", "[::1]:80", "10.0.0.1"):
        assert gate._is_called(host)
    for host in (
        "",
        "a@b",
        "a b",
        "a/b",
        "a:",
        "a:b",
        "a:123456",
        "[::1",
        "a?b",
        "a#b",
        "é",
        "a:1:1",
        "a" * 254,
        "a\n",
    ):
        assert not gate._is_called(host), host
