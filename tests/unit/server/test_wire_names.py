"""The words of W&B's wire stand where the wire ends: in graphql and http, with few exceptions, each with its reason."""

from __future__ import annotations

import ast
import re
from pathlib import Path

SERVER = Path(__file__).parents[3] / "sweeper" / "server"
INNER = ("rules", "store", "artifacts", "pages", "admin")
CAMEL = re.compile(r"[a-z]+(?:[A-Z][a-z0-9]*)+")
FRAMES = re.compile(r"edges|page_info|exitcode|wandb-[a-z]+\.jsonl?|output\.log")
"""What GraphQL wraps around lists, and the files of a file_stream."""
HISTORY_KEYS = "runs.history_keys holds what W&B calls historyKeys, as clients get it"
FILTER = "filters and orders of runs are a language of their own; clients write its names both ways"
KNOWN = {
    "startedAt": "the SDK writes it into the config that is stored",
    "lastStep": HISTORY_KEYS,
    "typeCounts": HISTORY_KEYS,
    "previousValue": HISTORY_KEYS,
    "createdAt": FILTER,
    "heartbeatAt": FILTER,
    "updatedAt": FILTER,
    "displayName": FILTER,
    "jobType": FILTER,
    "summaryMetrics": FILTER,
}


def words_in(room, form):
    """Find the texts in a room's code that are one word of a form."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in (SERVER / room).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return {node.value for node in nodes if isinstance(node.value, str) and form.fullmatch(node.value)}


def test_the_inner_rooms_know_no_wire_names():
    """What the SDK writes in camelCase is read and written by graphql and http alone; a stale exception goes."""
    assert words_in("graphql", CAMEL) > {"minStep", "maxStep"}
    assert set().union(*(words_in(room, CAMEL) for room in INNER)) == set(KNOWN)


def test_the_inner_rooms_know_no_frames_of_the_wire():
    """They give records and lists; what is wrapped around them on the way is the outer rooms' business."""
    assert words_in("http", FRAMES) | words_in("graphql", FRAMES) >= {"edges", "exitcode", "output.log"}
    assert set().union(*(words_in(room, FRAMES) for room in INNER)) == set()
