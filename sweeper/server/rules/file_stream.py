"""What a run logs while it runs (wandb-core 0.31.0): stored, judged, and answered with whether it is to stop.

One request sets lines `offset ...` of several streams, so the same request twice changes nothing. The client
sends at most one in 15 s, at least one (empty) in 30 s, and a last one with `complete` and the exit code.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from sweeper.run import RunState
from sweeper.server import strict_json
from sweeper.server.rules import (
    deletion,
    early_termination,
    resumed_by_name,
    rights,
    run_endings,
    run_transitions,
    shared_mode,
    stop_requests,
    synced_parts,
    writers,
)
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.run_summary import clean_summary, renewed
from sweeper.server.store import history_blocks, history_keys, line_cuts, lines, projects, runs, sweeps
from sweeper.server.store.database import Connection
from sweeper.server.store.lines import HistoryLine, Stream
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep
from sweeper.server.store.users import User


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lines of one stream, from the line `offset` on."""

    offset: int = 0
    content: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one request brought; every part may be missing.

    Attributes:
        lines: New lines, by their stream.
        summary: The whole summary as it is now, JSON; None if it has not changed.
        preempting: Whether the run's machine is about to be taken away.
        complete: Whether the run has ended.
        exit_code: Then its exit code; None is 0.
    """

    lines: Mapping[Stream, Chunk] = field(default_factory=dict)
    summary: str | None = None
    preempting: bool = False
    complete: bool = False
    exit_code: int | None = None

    def writers(self, *, resumed: bool) -> set[str]:
        """Name the process it comes from, as far as it tells; one that resumes sends the summary of the last one."""
        # One line of each is enough: all that a process sends it sends under one birth.
        telling = [line for stream in _TELLING for line in self.lines.get(stream, Chunk()).content[-1:]]
        own = self.summary if not resumed else None
        return writers.of_lines(telling if own is None else [*telling, own])


_TELLING = (Stream.HISTORY, Stream.EVENTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a request.

    Attributes:
        run_id: The run's row; 0 if it was deleted.
        stopped: Whether the run is to stop.
        complete: Whether it has said that it ended.
        judged_since: From which line of its history on early termination is to judge it; None if nobody asks.
    """

    run_id: int = 0
    stopped: bool
    complete: bool
    judged_since: int | None = None


SCATTERED = -1
"""Lines of several writers: there is no first new one."""


def keep(
    dispatcher: Dispatcher,
    entity: str,
    project: str,
    run_name: str,
    sent: Sent,
    *,
    user: User,
    now: float,
    holder: str = "",
    writer: str = "",
) -> Kept:
    """Store what a run sent, end the run if it said so, and say whether it is to stop.

    A run nobody knows is created: after a restart on an older copy of the data that beats a 404, which would end
    its upload for good. One that was deleted is not: its process is told to stop.
    """
    with dispatcher.store.write() as db:
        place = projects.ensure(db, entity, project, now=now)
        run = runs.find(db, place.id, run_name)
        if run is None and deletion.is_deleted(db, place.id, run_name):
            return Kept(stopped=True, complete=sent.complete)
        run = run or runs.create(db, place.id, run_name, state=RunState.RUNNING, now=now, user_id=user.id)
        run = rights.take_up(db, user, run)
        writing = {holder} if holder else sent.writers(resumed=bool(run.resuming))
        run_transitions.check_sender(run, writing)
        # Neither what was sent before nor a late line of one of several processes sets an ended run running.
        if not (run.state.ended and (sent.complete or writer or _is_repeated(db, run, sent))):
            run = run_transitions.heard(db, run, now=now)
            run_transitions.wrote(db, run, writing)
        seeing = sweeps.seeing(db, run.id) if sent.complete or sent.lines.get(Stream.HISTORY) else []
        had = lines.count(db, run.id, Stream.HISTORY)
        measured = _store_shared(db, run, sent, writer, seeing) if writer else _store(db, run, sent, seeing)
        if run.state.ended and lines.count(db, run.id, Stream.HISTORY) > had:
            # whoever has read an ended run (a search, a status) reads it again only if the time of its end is another
            run = runs.update(db, run.id, ended_at=now)
        if sent.preempting and not run.preempting:
            run = run_transitions.preempting(db, run)
        if sent.complete:
            run_endings.complete(db, run, sent.exit_code or 0, now=now)
            run = runs.get(db, run.id)
        if stop_requests.is_news(run, now=now):
            stop_requests.tell(db, run, now=now)
    for sweep in seeing if sent.complete else ():
        dispatcher.changed(sweep.id)
    since = SCATTERED if writer else sent.lines[Stream.HISTORY].offset if measured else None
    judged = measured and any(sweep.id == run.sweep_id and sweep.definition.stopping for sweep in seeing)
    return Kept(
        run_id=run.id,
        stopped=bool(run.stop_requested),
        complete=sent.complete,
        judged_since=since if judged else None,
    )


def _is_repeated(db: Connection, run: StoredRun, sent: Sent) -> bool:
    """Whether a run that has said that it ended has said all this before: a slow network may deliver a request late."""
    known = [chunk.offset + len(chunk.content) <= lines.count(db, run.id, at) for at, chunk in sent.lines.items()]
    return run.exit_code is not None and all(known)


