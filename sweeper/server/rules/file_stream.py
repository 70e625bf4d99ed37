"""The file_stream endpoint: what a run logs while it runs (wandb-core 0.31.0).

One request sets lines `offset ...` of several streams, so the same request twice changes nothing. The client
sends at most one in 15 s, at least one (empty) in 30 s, and a last one with `complete` and the exit code.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from sweeper.run import RunState
from sweeper.server import strict_json
from sweeper.server.errors import RequestError, faults_of
from sweeper.server.rules import (
    deletion,
    early_termination,
    run_endings,
    run_transitions,
    shared_mode,
    stop_requests,
    writers,
)
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.store import history_keys, lines, projects, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import HistoryLine, Stream
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep

REASON_KEY = "_sweeper"
"""Our key in a summary as read: `{"reason": ..., "stop": {...}, "suggestion": {...}, "losses": 1}`: why the run
ended, what early termination decided about it, what suggested it, and how often its agent fell silent.

Never stored; stripped from what comes back."""


class Chunk(BaseModel):
    """Lines of one stream."""

    # SQLite counts to 2**63: a number of this size can still be added to.
    offset: int = Field(default=0, ge=0, le=2**40)
    content: list[str] = []


class FileStream(BaseModel):
    """The body of a request; every part may be missing."""

    files: dict[str, Chunk] = {}
    preempting: bool = False
    complete: bool = False
    exitcode: int | None = Field(default=None, ge=-(2**31), le=2**31)

    @classmethod
    def read(cls, body: bytes) -> FileStream:
        """Read a request body.

        Raises:
            RequestError: It is no file_stream request.
        """
        try:
            return cls.model_validate(strict_json.parse_object(body or b"{}", "the request body"))
        except ValidationError as error:
            raise RequestError(f"not a file_stream request: {faults_of(error)}") from error

    def writers(self, *, resumed: bool) -> set[str]:
        """Name the process it comes from, as far as it tells; one that resumes sends the summary of the last one."""
        # One line of each is enough: all that a process sends it sends under one birth.
        telling = ("wandb-history.jsonl", "wandb-events.jsonl", *(() if resumed else ("wandb-summary.json",)))
        return writers.of_lines(line for name in telling for line in self.files.get(name, Chunk()).content[-1:])


def receive(
    dispatcher: Dispatcher,
    entity: str,
    project: str,
    run_name: str,
    body: bytes,
    *,
    user_id: int,
    now: float,
    holder: str = "",
    writer: str = "",
) -> dict[str, Any]:
    """Store what a run sent, end the run if it said so, and tell it whether to stop.

    A run nobody knows is created: after a restart on an older copy of the data that beats a 404, which would end
    its upload for good. One that was deleted is not: its process is told to stop.
    """
    sent = FileStream.read(body)
    with dispatcher.store.write() as db:
        place = projects.ensure(db, entity, project, now=now)
        if deletion.is_deleted(db, place.id, run_name):
            return _answer(stopped=True)
        run = runs.find(db, place.id, run_name) or runs.create(
            db, place.id, run_name, state=RunState.RUNNING, now=now, user_id=user_id
        )
        writing = {holder} if holder else sent.writers(resumed=bool(run.resuming))
        run_transitions.check_holder(run, writing)
        # Neither a repeated last request nor a late line of one of several processes sets an ended run running.
        if not ((sent.complete or writer) and run.state.ended):
            run = run_transitions.heard(db, run, now=now)
            run_transitions.wrote(db, run, writing)
        measured = _store_shared(db, run, sent, writer) if writer else _store_files(db, run, sent)
        if sent.preempting and not run.preempting:
            run = run_transitions.preempting(db, run)
        if sent.complete:
            run_endings.complete(db, run, sent.exitcode or 0, now=now)
        seeing = [sweep.id for sweep in sweeps.seeing(db, run.id)] if sent.complete else []
    for sweep_id in seeing:
        dispatcher.changed(sweep_id)
    if measured:  # outside of the write transaction: a rule looks at all peers, and no writer shall wait for that
        # Lines of several writers lie scattered: there is no first new one.
        since_line = None if writer else sent.files["wandb-history.jsonl"].offset
        early_termination.judge(dispatcher.store, run.id, now=now, since_line=since_line)
    return _answer(stopped=_is_to_stop(dispatcher, run.id, now=now))


def _answer(*, stopped: bool) -> dict[str, Any]:
    return {"exitcode": None, "limits": {}, "stopped": stopped}


def _is_to_stop(dispatcher: Dispatcher, run_id: int, *, now: float) -> bool:
    with dispatcher.store.read() as db:
        run = runs.get(db, run_id)
    if stop_requests.is_news(run, now=now):
        with dispatcher.store.write() as db:
            stop_requests.tell(db, run, now=now)
    return bool(run.stop_requested)


_STREAMS = {
    "wandb-history.jsonl": Stream.HISTORY,
    "wandb-events.jsonl": Stream.EVENTS,
    "output.log": Stream.CONSOLE,
}


def _store_shared(db: Connection, run: StoredRun, sent: FileStream, writer: str) -> bool:
    """Store what one of several processes sent: each line where it goes, its summary beside the others'."""
    measured = False
    for name, chunk in sent.files.items():
        if name in _STREAMS:
            size = len(chunk.content)
            numbers = shared_mode.numbers(db, run.id, _STREAMS[name], writer, first=chunk.offset, length=size)
            texts = chunk.content
            if _STREAMS[name] is Stream.HISTORY:
                texts = [shared_mode.renumbered(text, number) for text, number in zip(texts, numbers, strict=True)]
            # One by one: between two lines of one process may lie those of another.
            for number, text in zip(numbers, texts, strict=True):
                part = FileStream(files={name: Chunk(offset=number, content=[text])})
                measured = _store_files(db, runs.get(db, run.id), part) or measured
        elif name == "wandb-summary.json" and chunk.content:
            own = json.loads(clean_summary(chunk.content[-1]))
            runs.update(db, run.id, summary=json.dumps({**json.loads(runs.get(db, run.id).summary), **own}))
    return measured


