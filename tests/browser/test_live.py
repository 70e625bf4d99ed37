"""Pages that are open follow the server: without a reload, after its restart, and at no growing cost."""

from __future__ import annotations

import json
import urllib.request
from base64 import b64encode

import pytest

from tests.browser import browsing
from tests.browser.browsing import Tab
from tests.conftest import User, clean_environ, open_direct

BEGIN = """mutation($name: String, $project: String) { upsertBucket(input: {name: $name, displayName: $name,
    modelName: $project, entityName: "local"}) { bucket { id } } }"""
END = json.dumps({"complete": True, "exitcode": 0}).encode()


class OwnServer:
    """A server that a test may stop, and a tab that is logged in.

    Args:
        browser: The browser.
        user: Whose server it is.
    """

    def __init__(self, browser, user: User) -> None:
        self.user = user
        self.sdk = user.serve()
        self.context = browser.new_context(viewport={"width": 1280, "height": 800})
        self.tab = Tab(self.context.new_page(), self.sdk["WANDB_BASE_URL"])
        path = json.loads(self.ask("/login/link?next=/", b""))["path"]
        self.tab.goto(path)
        self.tab.until_text("This server")

    def ask(self, path: str, body: bytes) -> bytes:
        """Send something with the key."""
        request = urllib.request.Request(self.sdk["WANDB_BASE_URL"] + path, body, method="POST")  # noqa: S310 - ours
        request.add_header("Authorization", "Basic " + b64encode(f"api:{self.sdk['WANDB_API_KEY']}".encode()).decode())
        with open_direct(request) as answer:
            content: bytes = answer.read()
            return content

    def begin(self, name: str, project: str = "p") -> None:
        """Let a run begin, as a process does that says so."""
        self.ask("/graphql", json.dumps({"query": BEGIN, "variables": {"name": name, "project": project}}).encode())

    def log(self, name: str, first: int, *values: float, project: str = "p") -> None:
        """Let it log values of its loss from a step on."""
        content = [json.dumps({"_step": first + i, "loss": value}) for i, value in enumerate(values)]
        body = {"files": {"wandb-history.jsonl": {"offset": first, "content": content}}}
        self.ask(f"/files/local/{project}/{name}/file_stream", json.dumps(body).encode())

    def finish(self, name: str, project: str = "p") -> None:
        """Let it end."""
        self.ask(f"/files/local/{project}/{name}/file_stream", END)


@pytest.fixture
def own(browser, tmp_path):
    """A server for one test, with its tab."""
    home = tmp_path / "home"
    home.mkdir()
    server = OwnServer(browser, User(tmp_path, home, clean_environ(home)))
    yield server
    server.context.close()
    server.user.run("server", "stop")
    server.user.end()


def test_what_happens_is_seen_without_a_reload(own):
    """A run that begins and ends, on the first page and on its project's; nothing goes wrong unseen."""
    own.tab.until("document.querySelector('#link').dataset.state === 'live'", "the stream")
    own.begin("hello")
    own.tab.until_text("hello")
    own.tab.goto("/local/p").until("document.querySelector('#link').dataset.state === 'live'", "the stream")
    row = "[data-key=hello] .state"
    assert own.tab.text(row) == "running"
    own.tab.page.locator("[data-compare=hello]").check()
    own.finish("hello")
    own.tab.until_text("finished", row)
    assert own.tab.page.locator("[data-compare=hello]").is_checked()
    own.tab.check()


def test_curves_that_are_compared_grow_while_their_runs_do(own):
    """What a run logs is on the chart a moment later."""
    for name in ("one", "two"):
        own.begin(name)
        own.log(name, 0, 1.0, 0.5)
    own.tab.goto("/local/p/compare?runs=one,two")
    points = """(() => {
        const chart = window.echarts?.getInstanceByDom(document.querySelector("[data-key=loss] .chart"));
        return chart ? chart.getOption().series?.map((one) => one.data.length).join() : "";
    })()"""
    own.tab.until(f"{points} === '2,2'", "the curves")
    own.log("two", 2, 0.25)
    own.tab.until(f"{points} === '2,3'", "what was logged since")
    own.tab.check()