def judge(dispatcher: Dispatcher, kept: Kept, *, now: float) -> bool:
    """Ask early termination about a run that has logged its metric, and say whether it is to stop.

    Outside of the write transaction: a rule looks at all peers, and no writer shall wait for that.
    """
    since_line = None if kept.judged_since == SCATTERED else kept.judged_since
    early_termination.judge(dispatcher.store, kept.run_id, now=now, since_line=since_line)
    with dispatcher.store.read() as db:
        run = runs.get(db, kept.run_id)
    if stop_requests.is_news(run, now=now):
        with dispatcher.store.write() as db:
            stop_requests.tell(db, run, now=now)
    return bool(run.stop_requested)


def _store_shared(db: Connection, run: StoredRun, sent: Sent, writer: str, seeing: Sequence[Sweep]) -> bool:
    """Store what one of several processes sent: each line where it goes, its summary beside the others'."""
    measured = False
    for stream, chunk in sent.lines.items():
        size = len(chunk.content)
        numbers = shared_mode.numbers(db, run.id, stream, writer, first=chunk.offset, length=size)
        texts = chunk.content
        if stream is Stream.HISTORY:
            texts = [shared_mode.renumbered(text, number) for text, number in zip(texts, numbers, strict=True)]
        # One by one: between two lines of one process may lie those of another.
        for number, text in zip(numbers, texts, strict=True):
            part = _store_lines(db, runs.get(db, run.id), stream, Chunk(number, [text]), seeing)
            runs.put(db, run.id, history_keys=part.keys)
            measured = measured or part.measured
    if sent.summary is not None:
        own = json.loads(clean_summary(sent.summary))
        runs.put(db, run.id, summary=json.dumps({**json.loads(runs.get(db, run.id).summary), **own}))
    return measured


def _store(db: Connection, run: StoredRun, sent: Sent, seeing: Sequence[Sweep]) -> bool:
    """Store all that a request brought; tell whether the metric of a sweep was in it."""
    history = sent.lines.get(Stream.HISTORY, Chunk())
    if history.content:
        run = resumed_by_name.settled(db, run, history.offset)
        run = synced_parts.settled(db, run, history.offset, history.content[0])
    keys, measured, summary = run.history_keys, False, run.summary
    for stream, chunk in sent.lines.items():
        placed = Chunk(synced_parts.place_of(run, stream, chunk.offset), chunk.content)
        part = _store_lines(db, run, stream, placed, seeing)
        if stream is Stream.HISTORY:
            keys, measured = part.keys, part.measured
    if sent.summary is not None:
        summary = renewed(run, sent.summary)
        if synced_parts.is_behind_others(run):
            summary = json.dumps({**json.loads(run.summary), **json.loads(summary)})
    if (keys, summary) != (run.history_keys, run.summary):
        runs.put(db, run.id, history_keys=keys, summary=summary)
    return measured


@dataclass(frozen=True, slots=True)
class _Stored:
    """What lines of one stream changed.

    Attributes:
        keys: What is known of the keys of the run's history now.
        measured: Whether the metric of a sweep was in them.
    """

    keys: str
    measured: bool = False


def _store_lines(db: Connection, run: StoredRun, stream: Stream, chunk: Chunk, seeing: Sequence[Sweep]) -> _Stored:
    if stream is Stream.HISTORY:
        return _store_history(db, run, chunk, seeing)
    if stream is Stream.EVENTS:  # as the history: what cannot be read again is not stored
        strict_json.parse_objects(chunk.content, "a system event")
    lines.put(db, run.id, stream, chunk.offset, chunk.content)
    return _Stored(run.history_keys)


def _store_history(db: Connection, run: StoredRun, chunk: Chunk, seeing: Sequence[Sweep]) -> _Stored:
    objects = strict_json.parse_objects(chunk.content, "a history line")
    rows = [
        HistoryLine(number, text, row)
        for number, text, row in zip(count(chunk.offset), chunk.content, objects, strict=False)
    ]
    # Before they are stored: what is sent again must not be counted again.
    known = lines.count(db, run.id, Stream.HISTORY)
    keys = run.history_keys
    if line_cuts.are_others(db, run.id, [row for row in rows if row.number < known]):
        keys = history_keys.without_extremes(keys)
        history_blocks.make_due(db, run.id)
    lines.put_history(db, run.id, rows)
    new = [row for row in rows if row.number >= known]
    if new:
        keys = strict_json.text_of(history_keys.add_keys(json.loads(keys), new))
    measured = [_note_metric(db, sweep, run, rows, known=known, keys=keys) for sweep in seeing]
    return _Stored(keys, any(measured))


def _note_metric(
    db: Connection, sweep: Sweep, run: StoredRun, rows: Sequence[HistoryLine], *, known: int, keys: str
) -> bool:
    """Keep the metric of a sweep; `keys` tells what the run has logged by now, the run itself what it had before."""
    metric = sweep.definition.metric
    if metric is None:
        return False
    before, now = (history_keys.reading_of(text, metric.name) for text in (run.history_keys, keys))
    if before.aggregate and not now.aggregate:  # the first row with `loss.min` itself: what came of `loss` is void
        rows, known = lines.history(db, run.id), lines.MAX_INTEGER
    return lines.put_metric(db, sweep.id, run.id, now.key, rows, known=known, sought=sweep.seeks_values)
