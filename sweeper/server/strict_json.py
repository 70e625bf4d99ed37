"""JSON in and out: bare NaN is read, never written."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

from pydantic_core import from_json, to_json
from starlette.responses import Response

from sweeper.server.errors import RequestError

MAX_DEPTH = 100
"""Lists and objects in each other."""
MAX_CONTAINERS = 2_500_000
"""Lists and objects in one text: a manifest of a million files, and more lines of a history than come at a time."""
MAX_COMMAS = 4_000_000
"""Commas in one text, also within strings: while so many values are read nothing else runs for tenths of a second."""


def parse(text: str | bytes, what: str, *, most: int = MAX_COMMAS) -> Any:
    """Read JSON sent by a client; bare `NaN` and `Infinity` are accepted, the SDK sends them.

    Raises:
        RequestError: The text is no JSON, or nests too deeply to be read.
    """
    brackets = (text.count(b"["), text.count(b"{")) if isinstance(text, bytes) else (text.count("["), text.count("{"))
    # looked at first: some bytes of text become some hundred in memory, and nothing else runs while they are read
    commas = 0 if len(text) <= most else text.count(b",") if isinstance(text, bytes) else text.count(",")
    if sum(brackets) > MAX_CONTAINERS or commas > most:
        raise RequestError(f"{what} has more than {MAX_CONTAINERS} lists and objects, or {most} values", 413)
    try:
        value = _read(text)
    except (ValueError, RecursionError) as error:  # ValueError: JSON, UTF-8 and over-long integers
        raise RequestError(f"{what} is not readable JSON: {error}") from error
    if sum(brackets) > MAX_DEPTH and _nests(value):  # counting first: rows of history come by the thousand
        raise RequestError(f"{what} nests more than {MAX_DEPTH} deep")
    return value


def _read(text: str | bytes) -> Any:
    try:
        # 2.5 times as fast; what it does not read (half a surrogate pair, 200 levels, UTF-16) the other one does
        return from_json(text, cache_strings="keys")
    except ValueError:
        return json.loads(text)


def _nests(value: Any) -> bool:
    """Whether containers lie deeper in each other than allowed, without recursion of our own."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
            if isinstance(inner, dict | list)
        ]
        if not level:
            return False
    return True


def parse_object(text: str | bytes, what: str, *, most: int = MAX_COMMAS) -> dict[str, Any]:
    """Read a JSON object sent by a client.

    Raises:
        RequestError: The text is no JSON object.
    """
    value = parse(text, what, most=most)
    if not isinstance(value, dict):
        raise RequestError(f"{what} is {type(value).__name__}, expected a JSON object")
    return value


def stored(text: str) -> Any:
    """Read JSON that `parse` took when it came in: nothing of it needs to be looked at first."""
    return _read(text)


def parse_objects(texts: Sequence[str], what: str) -> list[dict[str, Any]]:
    """Read JSON objects sent by a client, which come by the thousand.

    Raises:
        RequestError: One of the texts is no JSON object.
    """
    # what has so few of them nests no deeper, and what is so short has no more commas
    if all(text.count("{") + text.count("[") <= MAX_DEPTH and len(text) <= MAX_COMMAS for text in texts):
        try:
            found = [from_json(text, cache_strings="keys") for text in texts]
        except ValueError:
            found = []
        if found and set(map(type, found)) == {dict}:
            return found
    return [parse_object(text, what) for text in texts]  # one by one, which also says what is wrong


def text_of(value: Any) -> str:
    """Write a value that `parse` has read, for ourselves: bare NaN stays what it is."""
    try:
        return to_json(value, inf_nan_mode="constants").decode()  # five times as fast; half a surrogate pair it refuses
    except ValueError:
        return json.dumps(value)


def plain(value: Any) -> Any:
    """Replace numbers that JSON cannot hold by the words W&B uses: "NaN", "Infinity", "-Infinity"."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


def encode(value: Any) -> bytes:
    """Write an answer of many values; numbers that JSON cannot hold become the words of `plain`."""
    try:
        return to_json(value, inf_nan_mode="strings")  # several times as fast; half a surrogate pair it refuses
    except ValueError:
        return _ENCODER.encode(plain(value)).encode("ascii")


class JsonAnswer(Response):
    """A strict JSON answer.

    One bare NaN in it would make wandb-core 0.31.0 retry until the client times out. ASCII only,
    so that half a surrogate pair that came in from a client cannot fail on its way out.
    """

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return _ENCODER.encode(content).encode("ascii")


def refusal_answer(message: str, status: int, headers: dict[str, str] | None = None) -> JsonAnswer:
    """Say what went wrong where the SDK looks for it."""
    return JsonAnswer({"errors": [{"message": message}]}, status_code=status, headers=headers)
