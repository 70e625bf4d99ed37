"""The body of a file_stream request and of its answer, in the words of the wire (wandb-core 0.31.0)."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, Field, ValidationError

from sweeper.server import strict_json
from sweeper.server.errors import RequestError, faults_of
from sweeper.server.rules.file_stream import Chunk, Sent
from sweeper.server.store.lines import MAX_LINES, Stream

_CONSOLE = "output.log"
_STREAMS = {
    "wandb-history.jsonl": Stream.HISTORY,
    "wandb-events.jsonl": Stream.EVENTS,
    _CONSOLE: Stream.CONSOLE,
}
_SUMMARY = "wandb-summary.json"
MAX_ROW = 500_000
"""Values in one line or summary: each is read several times, and kept by its key."""
MAX_CONTENT = 500_000
"""Lines in one request: wandb-core (0.31.0) sends 10 MB at a time, and all wait while they are written."""


class _SentLines(BaseModel):
    offset: int = Field(default=0, ge=0, lt=MAX_LINES)
    content: list[str] = []


class _Body(BaseModel):
    files: dict[str, _SentLines] = {}
    preempting: bool = False
    complete: bool = False
    exitcode: int | None = Field(default=None, ge=-(2**31), lt=2**31)  # as GraphQL gives it out again


def read(body: bytes) -> Sent:
    """Read a request; a file that we do not know is passed over.

    Raises:
        RequestError: It is no file_stream request.
    """
    try:
        sent = _Body.model_validate(strict_json.parse_object(body or b"{}", "the request body"))
    except ValidationError as error:
        raise RequestError(f"not a file_stream request: {faults_of(error)}") from error
    if (length := sum(len(chunk.content) for chunk in sent.files.values())) > MAX_CONTENT:
        raise RequestError(f"{length} lines: at most {MAX_CONTENT} are taken at a time", 413)
    texts = [line for name, chunk in sent.files.items() if name != _CONSOLE for line in chunk.content]
    if max(map(len, texts), default=0) > MAX_ROW and any(line.count(",") > MAX_ROW for line in texts):
        raise RequestError(f"a line has more than {MAX_ROW} values", 413)
    known = {_STREAMS[name]: chunk for name, chunk in sent.files.items() if name in _STREAMS}
    summaries = sent.files[_SUMMARY].content if _SUMMARY in sent.files else []
    return Sent(
        lines={stream: Chunk(chunk.offset, chunk.content) for stream, chunk in known.items()},
        summary=summaries[-1] if summaries else None,  # each is whole, so the last one holds
        preempting=sent.preempting,
        complete=sent.complete,
        exit_code=sent.exitcode,
    )


def answer(*, stopped: bool) -> dict[str, Any]:
    """Write an answer; the SDK reads `stopped`, and wants the others to be there."""
    return {"exitcode": None, "limits": {}, "stopped": stopped}
