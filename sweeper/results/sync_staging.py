"""One run made ready for another server: a single transaction log out of those of its attempts, beside its files.

`wandb sync` replays a log as it is, which is not enough for a run of a sweep here:

- the log names its sweep, which the other server does not know and refuses (404 of ours at `upsertBucket`, wandb 0.31);
- the SDK writes a log in blocks of 32 KiB, so a killed process leaves one that lacks its last rows, or all of them;
- a run that was handed out again has a log of each attempt, and what counts is what the server kept of them;
- names are given by the server, so no log has them; a stopped run's exit code says that it failed;
- alerts would be sent to people once more.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sweeper.backend import transaction_log
from sweeper.backend.run_reader import ServerRun
from sweeper.backend.transaction_log import Record, new_record
from sweeper.run import RunState

INTERRUPTED = 255
"""The exit code that W&B's servers show as `killed`."""

# What the server knows better (run, config, summary), what is written anew, and what shall not happen twice.
_LEFT_OUT = {"header", "run", "exit", "config", "summary", "preempting", "alert", "footer", "final", "request"}
# wandb-core writes these itself while it replays a log: it must not find links to the originals there.
_CORES_OWN = {"config.yaml", "output.log", "wandb-metadata.json", "wandb-summary.json"}
_EMPTY_HEADER = b":W&B\xe1\xbe\x00"  # wandb 0.31


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A run that is ready to be sent.

    Attributes:
        folder: Its folder, for `wandb sync`.
        last_step: The step of its last row; None if it has none.
        notes: What is not as in its logs, for the user.
    """

    folder: Path
    last_step: int | None
    notes: tuple[str, ...]


def find_logs(wandb_dir: Path) -> dict[str, tuple[Path, ...]]:
    """Find the transaction logs under a WANDB_DIR: of each run id those of its attempts, the oldest first."""
    # `latest-run` is a link to one of the others; names begin with the time of the attempt
    logs = [path for path in wandb_dir.glob("wandb/*run-*/run-*.wandb") if not path.parent.is_symlink()]
    found: dict[str, tuple[Path, ...]] = {}
    for path in sorted(logs, key=lambda path: path.parent.name.removeprefix("offline-")):
        run_id = path.stem.removeprefix("run-")
        found[run_id] = (*found.get(run_id, ()), path)
    return found


def stage(run: ServerRun, logs: Sequence[Path], into: Path, *, behind: int | None = None) -> Staged:
    """Make a run ready to be sent.

    Args:
        run: The run, as its server has it.
        logs: The logs of its attempts, the oldest first.
        into: An empty folder.
        behind: The last step that the other server has already; None if it has none.
    """
    draft = _Draft(run, logs, behind=behind)
    if logs:
        link_files([logs[number].parent / "files" for number in draft.kept], into / "files")
    notes = [*draft.notes()]
    # a process that was killed at once leaves a log without a whole header
    head = next((head for log in reversed(logs) if len(head := transaction_log.header(log)) == 7), _EMPTY_HEADER)
    transaction_log.write(into / f"run-{run.id}.wandb", head, draft.records(into / "files", notes))
    return Staged(folder=into, last_step=draft.last_step, notes=tuple(dict.fromkeys(notes)))


def link_files(folders: Sequence[Path], into: Path) -> None:
    """Link the files of all attempts, later ones over earlier ones, but for what wandb-core writes itself."""
    into.mkdir(parents=True, exist_ok=True)

    def link(source: str, target: str) -> None:  # checkpoints and models are too large to copy
        Path(target).unlink(missing_ok=True)
        Path(target).symlink_to(Path(source).absolute())

    for folder in folders:
        if folder.is_dir():
            names = shutil.ignore_patterns(*_CORES_OWN)
            shutil.copytree(folder, into, copy_function=link, ignore=names, dirs_exist_ok=True)


class _Draft:
    """The log to be: which attempt gives which row, and what none of them has.

    A row comes from the last attempt that logged its step. The server says which rows of earlier attempts count:
    one that began anew took theirs away. The last attempt's own rows all count, also what never reached the server.
    """

    def __init__(self, run: ServerRun, logs: Sequence[Path], *, behind: int | None) -> None:
        self.run, self.logs, self.behind = run, logs, behind
        self.start: Record | None = None
        self.runtime, self.exit_code = 0, 0
        at: dict[int, int] = {}
        last = 0
        for number, log in enumerate(logs):
            for record in transaction_log.read(log):
                what = record.WhichOneof("record_type")
                if what == "history":
                    at[step_of(record.history)] = number
                elif what == "run":
                    self.start, last = record, number
                elif what == "exit":
                    self.runtime, self.exit_code = record.exit.runtime, record.exit.exit_code
        served = set(run.steps())
        self.source = {step: number for step, number in at.items() if number == last or step in served}
        # what the server has and no log: a killed process takes up to 32 KiB of its log with it
        self.missing = served - self.source.keys()
        self.kept = sorted({*self.source.values(), last}) if logs else []
        self.last_step = max(served | self.source.keys(), default=None)

    def notes(self) -> Iterator[str]:
        """Say what came from the server."""
        if self.start is None:
            yield "it has no transaction log here: parameters and values were read from the server, files stay behind"
        elif self.missing:
            yield f"{len(self.missing)} rows that its log lacks were read from the server"

    def records(self, files: Path, notes: list[str]) -> Iterator[Record]:
        """Give the records of the new log, in order.

        Args:
            files: Where its files lie.
            notes: Takes what has to be left out.
        """
        if self.logs:
            yield from (record for record in transaction_log.read(self.logs[-1]) if record.HasField("header"))
        yield self._run_record()
        filled = _Rows(row for row in self.run.rows(self.missing) if self._wanted(row["_step"]))
        for number in self.kept:
            for record in transaction_log.read(self.logs[number]):
                if not self._counts(record, number):
                    continue
                if record.HasField("history"):
                    yield from filled.before(step_of(record.history))
                if lost := _lost(record, files):
                    notes.append(lost)
                if not (lost and record.HasField("artifact")):
                    yield record
        yield from filled.before(None)
        yield self._summary_record()
        last = new_record()
        last.exit.exit_code, last.exit.runtime = self._exit_code(), self.runtime
        yield last

    def _wanted(self, step: int) -> bool:
        return self.behind is None or step > self.behind

    def _counts(self, record: Record, number: int) -> bool:
        what = record.WhichOneof("record_type")
        if what != "history":
            return what not in _LEFT_OUT
        step = step_of(record.history)
        return self.source.get(step) == number and self._wanted(step)

    def _run_record(self) -> Record:
        """Say what the run is: the sweep, the marks of resuming and what a server gave it are gone."""
        record = new_record()
        run = record.run
        if self.start is not None:
            run.CopyFrom(self.start.run)
        for name in ("sweep_id", "resume", "resumed", "starting_step", "storage_id", "config", "summary", "settings"):
            if name in run.DESCRIPTOR.fields_by_name:  # not all of them are in every version
                run.ClearField(name)
        run.run_id, run.display_name, run.notes = self.run.id, self.run.name, self.run.notes
        run.tags[:] = self.run.tags
        run.start_time.FromDatetime(self.run.created_at)
        for key, value in self.run.config.items():
            if key != "_wandb":
                run.config.update.add(key=key, value_json=json.dumps(value))
        return record

    def _summary_record(self) -> Record:
        record = new_record()
        for key, value in self.run.summary.items():
            record.summary.update.add(key=key, value_json=json.dumps(value))
        return record

    def _exit_code(self) -> int:
        if self.run.state is RunState.FINISHED:
            return 0
        # a process that died wrote no exit record
        return INTERRUPTED if self.run.state is RunState.KILLED else self.exit_code or 1


class _Rows:
    """Rows from the server, to be put between those of a log."""

    def __init__(self, rows: Iterator[dict[str, Any]]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def before(self, step: int | None) -> Iterator[Record]:
        """Give those before a step; None for all that are left."""
        while self._next is not None and (step is None or self._next["_step"] < step):
            yield _history_record(self._next)
            self._next = next(self._rows, None)


def _history_record(row: Mapping[str, Any]) -> Record:
    record = new_record()
    for key, value in row.items():
        if value is not None:
            record.history.item.add(nested_key=[key], value_json=json.dumps(value))
    record.history.step.num = row["_step"]
    return record


def step_of(history: Record) -> int:
    """Read the step of a row."""
    for item in history.item:
        if item.key == "_step" or list(item.nested_key) == ["_step"]:
            return int(float(item.value_json))
    return int(history.step.num)


def _lost(record: Record, files: Path) -> str:
    """Say which files a record speaks of that are not there any more."""
    if record.HasField("files"):
        gone = _gone_files(record.files, files)
        return f"gone from the disk: {', '.join(gone)}" if gone else ""
    if record.HasField("artifact") and _gone_contents(record.artifact):
        return f"artifact {record.artifact.name} is left out: its files are gone from the disk"
    return ""


def _gone_files(record: Record, files: Path) -> Collection[str]:
    paths = (item.path for item in record.files)  # `run.save("*.onnx")` leaves the pattern there
    return [path for path in paths if not any(sign in path for sign in "*?[") and not (files / path).exists()]


def _gone_contents(record: Record) -> bool:
    return any(entry.local_path and not Path(entry.local_path).exists() for entry in record.manifest.contents)
