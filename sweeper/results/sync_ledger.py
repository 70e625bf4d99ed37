"""What a sync has done so far, on disk: a sync that was killed goes on where it was, and sends no run twice."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sweeper import private_files
from sweeper.ref import SweepRef


def targets(file: Path) -> list[str]:
    """List where anything was ever sent."""
    return list(dict.fromkeys(to for to, _ in _noted(file)))


def _noted(file: Path) -> Iterator[tuple[str, Mapping[str, object]]]:
    """Read what was noted, with where it was sent."""
    text = file.read_text(encoding="utf-8", errors="replace") if file.exists() else ""
    for line in text.splitlines():
        with contextlib.suppress(ValueError, KeyError, TypeError):  # torn by a kill
            noted = json.loads(line)
            yield str(noted["to"]), noted


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was sent where: JSON lines in the sweep's directory, each of them on disk before the next thing is done."""

    file: Path
    target: str

    def _lines(self) -> Iterator[Mapping[str, object]]:
        return (noted for to, noted in _noted(self.file) if to == self.target)

    def _note(self, **what: object) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            # the line break before it ends a torn line
            file.write("\n" + json.dumps({"to": self.target, **what, "at": time.time()}) + "\n")
        private_files.flush(self.file)
        private_files.flush(self.file.parent)  # with the first line its name is new

    def begin(self, run: str) -> None:
        """Note that a run is about to be sent: what is found there of it is ours."""
        self._note(run=run, begun=True)

    def sent(self, run: str) -> None:
        """Note that a run has arrived."""
        self._note(run=run, sent=True)

    def attached(self, sweep: str, runs: Sequence[str]) -> None:
        """Note that runs were attached to a sweep there."""
        self._note(sweep=sweep, runs=list(runs))

    def runs(self, what: Literal["begun", "sent"]) -> list[str]:
        """List the runs that were noted so, in that order."""
        return list(dict.fromkeys(str(line["run"]) for line in self._lines() if what in line))

    def sweep(self) -> tuple[SweepRef | None, set[str]]:
        """Give the newest sweep there, and the runs attached to it."""
        newest, runs = "", set[str]()
        for line in self._lines():
            if "sweep" in line:
                runs = runs if line["sweep"] == newest else set()
                newest, more = str(line["sweep"]), line["runs"]
                runs |= set(more) if isinstance(more, list) else set()
        return (SweepRef.parse(newest) if newest else None), runs
