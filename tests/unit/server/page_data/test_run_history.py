"""The points of a run's charts, from lines and from what they were summed up to."""

from __future__ import annotations

import json

import pytest

from sweeper.server.page_data.run_history import MAX_KEYS, READ_LINES
from sweeper.server.rules.block_filling import BlockFilling
from sweeper.server.store import history_keys, lines, projects, runs
from sweeper.server.store.history_blocks import BLOCK
from sweeper.server.store.lines import HistoryLine

ROWS = READ_LINES + BLOCK
PEAK = 7777


def row(number: int) -> dict:
    """A row of a long history: a saw with one peak, and a key that is logged seldom, over an axis of its own."""
    found = {"_step": 2 * number, "_runtime": number / 10, "saw": 100.0 if number == PEAK else number % 10}
    return found | ({"epoch": number // 1000, "val": -number} if number % 1000 == 0 else {})


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with a short run and with long ones, one of them summed up."""
    from tests.unit.server.conftest import run_server

    for client in run_server(tmp_path_factory.mktemp("server") / "data"):
        client.init("short")
        client.log("short", *(row(number) for number in range(30)), {"_step": 60, "nan": float("nan")})
        store = client.http.app.state.store
        with store.write() as db:
            place = projects.ensure(db, "local", "p", now=0)
            for name in ("long", "unread"):
                history = [HistoryLine(number, json.dumps(row(number)), row(number)) for number in range(ROWS)]
                keys = json.dumps(history_keys.add_keys({}, history))
                run = runs.create(db, place.id, name, state="running", now=0, history_keys=keys)
                lines.put_history(db, run.id, history)
        yield client


def ask(server, run: str, query: str, status: int = 200):
    answer = server.http.get(f"/-/data/local/p/runs/{run}/history?{query}")
    assert answer.status_code == status, answer.text
    return answer.json()


def summed_up(server) -> None:
    """Have all blocks summed up."""
    filling = BlockFilling(server.http.app.state.store)
    while filling.go_on():
        pass


def test_a_short_history_is_given_as_it_was_logged(server):
    """Every value over its step, or over the axis that was asked for; a key without a number is left out."""
    found = ask(server, "short", "key=saw&key=val&key=nan&key=never")
    assert (found["axis"], found["rows"], found["unread"]) == ("_step", 31, 0)
    assert found["keys"]["saw"] == {"x": [2 * n for n in range(30)], "y": [n % 10 for n in range(30)]}
    assert found["keys"].keys() == {"saw", "val"}
    assert ask(server, "short", "key=val&x=epoch")["keys"]["val"] == {"x": [0], "y": [0]}
    assert ask(server, "short", "key=saw&x=val")["keys"]["saw"]["x"] == [0]


def test_a_thinned_history_keeps_its_extremes(server):
    """As many points as the chart is wide."""
    saw = ask(server, "short", "key=saw&width=3")["keys"]["saw"]
    assert len(saw["x"]) == 3
    assert (saw["low"], saw["high"]) == ([0, 0, 0], [9, 9, 9])


@pytest.mark.parametrize("axis", ["_step", "_runtime"])
def test_a_long_history_shows_its_peak(server, axis):
    """From sums alone, over either axis, in as many points as asked for; what lies behind the last block is there."""
    summed_up(server)
    found = ask(server, "long", f"key=saw&key=val&x={axis}&width=50")
    saw, scale = found["keys"]["saw"], 2 if axis == "_step" else 0.1
    assert found["unread"] == 0
    assert len(saw["x"]) == 50
    assert max(saw["high"]) == 100
    peak = saw["x"][saw["high"].index(100)]
    assert abs(peak - PEAK * scale) < ROWS * scale / 50
    assert saw["x"][-1] > (ROWS - ROWS / 40) * scale
    assert found["keys"]["val"]["y"] == [-number for number in range(0, ROWS, 1000)]


def test_a_part_of_a_long_history_is_given_as_it_was_logged(server):
    """Zooming in reads the lines: each value at its own place, and one more on either side."""
    summed_up(server)
    found = ask(server, "long", f"key=saw&from={2 * PEAK - 3}&to={2 * PEAK + 3}")["keys"]["saw"]
    assert found == {"x": [2 * (PEAK + i) for i in range(-2, 3)], "y": [5, 6, 100, 8, 9]}


def test_the_axis_of_define_metric_is_followed_in_sums(server):
    """What is logged seldom lies where its axis was then."""
    summed_up(server)
    found = ask(server, "long", "key=val&x=epoch")["keys"]["val"]
    assert found == {"x": list(range(ROWS // 1000 + 1)), "y": [-1000 * n for n in range(ROWS // 1000 + 1)]}


def test_a_history_that_nobody_has_summed_up_yet_is_sampled(server):
    """After an upgrade, say: the page is told how many rows it does not have whole."""
    with server.http.app.state.store.write() as db:
        db.execute("DELETE FROM history_blocks WHERE run_id = (SELECT id FROM runs WHERE name = 'unread')")
    found = ask(server, "unread", "key=saw&width=50")
    assert found["unread"] == ROWS
    assert len(found["keys"]["saw"]["x"]) == 50


@pytest.mark.parametrize("query", ["from=x", "to=nan", "width=a", "&".join(["key=a"] * (MAX_KEYS + 1))])
def test_what_cannot_be_asked_is_refused(server, query):
    """In words."""
    assert ask(server, "short", query, 400)["errors"]
