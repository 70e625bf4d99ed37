"""The files over which the nodes of one run talk: `SLOT.ranks/SESSION/` in their launch's folder.

One node *leads*: it has the worker and the run. The others *follow*: they read its orders, and tell how their ranks
fail. Each file has one writer and is replaced whole. A session is one life of the job: what an earlier one has left
means nothing to the next.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from sweeper import private_files
from sweeper.journal.directories import LaunchDir


@dataclass(frozen=True, slots=True, kw_only=True)
class RankOrder:
    """What the leader wants started on every node.

    Attributes:
        number: Of the order: each attempt at a run is another one.
        run_id: The run.
        log: Where its first rank prints.
        address: Of the leader, as the other nodes reach it.
        port: A free one there.
        parameters: The text of the file with the run's parameters.
        environ: What every rank is told of the run.
        command: The script's command line; empty for a function.
        folder: The current folder of a script.
    """

    number: int
    run_id: str
    log: str
    address: str
    port: int
    parameters: str
    environ: Mapping[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    folder: str = ""

    def rank_log(self, rank: int) -> Path:
        """Where another rank prints."""
        return rank_log(Path(self.log), rank)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankWord:
    """What is to become of the ranks of an order.

    Attributes:
        number: Of the order; 0 as long as there is none.
        ended: Whether the first rank is gone; if not, all are asked to end, as it is.
        well: Whether it ended well: then the others may end by themselves.
        grace_s: How long they may take.
    """

    number: int = 0
    ended: bool = False
    well: bool = False
    grace_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class RankFailure:
    """How a rank failed, or a node was lost.

    Attributes:
        number: Of the order.
        rank: Its number in the run.
        node: The name of its node.
        exit_code: What it ended with; negative for a signal.
        error: The last error of its log, in one line; empty if there is none.
        log: Where it printed; empty if its node is lost.
    """

    number: int
    rank: int
    node: str
    exit_code: int = 0
    error: str = ""
    log: str = ""

    @property
    def name(self) -> str:
        """Which rank it was, and where."""
        return f"rank {self.rank} on {self.node}"

    @property
    def lost(self) -> bool:
        """Whether its node is heard of no more."""
        return not self.log


def rank_log(log: Path, rank: int) -> Path:
    """Name the log of another rank of a run: `gpu0-0001.rank3.log` beside `gpu0-0001.log`."""
    return log.with_name(f"{log.stem}.rank{rank}{log.suffix}") if rank else log


@dataclass(frozen=True, slots=True)
class RankFolder:
    """One session's files."""

    path: Path

    @classmethod
    def of(cls, launch: LaunchDir, slot: str, session: str) -> Self:
        """Name the folder of a slot's session, and make it: whichever of its nodes comes first."""
        folder = cls(launch.path / f"{slot}.ranks" / session)
        private_files.make_folder(folder.path)
        return folder

    def give(self, order: RankOrder) -> None:
        """Give an order: what was ordered before is over."""
        self._write("order", asdict(order))

    def order(self) -> RankOrder | None:
        """Read the newest order; None as long as there is none."""
        data = self._read("order")
        return RankOrder(**{**data, "command": tuple(data["command"])}) if data else None

    def say(self, word: RankWord) -> None:
        """Say what is to become of an order's ranks."""
        self._write("word", asdict(word))

    def word(self) -> RankWord:
        """Read what was said last."""
        return RankWord(**self._read("word"))

    def tell(self, failure: RankFailure) -> None:
        """Tell the leader of a failure; the first one of a rank counts."""
        if not self._file(f"failed-{failure.number}-{failure.rank}").exists():
            self._write(f"failed-{failure.number}-{failure.rank}", asdict(failure))

    def failures(self, number: int) -> list[RankFailure]:
        """Read how ranks of an order failed, the first one first."""
        self._look_again()
        files = sorted(self.path.glob(f"failed-{number}-*.json"), key=lambda file: (file.stat().st_mtime_ns, file.name))
        return [RankFailure(**json.loads(file.read_text(encoding="utf-8"))) for file in files]

    def beat(self, node: int, count: int) -> None:
        """Show the other nodes that this one is there, by another count than before."""
        self._write(f"beat-{node}", {"count": count})

    def heard(self, node: int) -> int:
        """Read a node's count; -1 as long as nothing was heard of it."""
        return int(self._read(f"beat-{node}").get("count", -1))

    def close(self) -> None:
        """Tell the followers that their leader has no more runs."""
        self._write("closed", {})

    def closed(self) -> bool:
        """Whether it has none."""
        self._look_again()
        return self._file("closed").exists()

    def _file(self, name: str) -> Path:
        return self.path / f"{name}.json"

    def _write(self, name: str, data: Mapping[str, Any]) -> None:
        """Replace a file whole; not flushed, for what a power failure takes it takes with its readers."""
        fresh = self.path / f".{name}.{os.uname().nodename}.{os.getpid()}"
        with private_files.open_file(fresh) as file:
            json.dump(data, file)
        fresh.replace(self._file(name))

    def _read(self, name: str) -> dict[str, Any]:
        self._look_again()
        with contextlib.suppress(FileNotFoundError):
            data: dict[str, Any] = json.loads(self._file(name).read_text(encoding="utf-8"))
            return data
        return {}

    def _look_again(self) -> None:
        """Have a network file system ask which names there are: NFS else keeps a missing one in mind for a minute."""
        os.close(os.open(self.path, os.O_RDONLY))
