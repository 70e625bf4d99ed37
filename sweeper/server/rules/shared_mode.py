"""Shared mode: several processes write one run at the same time, each counting its lines from its own start.

Such a process names itself in a header (wandb-core 0.31.0); its lines are put behind what is there, and a request
that comes twice still leaves the same lines.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from itertools import count
from typing import Any

from sweeper.server import strict_json
from sweeper.server.store import lines, writer_lines
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import Stream

WRITER_HEADER = "x-wandb-async-client-id"
_TELEMETRY_BIT = 67  # wandb.proto.wandb_telemetry_pb2.Feature.shared_mode, 0.29 to 0.31.0


def is_announced(config: str | None) -> bool:
    """Whether the config of a process that starts says that it shares its run."""
    try:
        bits = json.loads(config or "{}")["_wandb"]["value"]["t"]["3"]
    except (ValueError, LookupError, TypeError):
        return False
    return isinstance(bits, list) and _TELEMETRY_BIT in bits


def merged_config(known: str, sent: str) -> str:
    """Put the config of one of several processes beside the others': each knows its own keys only."""
    old, new = json.loads(known), strict_json.parse_object(sent, "the config")
    return json.dumps(_merged(old, new))


def _merged(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, Any]:
    """Merge objects key by key; of two other values the new one holds."""
    both = {key: _merged(old[key], new[key]) for key in old.keys() & new.keys() if _are_objects(old[key], new[key])}
    return {**old, **new, **both}


def _are_objects(*values: object) -> bool:
    return all(isinstance(value, Mapping) for value in values)


def renumbered(text: str, number: int) -> str:
    """Give a history line its place as its step: each process counts steps from 0.

    Raises:
        RequestError: It is no JSON object.
    """
    return json.dumps({**strict_json.parse_object(text, "a history line"), "_step": number})


def numbers(db: Connection, run_id: int, stream: Stream, writer: str, *, first: int, length: int) -> list[int]:
    """Find where lines go: for one of several writers where they lie already, or behind everything.

    Args:
        db: The write connection.
        run_id: The run.
        stream: The stream.
        writer: Who writes; empty for the only one, whose own count holds.
        first: The writer's own number of its first line.
        length: How many lines there are.
    """
    if not writer:
        return list(range(first, first + length))
    # What lies there already stays where it is: the answer to an earlier request was lost.
    known = writer_lines.numbers(db, run_id, stream, writer, first)
    free = count(lines.count(db, run_id, stream))
    wanted = range(first, first + length)
    new = {line: next(free) for line in wanted if line not in known}
    writer_lines.put(db, run_id, stream, writer, new)
    return [(known | new)[line] for line in wanted]
