"""Browsers: let in by an address that works once or by a key, kept in by a cookie that only reads, let out again."""

from __future__ import annotations

import base64
import subprocess
import sys

import pytest

from sweeper.server.pages.login import MAX_FORM
from sweeper.server.store import users

HTML = {"Accept": "text/html"}


@pytest.fixture
def browser(client):
    """A client of the same server that has no key."""
    client.key = client.http.headers.pop("Authorization")
    client.http.headers["Accept"] = "text/html"
    return client


def link(browser, **query):
    """Ask for an address that logs in."""
    answer = browser.http.post("/login/link", params=query, headers={"Authorization": browser.key})
    assert answer.status_code == 200, answer.text
    return answer.json()["path"]


def plain_key(browser):
    """The key itself."""
    return base64.b64decode(browser.key.split()[1]).decode().partition(":")[2]


def test_address_lets_a_browser_in_once(browser):
    """The address sets a cookie and leads on without the token; a second time it shows the form."""
    address = link(browser, next="/local/p?x=1")
    answer = browser.http.get(address)
    assert answer.status_code == 200
    assert 'http-equiv="refresh" content="0; url=/local/p?x=1"' in answer.text
    assert address.split("token=")[1][:20] not in answer.text
    cookie = answer.headers["Set-Cookie"].lower()
    assert cookie.startswith("sweeper-1=")
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert browser.http.get("/").status_code == 200
    assert "url=/local/p?x=1" in browser.http.get(address).text  # who is in goes on, by a used address too
    browser.http.cookies.clear()
    assert browser.http.get(address).status_code == 401
    assert browser.http.get("/").status_code == 401


def test_page_without_a_session_says_how_to_get_in(browser):
    """A person sees the command that prints an address for this page, and a form; a program sees JSON."""
    answer = browser.http.get("/local/my%20p")
    assert answer.status_code == 401
    assert "WWW-Authenticate" not in answer.headers
    assert 'sweeper server url "/local/my%20p"' in answer.text.replace("&#34;", '"')
    assert 'name="next" value="/local/my%20p"' in answer.text
    assert "errors" in browser.http.get("/local/p", headers={"Accept": "application/json"}).json()


def test_key_typed_into_the_form_lets_in(browser):
    """The right key leads to the page that was asked for; a wrong one back to the form."""
    form = {"key": f" {plain_key(browser)} ", "next": "/local/p"}
    assert "does not know that key" in browser.http.post("/login", data={**form, "key": "x" * 40}).text
    answer = browser.http.post("/login", data=form, follow_redirects=False)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/local/p")
    assert browser.http.get("/").status_code == 200


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https://evil.example", "x", "/\r\nX: y", ""])
def test_login_leads_to_pages_of_ours_only(browser, target):
    """Nobody is sent to another site by a login."""
    form = {"key": plain_key(browser), "next": target}
    assert browser.http.post("/login", data=form, follow_redirects=False).headers["Location"] == "/"
    assert link(browser, next=target).endswith("next=%2F")


def test_session_only_reads(browser):
    """But for what our pages ask for (test_actions.py), whatever changes something needs the key."""
    browser.http.get(link(browser))
    assert browser.http.post("/graphql", json={"query": "{ viewer { id } }"}).status_code == 401
    assert browser.http.post("/files/local/p/r/file_stream", json={}).status_code == 401
    assert browser.http.post("/login/link").status_code == 401


def test_logging_out_ends_the_session(browser):
    """After it, the cookie is worth nothing, also to whoever kept a copy."""
    browser.http.get(link(browser))
    kept = dict(browser.http.cookies)
    browser.http.post("/logout")
    assert dict(browser.http.cookies) == {}
    browser.http.cookies.update(kept)
    assert browser.http.get("/").status_code == 401


@pytest.mark.parametrize("headers", [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Origin": "http://[x"}])
def test_foreign_pages_cannot_send_the_forms(browser, headers):
    """Nobody is logged in or out by a page elsewhere."""
    assert browser.http.post("/login", data={"key": plain_key(browser)}, headers=headers).status_code == 403
    assert browser.http.post("/logout", headers=headers).status_code == 403


def test_cookie_is_secure_under_tls(browser):
    """Under TLS the cookie never travels without it, and no other name of the domain can set it."""
    browser.http.base_url = "https://127.0.0.1:1"
    cookie = browser.http.get(link(browser)).headers["Set-Cookie"].lower()
    assert cookie.startswith("__host-sweeper-1=")
    assert "; secure" in cookie


def test_rotated_key_ends_the_old_one_and_its_sessions(browser):
    """From the moment a key is rotated, neither the old key nor a browser that came with it gets in."""
    browser.http.get(link(browser))
    new = users.rotate_key(browser.data_dir, "local")
    assert browser.http.get("/").status_code == 401
    assert browser.http.get("/", headers={"Authorization": browser.key}).status_code == 401
    basic = "Basic " + base64.b64encode(f"api:{new}".encode()).decode()
    assert browser.http.get("/", headers={"Authorization": basic}).status_code == 200
    file = browser.data_dir / "api-key"
    assert file.read_text().strip() == new
    assert file.stat().st_mode & 0o777 == 0o600


def test_removed_user_is_out_and_their_runs_stay(client):
    """A removed user's key is unknown at once; what they made is still there."""
    key = users.add_user(client.data_dir, "ann")
    basic = {"Authorization": "Basic " + base64.b64encode(f"api:{key}".encode()).decode()}
    query = 'mutation { upsertBucket(input: {name: "r", modelName: "p"}) { inserted } }'
    assert client.http.post("/graphql", json={"query": query}, headers=basic).status_code == 200
    users.remove_user(client.data_dir, "ann")
    assert client.http.get("/", headers=basic).status_code == 401
    assert client.http.get("/ann/p/runs/r").status_code == 200
    assert [row.name for row in users.all_users(client.data_dir)] == ["local"]


def test_what_another_process_does_to_keys_counts_from_the_next_request_on(client):
    """A running server lets in who has just been added, and nobody who has just been removed."""

    def manage(*arguments):
        command = [sys.executable, "-m", "sweeper", "server", *arguments, "--data", str(client.data_dir)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def status(key):
        basic = "Basic " + base64.b64encode(f"api:{key}".encode()).decode()
        return client.http.get("/", headers={"Authorization": basic}).status_code

    first = manage("add-user", "ann")
    assert status(first) == 200
    second = manage("rotate-key", "ann")
    assert (status(first), status(second)) == (401, 200)
    manage("remove-user", "ann")
    assert status(second) == 401


def test_a_form_has_a_length(browser):
    """Just so much is read, and of more nothing."""
    key = plain_key(browser)
    for more, status in ((0, 303), (1, 413)):
        body = f"key={key}&next=/&x=".encode()
        body += b"x" * (MAX_FORM - len(body) + more)
        answer = browser.http.post("/login", content=body, follow_redirects=False)
        assert answer.status_code == status


def test_no_script_reads_a_session(browser):
    """Nor does another site's page send it; it ends with the session, after a month."""
    form = browser.http.post("/login", data={"key": plain_key(browser)}, follow_redirects=False)
    for answer in (form, browser.http.get(link(browser))):
        cookie = answer.headers["Set-Cookie"].lower()
        assert {"httponly", "samesite=strict", "max-age=2592000"} <= set(cookie.split("; "))