def test_a_page_goes_on_after_the_server_has_been_away(own):
    """It says that it waits, comes back by itself, and shows what has happened meanwhile."""
    own.tab.until("document.querySelector('#link').dataset.state === 'live'", "the stream")
    own.user.run("server", "stop")
    own.tab.until_text("waiting", "#link", 30)
    own.sdk = own.user.serve()
    assert own.sdk["WANDB_BASE_URL"] == own.tab.url
    own.begin("later")
    own.tab.until_text("later", timeout_s=30)
    own.tab.until_text("live", "#link")


def test_a_page_that_is_open_for_long_does_not_grow(own):
    """A hundred changes later it has as many elements, listeners and connections as before."""
    own.begin("steady")
    own.tab.goto("/local/p").until("document.querySelector('#link').dataset.state === 'live'", "the stream")
    client = own.context.new_cdp_session(own.tab.page)
    client.send("Performance.enable")

    def counts():
        client.send("HeapProfiler.collectGarbage")
        found = {one["name"]: one["value"] for one in client.send("Performance.getMetrics")["metrics"]}
        return found["Nodes"], found["JSEventListeners"], found["JSHeapUsedSize"]

    refresh = """async () => {
        const module = await import(document.querySelector("script[src*='lists.js']").src);
        for (let i = 0; i < 20; i += 1) await module.refresh();
    }"""
    own.tab.page.evaluate(refresh)
    before = counts()
    for _ in range(5):
        own.tab.page.evaluate(refresh)
    after = counts()
    assert after[0] <= before[0] * 1.1 + 50
    assert after[1] <= before[1] * 1.1 + 5
    assert after[2] <= before[2] * 1.2 + 500_000


def test_a_tab_that_nobody_sees_holds_no_connection(own):
    """A browser has six for all its tabs; it catches up when it is looked at again."""
    own.tab.until("document.querySelector('#link').dataset.state === 'live'", "the stream")
    state = """(hidden) => {
        Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    own.tab.page.evaluate(state, True)
    own.tab.page.wait_for_timeout(6000)
    own.begin("unseen")
    own.tab.page.wait_for_timeout(2000)
    assert "unseen" not in own.tab.text()
    own.tab.page.evaluate(state, False)
    own.tab.until_text("unseen")


def test_many_windows_do_not_starve_each_other(own):
    """Eight that are seen at once: each is live and hears of changes, and the server answers all of them meanwhile."""
    own.begin("first")
    paths = ["/", "/local", "/local/p", "/local/p/runs/first", "/", "/local", "/local/p", "/local/p/runs/first"]
    tabs = [Tab(own.context.new_page(), own.tab.url).goto(path) for path in paths]
    for tab in tabs:
        tab.until("document.querySelector('#link').dataset.state === 'live'", "the stream", timeout_s=30)
    asked = "fetch('/-/data/search?q=first').then((answer) => answer.status)"
    assert [tab.page.evaluate(asked) for tab in tabs] == [200] * 8
    own.begin("second")
    for tab, path in zip(tabs, paths, strict=True):
        if path != "/local/p/runs/first":
            tab.until_text("second", timeout_s=30)
    own.finish("first")
    for tab, path in zip(tabs, paths, strict=True):
        if path.startswith("/local/p"):
            tab.until_text("finished", timeout_s=30)
        tab.check()


def test_a_telephone_shows_the_lists_without_scrolling_sideways(own):
    """Nothing is wider than the screen."""
    own.begin("hello")
    own.tab.page.set_viewport_size({"width": browsing.PHONE[0], "height": browsing.PHONE[1]})
    for page in ("/", "/local/p", "/local/p/compare?runs=hello", "/?q=hello", "/login"):
        own.tab.goto(page)
        assert own.tab.page.evaluate("document.documentElement.scrollWidth") <= browsing.PHONE[0], page
