"""JSON in and out: bare NaN is read, never written."""

from __future__ import annotations

import json
import math
from typing import Any

from pydantic_core import from_json
from starlette.responses import Response

from sweeper.server.refusal import RequestError


def parse(text: str | bytes, what: str) -> Any:
    """Read JSON sent by a client; bare `NaN` and `Infinity` are accepted, the SDK sends them.

    Raises:
        RequestError: The text is no JSON, or nests too deeply to be read.
    """
    try:
        # 2.5 times as fast; what it does not read (half a surrogate pair, 200 levels, UTF-16) the other one does
        return from_json(text, cache_strings="keys")
    except ValueError:
        pass
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: JSON, UTF-8 and over-long integers
        raise RequestError(f"{what} is not readable JSON: {error}") from error


def parse_object(text: str | bytes, what: str) -> dict[str, Any]:
    """Read a JSON object sent by a client.

    Raises:
        RequestError: The text is no JSON object.
    """
    value = parse(text, what)
    if not isinstance(value, dict):
        raise RequestError(f"{what} is {type(value).__name__}, expected a JSON object")
    return value


def plain(value: Any) -> Any:
    """Replace numbers that JSON cannot hold by the words W&B uses: "NaN", "Infinity", "-Infinity"."""
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [plain(inner) for inner in value]
    return value


class JsonAnswer(Response):
    """A strict JSON answer.

    One bare NaN in it would make wandb-core 0.31.0 retry until the client times out. ASCII only,
    so that half a surrogate pair that came in from a client cannot fail on its way out.
    """

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Encode the content."""
        return json.dumps(content, allow_nan=False, separators=(",", ":")).encode("ascii")


def refusal_answer(message: str, status: int, headers: dict[str, str] | None = None) -> JsonAnswer:
    """Say what went wrong where the SDK looks for it."""
    return JsonAnswer({"errors": [{"message": message}]}, status_code=status, headers=headers)
