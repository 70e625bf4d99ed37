"""The pages: what they show, how often they ask for it, and that nothing on them acts."""

from __future__ import annotations

import html
import json
import re

import pytest

SWEEP = {
    "method": "grid",
    "name": "first <b>sweep</b>",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}},
}


def test_pages_show_the_sweep_and_its_runs(client):
    """The pages at the addresses the SDK prints show state, parameters, metric and reason, with names escaped."""
    sweep = client.sweep(SWEEP)
    (command,) = client.beat(client.agent(sweep))
    name = command["run_id"]
    client.init(name, config='{"lr": {"value": 0.1}, "_wandb": {"value": {}}}')
    client.log(name, {"_step": 0, "loss": 2.5}, {"_step": 1, "loss": 1.25})
    client.upload(name, "model.onnx", b"x")
    client.stream(name, complete=True, exitcode=7)
    pages = {
        path: client.http.get(path) for path in ("/", "/local/p", f"/local/p/sweeps/{sweep}", f"/local/p/runs/{name}")
    }
    for page in pages.values():
        assert page.status_code == 200
        assert "<b>sweep</b>" not in page.text
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "1 of 2" in pages["/"].text
    for part in ("1.25", "0.1", "exit code 7", "failed"):
        assert part in pages[f"/local/p/sweeps/{sweep}"].text
    for part in ("<polyline", "model.onnx", "exit code 7"):
        assert part in pages[f"/local/p/runs/{name}"].text


def test_random_draws_in_place_of_a_search_are_reported(serve, tmp_path):
    """A run that could not wait for its search says so in its summary, on its page and on its sweep's."""
    bayes = {"method": "bayes", "metric": {"name": "loss"}, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}
    client = next(server := serve(tmp_path / "data", search_ahead=True))
    sweep = client.sweep(bayes)
    (command,) = client.beat(client.agent(sweep))  # the process takes a second to start
    summary = json.loads(client.run(command["run_id"], "summaryMetrics")["summaryMetrics"])
    assert summary["_sweeper"]["suggestion"]["fallback"] == "the search process is starting"
    for page, part in (("sweeps", "random, 1 runs: the search process"), ("runs", "at random: the search process")):
        name = sweep if page == "sweeps" else command["run_id"]
        assert part in client.http.get(f"/local/p/{page}/{name}").text
    server.close()


@pytest.mark.parametrize("path", ["/local/nope", "/local/p/sweeps/nope", "/local/p/runs/nope"])
def test_page_of_nothing_is_not_found(client, path):
    """A page of something that is not there is a 404 that names it."""
    client.init("r")
    answer = client.http.get(path)
    assert answer.status_code == 404
    assert "nope" in answer.json()["errors"][0]["message"]


def test_an_alert_stands_on_the_runs_page(client):
    """What run.alert() says is kept, escaped, and shown; of a run that is not there it is a 404."""
    client.init("r")
    query = """mutation($run: String!, $severity: AlertSeverity = INFO, $wait: Duration) {
        notifyScriptableRunAlert(input: {projectName: "p", runName: $run, title: "<b>slow", text: "very",
            severity: $severity, waitDuration: $wait}) { success } }"""
    assert client.graphql(query, run="r", severity="WARN", wait=1000)["notifyScriptableRunAlert"] == {"success": True}
    page = client.http.get("/local/p/runs/r").text
    assert "WARN" in page
    assert "&lt;b&gt;slow: very" in page
    client.graphql(query, status=404, run="x")


@pytest.mark.parametrize(
    ("address", "page"),
    [
        ("/local/my%20p/", "/local/my%20p"),
        ("/local/my%20p/sweeps", "/local/my%20p"),
        ("/local/my%20p/runs/", "/local/my%20p"),
        ("/local/my%20p/workspace?nw=x", "/local/my%20p"),
        ("/local/my%20p/groups/g/workspace", "/local/my%20p"),
        ("/local/my%20p/runs/r/overview", "/local/my%20p/runs/r?tab=overview"),
        ("/local/my%20p/runs/r/logs/", "/local/my%20p/runs/r?tab=logs"),
        ("/local/my%20p/runs/r/workspace", "/local/my%20p/runs/r"),
        ("/local/my%20p/runs/r/files/a/b.txt", "/local/my%20p/runs/r?tab=files&file=a%2Fb.txt"),
        ("/local/my%20p/sweeps/SWEEP/overview", "/local/my%20p/sweeps/SWEEP"),
        ("/local/my+p/sweeps/SWEEP", "/local/my%20p/sweeps/SWEEP"),
        ("/local/my+p", "/local/my%20p"),
    ],
)
def test_addresses_that_wandb_has_lead_to_pages_that_we_have(client, address, page):
    """Tabs of runs and sections of projects lead to the page above them; `+` is how the SDK writes a space."""
    sweep = client.sweep(SWEEP, project="my p")
    client.init("r", project="my p")
    answer = client.http.get(address.replace("SWEEP", sweep))
    assert answer.status_code == 200
    assert answer.url.raw_path.decode() == page.replace("SWEEP", sweep)


@pytest.mark.parametrize("name", ["a+b", "grösse 1", "100&more", "a;b", "a'b", 'a"b', "a$(b)", "<i>", "~x", "a=b,c@d"])
def test_a_project_of_any_name_has_pages_and_links_to_them(client, name):
    """Every link on the pages above leads to it."""
    sweep = client.sweep(SWEEP, project=name)
    client.init("r", project=name)
    seen = set()
    for page in ("/", "/local"):
        links = re.findall(r'href="(/[^"]+)"', client.http.get(page).text)
        assert links
        for link in map(html.unescape, links):
            seen.add(link)
            assert client.http.get(link).status_code == 200
    below = "".join(client.http.get(link).text for link in seen)
    assert f"/sweeps/{sweep}" in below
    assert "/runs/r" in below


@pytest.mark.parametrize("path", ["/nobody", "/local/nope", "/local/p/swep/x", "/local/p/runs/nope", "/a/b/c/d/e"])
def test_a_mistyped_address_is_a_page_for_a_browser_and_json_for_the_sdk(client, path):
    """What is wrong, and the way back to what there is."""
    client.init("r")
    answer = client.http.get(path, headers={"Accept": "text/html,*/*"})
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert '<a href="/">All projects</a>' in answer.text
    assert f'<a href="/{path.split("/")[1]}">' in answer.text
    assert client.http.get(path, headers={"Accept": "*/*"}).json()["errors"]


def test_the_command_on_a_sweeps_page_can_be_copied(client):
    """With quotes where the shell needs them."""
    sweep = client.sweep(SWEEP, project="my p")
    text = html.unescape(client.http.get(f"/local/my%20p/sweeps/{sweep}").text)
    assert f"sweeper launch 'local/my p/{sweep}'" in text
