"""What a run logged, by what is drawn of it."""

from __future__ import annotations

import json

HISTOGRAM = {"_type": "histogram", "values": [1], "bins": [0, 1]}


def charts(client, run: str = "r") -> dict:
    """Ask for it."""
    return client.http.get(f"/-/data/local/p/runs/{run}/charts").json()


def test_keys_are_sorted_by_what_is_drawn_of_them(client):
    """Numbers with their axis and extremes; histograms, media and tables apart; the SDK's own axes are no charts."""
    defined = {"m": [{"1": "epoch"}, {"2": "val/*", "5": 1}]}
    client.init("r", config=json.dumps({"_wandb": {"value": defined}}))
    client.log(
        "r",
        {
            "_step": 0,
            "val/loss": 2.0,
            "epoch": 0,
            "note": "x",
            "g": HISTOGRAM,
            "i": {"_type": "image-file", "path": "a"},
        },
        {"_step": 1, "val/loss": 1.0, "epoch": 1, "t": {"_type": "table-file", "path": "t"}},
        {"_step": 2, "val/loss": "NaN"},
    )
    found = charts(client)
    assert found["keys"] == [
        {"name": "val/loss", "count": 2, "axis": "epoch", "last": 1.0, "low": 1.0, "high": 2.0},
        {"name": "epoch", "count": 2, "axis": "_step", "last": 1.0, "low": 0.0, "high": 1.0},
    ]
    assert (found["rows"], found["live"], found["histograms"], found["tables"]) == (3, True, ["g"], ["t"])
    assert found["media"] == [{"name": "i", "kind": "image-file", "count": 1}]
    assert found["axes"] == ["_step", "epoch"]


def test_the_metrics_of_its_sweep_come_first(client):
    """They are what the sweep is about."""
    sweep = client.sweep({"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [1]}}})
    client.init("r", sweep=sweep)
    assert charts(client)["metrics"] == ["loss"]
    client.init("s", config='{"_wandb": 3}')
    assert (charts(client, "s")["metrics"], charts(client, "s")["keys"]) == ([], [])
