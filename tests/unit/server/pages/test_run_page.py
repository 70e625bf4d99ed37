"""The page of a run: what stands on it before any script has run."""

from __future__ import annotations

import json
import re

import pytest

from sweeper.server.pages import run_page

SWEEP = {
    "method": "grid",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}, "fixed": {"value": 7}},
}


def a_run(client, *, exit_code=None, **definition):
    """Make a run of a sweep that has logged two values."""
    (command,) = client.beat(client.agent(client.sweep(SWEEP | definition)))
    name = command["run_id"]
    client.init(name, config='{"lr": {"value": 0.1}}')
    client.log(name, {"_step": 0, "loss": 0.25}, {"_step": 1, "loss": 0.5})
    if exit_code is not None:
        client.stream(name, complete=True, exitcode=exit_code)
    return name


def test_the_head_says_how_the_run_is(client):
    """State in the words of all pages, best and last value, and what the sweep varied, not what it left alone."""
    name = a_run(client, exit_code=0)
    page = client.http.get(f"/local/p/runs/{name}").text
    assert '<span class="state finished" data-fact="fate">finished</span>' in page
    assert '<dt>best loss</dt><dd data-fact="best">0.25</dd>' in page
    assert '<dt>last loss</dt><dd data-fact="last">0.5</dd>' in page
    swept = re.search(r'<p class="swept">(.*?)</p>', page)
    assert swept is not None
    assert "lr" in swept[1]
    assert "fixed" not in swept[1]
    assert 'data-fact="reason" hidden' in page


def test_the_head_says_why_a_run_is_as_it_is(client):
    """What was recorded, or what its state means; and the tab with the details has the exit code."""
    name = a_run(client, exit_code=3)
    page = client.http.get(f"/local/p/runs/{name}").text
    assert '<p class="reason failed" data-fact="reason">' in page
    assert "exit code 3" in page


def test_the_first_tab_is_open_unless_another_is_asked_for(client):
    """Each is a link that a browser without scripts follows; one that there is not is the first."""
    name = a_run(client)
    for asked, open_tab in (("", "charts"), ("?tab=logs", "logs"), ("?tab=nope", "charts")):
        page = client.http.get(f"/local/p/runs/{name}{asked}").text
        shut = [tab for tab in run_page.TABS if re.search(rf'id="panel-{tab}"[^>]* hidden', page)]
        assert shut == [tab for tab in run_page.TABS if tab != open_tab]
        assert page.count('aria-selected="true"') == 1


@pytest.mark.parametrize(
    ("rest", "query"),
    [
        ("logs", "?tab=logs"),
        ("files/a b/c.txt", "?tab=files&file=a+b%2Fc.txt"),
        ("artifacts/x", "?tab=artifacts"),
        ("workspace", ""),
        ("", ""),
    ],
)
def test_addresses_of_wandbs_tabs_open_ours(rest, query):
    """As far as there is one."""
    assert run_page.tab_of(rest) == query


def test_many_values_are_left_to_the_scripts(client, monkeypatch):
    """The page draws a line of few values only: of a million it would take a second to look them up."""
    name = a_run(client)
    assert "<polyline" in client.http.get(f"/local/p/runs/{name}").text
    monkeypatch.setattr(run_page, "MOST_DRAWN", 1)
    page = client.http.get(f"/local/p/runs/{name}").text
    assert "<polyline" not in page
    assert "2 rows were logged" in page


def test_nested_config_has_dotted_names(client):
    """An empty group is shown as one."""
    client.init("r", config='{"opt": {"value": {"lr": 0.5, "more": {"beta": 0.9}, "none": {}}}, "plain": 3}')
    page = client.http.get("/local/p/runs/r").text
    for name in ("opt.lr", "opt.more.beta", "opt.none", "plain"):
        assert f">{name}</th>" in page


def test_a_line_is_drawn_through_two_values_or_more():
    """The lowest value lies at the bottom, the highest at the top; equal ones make a flat line, one makes none."""
    drawn = run_page.chart([1.0, 3.0, 2.0], 300)
    assert drawn is not None
    assert drawn["line"] == "0.0,200.0 320.0,0.0 640.0,100.0"
    assert (drawn["low"], drawn["high"], drawn["count"]) == (1.0, 3.0, 300)
    flat = run_page.chart([2.0, 2.0], 2)
    assert flat is not None
    assert flat["line"] == "0.0,200.0 640.0,200.0"
    assert run_page.chart([1.0], 1) is None


def test_a_page_shows_the_config_as_the_user_wrote_it(client):
    """The SDK's own section and what it stores of media stay away; values come without their wrapping."""
    config = {"lr": {"value": 0.5, "desc": None}, "_wandb": {"value": {"t": "telemetry"}}}
    client.init("r", config=json.dumps(config), summary='{"loss": 0.25, "_step": 777, "image": {"_type": "hidden"}}')
    text = client.http.get("/local/p/runs/r").text
    assert "0.5" in text
    assert "0.25" in text
    assert "telemetry" not in text
    assert "777" not in text
    assert ">hidden" not in text
