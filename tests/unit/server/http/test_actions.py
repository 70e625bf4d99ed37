"""The one thing that a browser's session may change, asked for by pages of ours alone."""

from __future__ import annotations

import re

import pytest

from sweeper.server.http.actions import FOR_PAGES, MAX_BODY
from sweeper.server.http.app import _routes
from sweeper.server.store import users

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2, 0.3]}}}
ORIGIN = "http://127.0.0.1:1"
PAGE = {"Origin": ORIGIN, "X-Sweeper-Page": "1", "Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
"""What a browser sends with what a script of our page asks for."""


@pytest.fixture(scope="module")
def server(serve_module, tmp_path_factory):
    """A server that these tests share."""
    yield from serve_module(tmp_path_factory.mktemp("actions") / "data")


@pytest.fixture
def browser(server):
    """A browser that is logged in; the API key is set aside."""
    key = server.http.headers["Authorization"]
    path = server.http.post("/login/link", headers={"Authorization": key}).json()["path"]
    del server.http.headers["Authorization"]
    server.http.get(path, headers={"Accept": "text/html"})
    server.key = key
    yield server
    server.http.cookies.clear()
    server.http.headers["Authorization"] = key


@pytest.fixture
def sweep(server):
    """A sweep of the server's own user."""
    return server.sweep(GRID)


def state(browser, sweep):
    """What a sweep is, as the browser reads it."""
    return browser.http.get(f"/-/data/local/p/sweeps/{sweep}/actions").json()["state"]


def at(sweep, action="pause"):
    """The address of an action on a sweep."""
    return f"/-/actions/local/p/sweeps/{sweep}/{action}"


def test_a_page_pauses_a_sweep_and_says_why(sweep, browser):
    """The answer has what can be asked now, and who asked what; so has everybody's page from then on."""
    answer = browser.http.post(at(sweep), json={"reason": "lunch"}, headers=PAGE)
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert (told["state"], told["actions"]) == ("paused", ["resume", "stop", "cancel"])
    assert [(one["name"], one["user_name"], one["reason"], one["run"]) for one in told["said"]] == [
        ("pause", "local", "lunch", None)
    ]
    assert state(browser, sweep) == "paused"


def test_a_page_stops_a_run_and_has_it_tried_again(server, sweep, browser):
    """Its reason names who, and why."""
    server.http.headers["Authorization"] = server.key
    agent = server.agent(sweep)
    (command,) = server.beat(agent)
    run = command["run_id"]
    server.init(run)
    del server.http.headers["Authorization"]
    url = f"/-/actions/local/p/runs/{run}"
    told = browser.http.post(f"{url}/stop", json={"reason": "<b>slow</b>"}, headers=PAGE).json()
    assert (told["state"], told["stopping"], told["actions"]) == ("running", True, [])
    again = browser.http.post(f"{url}/stop", json={}, headers=PAGE)
    assert (again.status_code, "being stopped already" in again.text) == (409, True)
    server.http.headers["Authorization"] = server.key
    server.stream(run, complete=True, exitcode=1)
    del server.http.headers["Authorization"]
    page = browser.http.get(f"/local/p/runs/{run}").text
    assert "stopped by local: &lt;b&gt;slow&lt;/b&gt;" in page
    told = browser.http.post(f"{url}/retry", json={}, headers=PAGE).json()
    assert (told["state"], [one["name"] for one in told["said"]]) == ("preempted", ["retry", "stop"])


@pytest.mark.parametrize(
    "change",
    [
        {"Origin": None},
        {"Origin": "http://127.0.0.1:2"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"X-Sweeper-Page": None},
        {"X-Sweeper-Page": "0"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "text/plain; application/json"},
        {"Content-Type": None},
    ],
)
def test_pages_of_others_change_nothing(sweep, browser, change):
    """Each of the things that a page elsewhere cannot send is asked for, whatever else is right."""
    headers = {name: value for name, value in {**PAGE, **change}.items() if value is not None}
    answer = browser.http.post(at(sweep), content=b'{"reason": ""}', headers=headers)
    assert (answer.status_code, state(browser, sweep)) == (403, "pending")


def test_a_form_of_a_page_elsewhere_changes_nothing(sweep, browser):
    """As a browser would send it: no header of its own, its origin, and JSON dressed as a form."""
    content, headers = b'{"reason": "=x"}', {"Origin": "http://evil.example", "Content-Type": "text/plain"}
    assert browser.http.post(at(sweep), content=content, headers=headers).status_code == 403
    assert state(browser, sweep) == "pending"


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_no_other_method_changes_anything(sweep, browser, method):
    """A link, a picture, a prefetch: only a POST acts."""
    answer = browser.http.request(method, at(sweep), headers=PAGE)
    assert answer.status_code in {401, 404, 405} or method == "OPTIONS"
    assert state(browser, sweep) == "pending"


def test_another_page_is_not_allowed_to_send_the_header(sweep, browser):
    """A browser asks before it sends a header of a script's own to another origin: the answer is no."""
    headers = {"Origin": "http://evil.example", "Access-Control-Request-Headers": "x-sweeper-page"}
    answer = browser.http.options(at(sweep), headers=headers)
    assert answer.status_code == 403
    assert "Access-Control-Allow-Origin" not in answer.headers


def test_a_session_changes_nothing_else(browser):
    """Every other route that takes more than GET is closed to a session, whatever it sends."""
    asked = 0
    for route in _routes():
        for method in sorted(set(route.methods or ()) - {"GET", "HEAD"}):
            if route.endpoint in FOR_PAGES or route.path.startswith(("/login", "/logout")):
                continue
            url = re.sub(r"{[^}]*}", "1", route.path)
            first = next(one for one in _routes() if one.path_regex.match(url) and method in one.methods)
            answer = browser.http.request(method, url, headers=PAGE, content=b"{}")
            is_open = first.endpoint.__name__ in {"telemetry", "upload", "upload_file"}
            assert answer.status_code in ({200, 403, 404} if is_open else {401}), (method, url)
            asked += 1
    assert asked > 4


def test_without_a_session_or_a_key_nothing_is_changed(server, sweep, browser):
    """Also with all that a page sends."""
    browser.http.cookies.clear()
    assert browser.http.post(at(sweep), json={}, headers=PAGE).status_code == 401
    server.http.headers["Authorization"] = server.key
    assert state(server, sweep) == "pending"
    del server.http.headers["Authorization"]


def test_a_key_that_a_browser_keeps_is_held_to_the_same(server, sweep, browser):
    """It is sent by itself, as a cookie is; a script of yours adds the header."""
    key = {"Authorization": server.key}
    assert browser.http.post(at(sweep), json={}, headers=key).status_code == 403
    foreign = {**key, **PAGE, "Origin": "http://evil.example"}
    assert browser.http.post(at(sweep), json={}, headers=foreign).status_code == 403
    assert browser.http.post(at(sweep), json={}, headers={**key, "X-Sweeper-Page": "1"}).status_code == 200


def test_the_rights_are_those_of_who_is_logged_in(server, sweep, browser):
    """Bob's browser sees local's sweep, has no button for it, and may not act on it by hand either."""
    key = users.add_user(server.data_dir, "bob")
    browser.http.cookies.clear()
    browser.http.post("/login", data={"key": key}, headers={"Origin": ORIGIN})
    told = browser.http.get(f"/-/data/local/p/sweeps/{sweep}/actions").json()
    assert (told["mine"], told["actions"]) == (False, [])
    answer = browser.http.post(at(sweep), json={}, headers=PAGE)
    assert (answer.status_code, "another user's" in answer.text) == (403, True)
    assert state(browser, sweep) == "pending"


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b'{"reason": 1}', 400),
        (b'{"reason": "\\ud800"}', 200),
        (b'{"reason": "' + b"x" * MAX_BODY + b'"}', 413),
    ],
)
def test_what_is_sent_is_a_short_text(sweep, browser, content, status):
    """Anything else is refused, and nothing done; half of a character is replaced."""
    assert browser.http.post(at(sweep), content=content, headers=PAGE).status_code == status
    assert state(browser, sweep) == ("paused" if status == 200 else "pending")


@pytest.mark.parametrize(
    "path", ["sweeps/none/pause", "runs/none/stop", "sweeps/{sweep}/delete", "sweeps/{sweep}/", "else/x/pause"]
)
def test_what_is_not_there_is_said(sweep, browser, path):
    """A sweep, a run, or something to ask of it."""
    answer = browser.http.post(f"/-/actions/local/p/{path.format(sweep=sweep)}", json={}, headers=PAGE)
    assert answer.status_code in {401, 404}
