"""Parts of long histories are what picking from the whole would give."""

from __future__ import annotations

import itertools
import json

import pytest

ROWS = 3000


def row(step: int) -> dict:
    """A row with a key in every tenth, one in every thousandth, and values that look like keys."""
    values = {"_step": step, "loss": 1 / (step + 1), "note": "rare", "net": {"deep": step}}
    if step % 10 == 0:
        values["tenth"] = step
    if step % 1000 == 7:
        values["rare"] = step
    return values


@pytest.fixture
def long(client):
    """A client of a server with a long run."""
    for first in range(0, ROWS, 1000):
        client.log("r", *(row(step) for step in range(first, first + 1000)), offset=first)
    return client


def sampled(client, *keys: str, **more: int) -> list[dict]:
    """Ask for rows that hold keys."""
    spec = json.dumps({"keys": ["_step", *keys], **more})
    return client.run("r", f"sampledHistory(specs: [{json.dumps(spec)}])")["sampledHistory"][0]


def steps(rows) -> list[int]:
    """The steps of rows, be they read or not."""
    return [(json.loads(found) if isinstance(found, str) else found)["_step"] for found in rows]


@pytest.mark.parametrize("samples", [2, 7, 500, 2999])
def test_a_sample_is_evenly_spread_with_both_ends(long, samples):
    """Whole rows and rows cut down to keys that all have: the same places."""
    expected = [i * (ROWS - 1) // (samples - 1) for i in range(samples)]
    assert steps(sampled(long, "loss", samples=samples)) == expected
    assert steps(long.run("r", f"history(samples: {samples})")["history"]) == expected


def test_no_row_is_left_out_if_all_may_come(long):
    """A rare key's rows all come, wherever they lie, and a word in a text is no key."""
    assert sampled(long, "rare", samples=500) == [{"_step": step, "rare": step} for step in (7, 1007, 2007)]
    assert len(sampled(long, "tenth", samples=300)) == 300
    assert len(sampled(long, "loss", samples=ROWS)) == ROWS


def test_sparse_keys_are_sampled_from_the_whole_history(long):
    """A key in every tenth row gives nearly as many rows as were asked for, and from everywhere."""
    found = steps(sampled(long, "tenth", samples=100))
    assert len(found) >= 99
    assert max(after - before for before, after in itertools.pairwise(found)) <= 60
    assert all(step % 10 == 0 for step in found)


def test_a_short_history_gives_as_many_rows_as_asked_for(client):
    """Where the last row lacks the key, the last that has it is the sample's end."""
    client.log("r", *({"_step": i, "loss": i} for i in range(5)), {"_step": 5, "image": 1})
    assert steps(sampled(client, "loss", samples=3)) == [0, 2, 4]


def test_a_word_in_a_text_is_not_taken_for_a_key(client):
    """Where the first line of a cell only mentions the key, the next one that has it is taken."""
    rows = [{"_step": i, "say": "loss"} if i % 2 == 0 else {"_step": i, "loss": i} for i in range(2000)]
    client.log("r", *rows)
    found = steps(sampled(client, "loss", samples=50))
    assert len(found) >= 49
    assert all(step % 2 for step in found)


def test_nested_keys_are_found(long):
    """A dotted key reaches into nested mappings."""
    assert sampled(long, "net.deep", samples=2) == [
        {"_step": 0, "net.deep": 0},
        {"_step": ROWS - 1, "net.deep": ROWS - 1},
    ]


def test_pages_hold_every_row_between_two_steps(long):
    """The end is exclusive for whole rows and inclusive for keys; a page does not thin out."""
    page = long.run("r", "history(minStep: 1500, maxStep: 1600, samples: 100)")["history"]
    assert steps(page) == list(range(1500, 1600))
    assert steps(sampled(long, "loss", minStep=1500, maxStep=1599, samples=100)) == list(range(1500, 1600))
    assert len(long.run("r", "history(minStep: 1000, maxStep: 3000, samples: 10)")["history"]) == 10


def test_steps_that_begin_anew_are_found_in_both_places(client):
    """A run that was started twice has the same steps at two places."""
    client.log("r", *({"_step": i, "loss": i} for i in range(100)))
    client.log("r", *({"_step": i, "loss": -i} for i in range(100)), offset=100)
    found = sampled(client, "loss", minStep=10, maxStep=11, samples=500)
    assert [values["loss"] for values in found] == [10, 11, -10, -11]


def test_live_data_of_a_long_history_are_its_ends(long):
    """The SDK reads only where the live rows begin: a million steps would be listed for nothing."""
    live = long.run("r", 'parquetHistory(liveKeys: ["_step"]) { liveData }')["parquetHistory"]["liveData"]
    assert steps(live) == [0, ROWS - 1]
