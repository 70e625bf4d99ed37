"""The node that has a run over several: it orders the run's other ranks, ends them, and hears how they fail."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from sweeper.journal.failures import Facts, last_error
from sweeper.journal.rank_files import RankFailure, RankFolder, RankOrder, RankWord
from sweeper.worker import ranks
from sweeper.worker.main_thread import Raised, Returned
from sweeper.worker.run_log import tail
from sweeper.worker.spec import WorkerSpec

REACTION_S = 3.0
"""How long the first rank may take to fail by itself when another one has, and the others to be heard of then."""
KILL_S = 5.0
"""How long the other ranks may take to end when the first is gone, and did not end well."""
LOOK_S = 0.1
_ECHO = re.compile(
    r"[Cc]onnection (closed|reset|refused|was (closed|aborted))|[Bb]roken pipe|\b[Gg]loo\b|/gloo/|\bNCCL|\bDist\w+Error"
    r"|TCPStore|\b[Ss]ocket\b|collective operation|[Tt]imed out waiting"
)
"""What a process says when another one of its run is gone (torch 2.4 to 2.14): that one has the cause."""


class RankLeader:
    """A worker's part in runs over several nodes; does nothing where its runs have one.

    Args:
        folder: Where the nodes talk; None for runs on one node.
        reaction_s: How long the ranks may take to be heard of when one of them has failed.
    """

    def __init__(self, folder: RankFolder | None, *, reaction_s: float = REACTION_S) -> None:
        self._folder, self._reaction_s = folder, reaction_s
        self._over = folder.order() if folder else None
        self._asked = 0
        self._failed_at: float | None = None

    @classmethod
    def of(cls, spec: WorkerSpec, environ: Mapping[str, str]) -> Self:
        """Make the one for a worker, by its orders and its environment."""
        return cls(RankFolder(Path(environ[ranks.FOLDER])) if _leads(spec, environ) else None)

    def _order(self) -> RankOrder | None:
        """Give the order of the run under way; None before its process has given it."""
        order = self._folder.order() if self._folder else None
        return order if order and (self._over is None or order.number > self._over.number) else None

    def failed(self, now: float) -> bool:
        """Whether another rank has failed, and the first has had time to notice.

        Args:
            now: By the monotonic clock.
        """
        if self._folder is None:
            return False
        if self._failed_at is None and (order := self._order()) and self._folder.failures(order.number):
            self._failed_at = now
        return self._failed_at is not None and now >= self._failed_at + self._reaction_s

    def ask_to_end(self, grace_s: float) -> None:
        """Ask the other ranks to end, as the first was asked; once for each run.

        Args:
            grace_s: How long they may take.
        """
        if self._folder and (order := self._order()) and order.number != self._asked:
            self._asked = order.number
            self._folder.say(RankWord(number=order.number, grace_s=grace_s))

    def conclude(
        self, result: Returned | Raised | None, log: Path, *, asked: bool, ended_for_rank: bool, grace_s: float
    ) -> RankFailure | None:
        """Have the other ranks end, for the first is gone; say which of them failed, if that is the cause.

        Args:
            result: How the trainer of the first ended; None if its process died.
            log: Where it printed.
            asked: Whether it was to end.
            ended_for_rank: Whether it was ended because another one had failed.
            grace_s: How long ranks may take to end by themselves where it ended well.
        """
        if self._folder is None or (order := self._order()) is None:
            return None
        well = isinstance(result, Returned)
        own = (result.error if isinstance(result, Raised) else "") or last_error(tail(log))
        blamed = None
        if not well and not asked and (ended_for_rank or not own or is_echo(own)):
            blamed = self._blamed(order, ended_for_rank=ended_for_rank)
        self._folder.say(RankWord(number=order.number, ended=True, well=well, grace_s=grace_s if well else KILL_S))
        self._over, self._failed_at = order, None
        return blamed

    def _blamed(self, order: RankOrder, *, ended_for_rank: bool) -> RankFailure | None:
        """Wait for word of a failure that is no echo of another one."""
        assert self._folder is not None  # noqa: S101 there is an order in it
        deadline = time.monotonic() + self._reaction_s
        while True:
            failures = self._folder.failures(order.number)
            cause = next((one for one in failures if one.lost or not is_echo(one.error)), None)
            if cause or time.monotonic() > deadline:
                return cause or (failures[0] if failures and ended_for_rank else None)
            time.sleep(LOOK_S)


def is_echo(error: str) -> bool:
    """Whether an error only says that another process of the run is gone."""
    return _ECHO.search(error) is not None


def facts_of(failure: RankFailure, **known: Any) -> Facts:
    """Say what there is to know about a run that failed for one of its ranks.

    Args:
        failure: The rank's.
        **known: What `Facts` has of the run and its slot.
    """
    if failure.lost:
        return Facts(rank=failure.name, lost="nothing is heard of that node any more", **known)
    log = tail(Path(failure.log))
    ends = "" if last_error(log) or not failure.error else f" (its log ends with: {failure.error})"
    return Facts(rank=f"{failure.name}{ends}", exit_code=failure.exit_code, log=log, **known)


def _leads(spec: WorkerSpec, environ: Mapping[str, str]) -> bool:
    return spec.nodes > 1 and bool(environ.get(ranks.FOLDER))


def give_order(spec: WorkerSpec, environ: Mapping[str, str], log: Path, command: Sequence[str] = ()) -> dict[str, str]:
    """Have every node start its ranks of a run; give what the first rank finds in its environment.

    Args:
        spec: The worker's orders.
        environ: What that rank finds there without this: all that the SDK's agent says of the run.
        log: Where it prints.
        command: The script's command line; empty for a function.
    """
    if not _leads(spec, environ):
        return {}
    folder, run_id = RankFolder(Path(environ[ranks.FOLDER])), environ["WANDB_RUN_ID"]
    before = folder.order()
    order = RankOrder(
        number=before.number + 1 if before else 1,
        run_id=run_id,
        log=str(log),
        address=ranks.address(environ),
        port=ranks.free_port(),
        parameters=Path(environ["WANDB_SWEEP_PARAM_PATH"]).read_text(encoding="utf-8"),
        environ=ranks.of_run(environ),
        command=tuple(command),
        folder=str(Path.cwd()),
    )
    folder.give(order)
    first = ranks.Rank(node=0, local=0, nodes=spec.nodes, per_node=spec.ranks_per_node)
    return first.environ(run_id=run_id, address=order.address, port=order.port)
