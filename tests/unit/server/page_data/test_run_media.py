"""What a run logged beside numbers."""

from __future__ import annotations

import base64
import json

import pytest

from sweeper.server.page_data.run_media import MAX_LAYERS, MAX_ROWS

BINS = {"_type": "histogram", "values": [1, 3], "bins": [0, 1, 2]}
TABLE = {"_type": "table-file", "path": "media/table/t.table.json"}


@pytest.fixture
def ask(client):
    """What asks for one kind of a run's media."""

    def get(what: str, query: str, status: int = 200):
        answer = client.http.get(f"/-/data/local/p/runs/r/{what}?{query}")
        assert answer.status_code == status, answer.text
        return answer.json() if status == 200 else answer.json()["errors"][0]["message"]

    return get


def chart_config(preset: str) -> str:
    """A config that asks for a chart of the table `t`."""
    query = {"queryFields": [{"fields": [{"args": [{"name": "tableKey", "value": "t"}]}]}]}
    panel = {"panelDefId": preset, "fieldSettings": {"label": "a", "value": "b"}, "userQuery": query}
    return json.dumps({"_wandb": {"value": {"visualize": {"bars": {"panel_config": panel}}}}})


def test_histograms_become_pictures(client, ask):
    """Each layer over its steps, those in one row read together; what is none has no picture."""
    client.init("r")
    rows = [{"_step": step, "g/a": BINS, "g/b": BINS, "loss": 1} for step in range(3)]
    client.log("r", *rows, {"_step": 3, "g/a": BINS})
    found = ask("histograms", "key=g/a&key=g/b&key=loss&key=never")
    assert found["layers"]["g/a"]["steps"] == [0, 1, 2, 3]
    assert found["layers"]["g/b"]["steps"] == [0, 1, 2]
    assert found["layers"].keys() == {"g/a", "g/b"}
    assert len(base64.b64decode(found["layers"]["g/b"]["shares"])) == 3 * found["rows"]
    assert "too many" not in ask("histograms", "&".join(["key=x"] * (MAX_LAYERS + 1)), 400)


def test_layers_that_were_never_logged_together_are_read_apart(client, ask):
    """Though equally often."""
    client.init("r")
    client.log("r", {"_step": 0, "a": BINS}, {"_step": 1, "b": BINS})
    layers = ask("histograms", "key=a&key=b")["layers"]
    assert {key: layer["steps"] for key, layer in layers.items()} == {"a": [0], "b": [1]}


def test_media_are_listed_by_step(client, ask):
    """With their captions, as text."""
    client.init("r")
    image = {"_type": "images/separated", "filenames": ["a.png"], "captions": ["<b>"]}
    client.log("r", {"_step": 3, "i": image}, {"_step": 4, "i": image})
    moment = {"files": [{"path": "a.png", "caption": "<b>"}]}
    assert ask("media", "key=i") == {"count": 2, "moments": [{"step": 3, **moment}, {"step": 4, **moment}]}
    assert ask("media", "key=never") == {"count": 0, "moments": []}


def test_a_table_is_read_from_its_file(client, ask):
    """As it was logged last, no more rows than a page shows, and told how many there are."""
    client.init("r")
    client.log("r", {"_step": 3, "t": TABLE})
    assert "has not arrived" in ask("tables", "key=t", 404)
    rows = [[number, "<b>"] for number in range(MAX_ROWS + 1)]
    client.upload("r", TABLE["path"], json.dumps({"columns": ["a", "b"], "data": rows}).encode())
    found = ask("tables", "key=t")
    assert (found["columns"], found["total"], found["steps"], found["path"]) == (
        ["a", "b"],
        MAX_ROWS + 1,
        [3],
        TABLE["path"],
    )
    assert found["rows"] == rows[:MAX_ROWS]
    assert "no table" in ask("tables", "key=t&at=9", 404)
    client.upload("r", TABLE["path"], b'{"columns": 3}')
    assert "is no table" in ask("tables", "key=t", 404)


def test_a_chart_of_wandb_plot_is_drawn_from_its_table(client, ask):
    """Or its table is shown, where nobody knows the chart."""
    client.init("r", config=chart_config("wandb/bar/v0"))
    assert "never logged" in ask("custom", "key=bars", 404)
    client.log("r", {"_step": 0, "t": TABLE})
    client.upload("r", TABLE["path"], b'{"columns": ["a", "b"], "data": [["x", 1]]}')
    found = ask("custom", "key=bars")
    assert (found["drawing"]["labels"], found["drawing"]["values"], found["table"]) == (["x"], [1.0], "t")
    client.init("r", config=chart_config("me/mine/v0"))
    assert ask("custom", "key=bars")["drawing"] is None
    assert "no chart" in ask("custom", "key=never", 404)
    listed = client.http.get("/-/data/local/p/runs/r/charts").json()
    assert (listed["custom"], listed["tables"]) == ([{"name": "bars", "title": "bars"}], [])


def test_a_chart_of_wandb_sklearn_is_drawn_from_its_table(client, ask):
    """It is named alone, and its table is logged under its own key: the table is not listed again."""
    chart = {"id": "wandb/elbow/v1", "historyFieldSettings": {"x-axis": "_step", "key": "t"}}
    client.init("r", config=json.dumps({"_wandb": {"value": {"viz": {"t": chart}}}}))
    client.log("r", {"_step": 0, "t": TABLE})
    client.upload("r", TABLE["path"], b'{"columns": ["cluster_ranges", "errors"], "data": [[1, 9.5], [3, 2]]}')
    assert ask("custom", "key=t")["drawing"]["lines"] == [{"name": "", "x": [1.0, 3.0], "y": [9.5, 2.0]}]
    listed = client.http.get("/-/data/local/p/runs/r/charts").json()
    assert (listed["custom"], listed["tables"]) == ([{"name": "t", "title": "t"}], [])
