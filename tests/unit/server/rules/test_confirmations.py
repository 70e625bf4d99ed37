"""Confirmations as the server itself knows them, and as a sweep's page shows them."""

from __future__ import annotations

import html
import json
from typing import Any

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}}


def run_all(client, sweep: str) -> None:
    """Work on a sweep until nothing is left; each run logs its `lr`, and a little of its seed."""
    agent = client.agent(sweep)
    while (found := client.beat(agent)) and found[0]["type"] == "run":
        args, run = found[0]["args"], found[0]["run_id"]
        client.init(run, config=json.dumps(args))
        seed = args.get("seed", {"value": 0})["value"]
        client.log(run, {"_step": 0, "loss": args["lr"]["value"] + seed / 1e6})
        client.stream(run, complete=True, exitcode=0)


def page(client, sweep: str) -> str:
    return html.unescape(client.http.get(f"/local/p/sweeps/{sweep}").text)


def again(sweep: str, **more: Any) -> dict[str, Any]:
    parameters = {**GRID["parameters"], "seed": {"values": [1001, 1002, 1003]}}
    return {**GRID, "parameters": parameters, "description": f"confirms {sweep} with other values of seed", **more}


def test_a_sweeps_page_tells_what_other_seeds_have_shown(client):
    """Of the sweep that was confirmed and of the one that does it, each with the way to the other."""
    sweep = client.sweep(GRID)
    run_all(client, sweep)
    assert "Confirmed" not in page(client, sweep)
    other = client.sweep(again(sweep))
    assert "0 of 6 runs with other values of seed" in page(client, sweep)
    run_all(client, other)
    for shown in (sweep, other):
        text = page(client, shown)
        assert "Confirmed with other seeds" in text
        assert "1 is clearly better than 2: not by luck of the seed." in text
        assert "6 of 6 runs with other values of seed" in text
    assert f'href="/local/p/sweeps/{other}"' in page(client, sweep)
    assert f'a confirmation of <a href="/local/p/sweeps/{sweep}"' in page(client, other)


def test_what_names_no_sweep_or_goes_round_in_a_circle_is_no_confirmation(client):
    """Anybody may write such a description."""
    gone = client.sweep(again("gone"))
    assert "Confirmed" not in page(client, gone)
    assert "Confirmed" not in page(client, client.sweep(again(gone)))
    without = client.sweep({name: value for name, value in GRID.items() if name != "metric"})
    assert "Confirmed" not in page(client, client.sweep(again(without)))
