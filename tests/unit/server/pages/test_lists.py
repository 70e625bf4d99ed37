"""The pages that list: what is on them, how often they ask for it, and the way on to everything there is."""

from __future__ import annotations

from contextlib import contextmanager

import pytest
import yaml
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sweeper.server.pages import lists, views
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.store import projects, sweeps, users
from sweeper.server.store.database import MEMORY, Store
from sweeper.server.store.run_files import FileStore

SWEEP = {
    "method": "grid",
    "name": "first <b>sweep</b>",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}},
}


class WatchedStore(Store):
    """A database that counts what is asked of it, and refuses a read within a read."""

    reads = 0
    statements = 0
    reading = False

    @contextmanager
    def read(self):
        """Give a connection, as the database does."""
        assert not self.reading, "a read within a read"
        self.reads, self.reading = self.reads + 1, True
        try:
            with super().read() as db:
                db.set_trace_callback(self.count)
                yield db
                db.set_trace_callback(None)
        finally:
            self.reading = False

    def count(self, statement):
        """Count a statement of the read in progress."""
        self.statements += statement.startswith("SELECT")


@pytest.fixture
def watched(tmp_path):
    """A database that counts, and a client of the pages over it."""
    store = WatchedStore(MEMORY)
    app = Starlette(routes=views.ROUTES)
    app.state.store, app.state.dispatcher, app.state.files = store, Dispatcher(store), FileStore(tmp_path)
    with TestClient(app) as http:
        yield store, http
    store.close()


def add_project(store, name):
    """Make a project with two sweeps."""
    with store.write() as db:
        user = users.ensure_user(db, "local", "k" * 40, now=1.0)
        place = projects.ensure(db, "local", name, now=1.0)
        for seed in range(2):
            text = yaml.safe_dump(SWEEP)
            sweeps.create(db, place.id, text, user_id=user.id, seed=seed, display_name=None, now=1.0)


def asked_for(store, http, path):
    """Count the reads and queries that a page takes."""
    store.reads = store.statements = 0
    answer = http.get(path)
    assert answer.status_code == 200, answer.text
    return store.reads, store.statements


def test_the_home_page_asks_as_much_for_ten_projects_as_for_one(watched):
    """It takes one read, and no more queries for sweeps whose end it has seen before."""
    store, http = watched
    add_project(store, "p0")
    asked_for(store, http, "/")
    reads, statements = asked_for(store, http, "/")
    assert (reads, statements < 25) == (1, True)
    for number in range(1, 10):
        add_project(store, f"p{number}")
    asked_for(store, http, "/")
    assert asked_for(store, http, "/") == (reads, statements)
    page = http.get("/").text
    assert page.count("0 of 2") == lists.RECENT
    assert all(f'href="/local/p{number}"' in page for number in range(10))


def test_the_page_of_a_project_asks_as_much_for_many_sweeps_as_for_two(watched):
    """One read, and no query for each sweep that is over."""
    store, http = watched
    add_project(store, "p")
    asked_for(store, http, "/local/p")
    reads, statements = asked_for(store, http, "/local/p")
    assert reads == 1
    for _ in range(5):
        add_project(store, "p")
    asked_for(store, http, "/local/p")
    assert asked_for(store, http, "/local/p") == (reads, statements)


def test_a_project_tells_of_each_sweep_how_it_stands(client):
    """State, progress, the best run with its value and page, what it optimises; with every name escaped."""
    sweep = client.sweep(SWEEP)
    assert "idle" in client.http.get("/local/p").text
    (command,) = client.beat(client.agent(sweep))
    name = command["run_id"]
    client.init(name)
    client.log(name, {"_step": 0, "loss": 2.5}, {"_step": 1, "loss": 1.25})
    for address in ("/local/p", "/"):
        assert '<span class="state running">running</span>' in client.http.get(address).text
    client.stream(name, complete=True, exitcode=0)
    page = client.http.get("/local/p").text
    assert f'<a href="/local/p/runs/{name}">1.25</a>' in page
    for part in ("1 of 2", "minimize loss", "grid", "first &lt;b&gt;sweep&lt;/b&gt;", "1 finished, 1 to come"):
        assert part in page, part
    assert "<b>sweep" not in page


def test_home_tells_what_is_at_work_and_how_the_server_is(client):
    """Runs outside sweeps, too; of nothing it says how to begin."""
    page = client.http.get("/").text
    assert "Nothing is running." in page
    assert "sweeper create sweeps/quickstart.yaml" in page
    client.init("by-hand")
    client.agent(client.sweep(SWEEP))
    page = client.http.get("/").text
    assert 'href="/local/p/runs/by-hand"' in page
    assert "<dt>Agents at work</dt><dd>1</dd>" in page
    assert "<dt>Runs at work</dt><dd>1</dd>" in page


def test_a_project_shows_the_latest_runs_outside_sweeps_and_leads_to_all(client, monkeypatch):
    """A browser takes seconds to lay out ten thousand."""
    monkeypatch.setattr(lists, "MOST_LOOSE", 3)
    for number in range(5):
        client.init(f"r{number}")
    page = client.http.get("/local/p").text
    assert 'data-compare="r1"' not in page
    assert 'data-compare="r2"' in page
    assert '<a href="?runs=all">Show 2 more</a>' in page
    assert 'data-compare="r0"' in client.http.get("/local/p?runs=all").text


def test_a_search_finds_projects_sweeps_and_runs(client):
    """By parts of their names, or by an id; on a page without scripts, too."""
    sweep = client.sweep(SWEEP)
    client.init("special-run")
    page = client.http.get("/", params={"q": "FIRST <b>"}).text
    assert f'href="/local/p/sweeps/{sweep}"' in page
    assert "first &lt;b&gt;sweep" in page
    assert 'href="/local/p/runs/special-run"' in client.http.get("/?q=special").text
    assert "Nothing of that name" in client.http.get("/?q=%25").text


def test_a_sweep_that_learns_counts_what_was_tried_before(client):
    """A grid point that an attached run has had is not tried again, and the overview expects one run fewer."""
    client.init("old", config='{"lr": {"value": 0.1}}', summary='{"loss": 1}')
    client.stream("old", complete=True, exitcode=0)
    query = """mutation($config: String!, $filters: JSONString) { upsertSweep(input: {
        config: $config, projectName: "p", priorRunsFilters: $filters}) { sweep { runCountExpected } } }"""
    found = client.graphql(query, config=yaml.safe_dump(SWEEP), filters='{"name": "old"}')
    expected = found["upsertSweep"]["sweep"]["runCountExpected"]
    client.sweep(SWEEP)
    assert f"0 of {expected}" in client.http.get("/").text
    assert "0 of 2" in client.http.get("/").text
    assert expected == 1


def test_an_entity_has_a_page_of_its_projects(client):
    """What a person gets who cuts an address short; somebody without projects has none."""
    client.init("r", project="p")
    client.init("r", project="other")
    text = client.http.get("/local").text
    assert '<a href="/local/p">p</a>' in text
    assert '<a href="/local/other">other</a>' in text
    assert client.http.get("/nobody").status_code == 404