def _store_files(db: Connection, run: StoredRun, sent: FileStream) -> bool:
    """Store every stream of a request; tell whether the metric of a sweep was in it."""
    measured = False
    for name, chunk in sent.files.items():
        if name == "wandb-history.jsonl":
            measured = _store_history(db, run, chunk)
        elif name == "wandb-events.jsonl":
            lines.put(db, run.id, Stream.EVENTS, chunk.offset, chunk.content)
        elif name == "output.log":
            lines.put(db, run.id, Stream.CONSOLE, chunk.offset, chunk.content)
        elif name == "wandb-summary.json" and chunk.content:
            runs.update(db, run.id, summary=clean_summary(chunk.content[-1]))
    return measured


def _store_history(db: Connection, run: StoredRun, chunk: Chunk) -> bool:
    rows = [
        HistoryLine(chunk.offset + i, text, strict_json.parse_object(text, "a history line"))
        for i, text in enumerate(chunk.content)
    ]
    # Before they are stored: what is sent again must not be counted again.
    known = lines.count(db, run.id, Stream.HISTORY)
    lines.put_history(db, run.id, rows)
    _count_keys(db, run, [row for row in rows if row.number >= known])
    measured = [_note_metric(db, sweep, run, rows, known) for sweep in sweeps.seeing(db, run.id)]
    return any(measured)


def _note_metric(db: Connection, sweep: Sweep, run: StoredRun, rows: Sequence[HistoryLine], known: int) -> bool:
    metric = sweep.definition.metric
    return metric is not None and lines.put_metric(db, sweep.id, run.id, metric.name, rows, known=known)


def _count_keys(db: Connection, run: StoredRun, new: Sequence[HistoryLine]) -> None:
    if new:
        runs.update(db, run.id, history_keys=json.dumps(history_keys.add_keys(json.loads(run.history_keys), new)))


def clean_summary(text: str) -> str:
    """Take our own key out of a summary that a client sends back.

    Raises:
        RequestError: It is no JSON object.
    """
    summary = strict_json.parse_object(text, "the summary")
    if REASON_KEY not in summary:
        return text
    return json.dumps({key: value for key, value in summary.items() if key != REASON_KEY})


def summary_with_reason(run: StoredRun) -> str:
    """Give a run's summary as clients read it: with why it ended and what suggested it, if known."""
    told: dict[str, Any] = {"reason": run.reason} if run.reason else {}
    if run.losses:
        told["losses"] = run.losses
    if run.stop:
        told["stop"] = json.loads(run.stop)
    if run.origin:
        told["suggestion"] = json.loads(run.origin)
    return json.dumps({**json.loads(run.summary), REASON_KEY: told}) if told else run.summary
