"""A node that takes part in the runs of another: it starts and ends ranks as that one says.

The leader's own node has one of these, too: it starts the run's further ranks there, and shows the other nodes that
the leader is alive.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Mapping
from types import FrameType

from sweeper.journal.rank_files import RankFailure, RankFolder, RankOrder, RankWord
from sweeper.worker.rank_leader import KILL_S
from sweeper.worker.rank_processes import RankProcesses
from sweeper.worker.spec import WorkerSpec

POLL_S = 0.2
BEAT_S = 2.0
LOST_S = 60.0
"""A node that was not heard of for so long is gone, as far as the others know."""
FIRST_S = 300.0
"""How long it may take until a node is heard of for the first time: the nodes of a job start one by one."""


_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1)
"""SIGUSR1 is how a scheduler warns of a time limit."""


class NodeWatch:
    """Tells which of some nodes are heard of no more, by the clock of this one alone.

    Args:
        nodes: Their numbers.
        heard: Gives a node's count.
        lost_s: How long silence may last.
        first_s: How long the first one may last.
    """

    def __init__(self, nodes: range, heard: Callable[[int], int], *, lost_s: float, first_s: float) -> None:
        self._heard, self._lost_s, self._first_s = heard, lost_s, first_s
        self._last: dict[int, tuple[int, float | None]] = dict.fromkeys(nodes, (-1, None))

    def silent(self, now: float) -> list[int]:
        """List those that are lost; by the monotonic clock."""
        lost = []
        for node, (count, since) in self._last.items():
            found = self._heard(node)
            if found != count or since is None:
                self._last[node] = (found, now)
            elif now > since + (self._first_s if found < 0 else self._lost_s):
                lost.append(node)
        return lost


class Follower:
    """One node's part.

    Args:
        spec: The worker's orders, for this node's devices.
        environ: The environment of this node's ranks: server, key and threads.
        folder: Where the nodes talk.
        node: This node's number; 0 for the leader's own.
        name: Its name.
        lost_s: After how long a silent node is lost.
        first_s: How long it may take until one is heard of for the first time.
    """

    def __init__(
        self,
        spec: WorkerSpec,
        environ: Mapping[str, str],
        folder: RankFolder,
        *,
        node: int,
        name: str,
        lost_s: float = LOST_S,
        first_s: float = FIRST_S,
    ) -> None:
        self._spec, self._environ, self._folder = spec, environ, folder
        self._node, self._name = node, name
        others = range(1) if node else range(1, spec.nodes)
        self._watch = NodeWatch(others, folder.heard, lost_s=lost_s, first_s=first_s)
        self._at_work: RankProcesses | None = None
        self._done = 0
        self._asked = self._ended = False
        self._deadline: float | None = None
        self._beaten_at, self._count = 0.0, 0
        self.signals: list[int] = []

    def run(self) -> int:
        """Follow until the leader has no more runs.

        Returns:
            0 then, and after a SIGTERM; 1 where the leader is heard of no more.
        """
        try:
            while True:
                now = time.monotonic()
                self._beat(now)
                silent = self._watch.silent(now)
                if silent and self._node:
                    _say("nothing is heard of the first node of this job any more: its ranks here are ended")
                    return 1
                self._step(now, silent)
                if self._at_work is None and (self.signals or self._folder.closed()):
                    return 0
                time.sleep(POLL_S)
        finally:
            if self._at_work:
                self._at_work.end()

    def _beat(self, now: float) -> None:
        if now >= self._beaten_at + BEAT_S or not self._count:
            self._beaten_at, self._count = now, self._count + 1
            self._folder.beat(self._node, self._count)

    def _step(self, now: float, silent: list[int]) -> None:
        order, word = self._folder.order(), self._folder.word()
        if self._at_work is None:
            if order and order.number > self._done and not self.signals and not _is_over(word, order):
                self._begin(order)
            return
        number = self._at_work.order.number
        if order and order.number > number:  # the leader's worker was replaced, and could say nothing
            word = RankWord(number=number, ended=True)
        elif self._folder.closed() and not (word.number == number and word.ended):
            word = RankWord(number=number, ended=True, grace_s=KILL_S)
        self._heed(word if word.number == number else RankWord(), now, silent)

    def _begin(self, order: RankOrder) -> None:
        self._asked, self._ended, self._deadline = False, False, None
        try:
            self._at_work = RankProcesses(self._spec, self._environ, self._node, self._name, order)
        except OSError as error:  # no such folder on this node, no memory, no room on its disk
            rank, said = self._node * self._spec.ranks_per_node, f"cannot be started there: {error}"
            self._folder.tell(
                RankFailure(
                    number=order.number,
                    rank=rank,
                    node=self._name,
                    exit_code=1,
                    error=said,
                    log=str(order.rank_log(rank)),
                )
            )
            self._done = order.number

    def _heed(self, word: RankWord, now: float, silent: list[int]) -> None:
        """Do what was said of the ranks under way; tell of those that fail before anything was."""
        assert self._at_work is not None  # noqa: S101 as above
        if self.signals and not word.number:  # as the leader's own, which may need these to save what it has
            word = RankWord(number=self._at_work.order.number, grace_s=self._spec.rules.grace_s)
        if not word.number:
            for failure in self._at_work.failures():
                self._folder.tell(failure)
            for node in silent:
                self._folder.tell(self._loss(node))
            return
        if word.ended and not self._ended:
            self._ended = True
            self._deadline = max(self._deadline or 0.0, now + word.grace_s)
        if not word.well and not self._asked:
            self._asked = True
            self._deadline = max(self._deadline or 0.0, now + word.grace_s)
            self._at_work.ask_to_end()
        left = self._at_work.over and (word.ended or self.signals)
        if left or (self._deadline is not None and now > self._deadline):
            self._at_work.end()
            self._done, self._at_work = self._at_work.order.number, None

    def _loss(self, node: int) -> RankFailure:
        assert self._at_work is not None  # noqa: S101 as above
        number, rank = self._at_work.order.number, node * self._spec.ranks_per_node
        return RankFailure(number=number, rank=rank, node=f"node {node} of the job")


def _is_over(word: RankWord, order: RankOrder) -> bool:
    return word.number == order.number and word.ended


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201 the log of the job


def follow(spec: WorkerSpec, environ: Mapping[str, str], folder: RankFolder, *, node: int, name: str) -> int:
    """Take part in a leader's runs until it has no more; SIGTERM ends the ranks under way within the grace of a stop.

    Args:
        spec: The worker's orders, for this node's devices.
        environ: The environment of this node's ranks: server, key and threads.
        folder: Where the nodes talk.
        node: This node's number; 0 for the leader's own.
        name: Its name.

    Returns:
        The exit code: 0 when there was nothing more to do, 1 where the leader is heard of no more.
    """
    follower = Follower(spec, environ, folder, node=node, name=name)

    def note(number: int, _frame: FrameType | None) -> None:
        follower.signals.append(number)

    before = {number: signal.signal(number, note) for number in _ENDING}
    try:
        return follower.run()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
