"""The loop that watches workers."""

from __future__ import annotations

import signal

from sweeper.errors import BackendError
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.launch.supervisor import supervise


class Scripted:
    """A launcher whose worker ends when it is killed, or after some polls."""

    def __init__(self, polls: int) -> None:
        self.polls = polls
        self.stops: list[float] = []

    def states(self, handles):
        """Count down."""
        self.polls -= 1
        ended = self.polls < 0 or 0 in self.stops
        return {handle.id: WorkerState.DONE if ended else WorkerState.RUNNING for handle in handles}

    def stop(self, _handles, *, grace_s):
        """Note the grace."""
        self.stops.append(grace_s)


HANDLES = [WorkerHandle(id="cpu0", native_id="1")]


def test_it_waits_for_all_workers_and_shows_progress():
    """Every turn ticks; the end is returned."""
    ticks: list[int] = []
    asked: list[int] = []
    states = supervise(
        Scripted(3),
        HANDLES,
        signals=[],
        grace_s=9,
        tick=lambda: ticks.append(1),
        on_stop=asked.append,
        sleep=lambda _: None,
    )
    assert asked == []
    assert states == {"cpu0": WorkerState.DONE}
    assert len(ticks) == 3


def test_the_first_signal_stops_gently_and_the_second_kills():
    """SIGINT twice: first the grace, then none."""
    launcher, signals = Scripted(100), [int(signal.SIGINT)]

    def again() -> None:
        if len(launcher.stops) == 1:
            signals.append(int(signal.SIGINT))

    told: list[int] = []
    supervise(launcher, HANDLES, signals=signals, grace_s=9, tick=again, on_stop=told.append, sleep=lambda _: None)
    assert launcher.stops == [9, 0]
    assert told == [1, 2]


class Mortal(Scripted):
    """A launcher whose worker dies at once, and whose next one works to the end."""

    def states(self, handles):
        """Tell the workers apart by their number."""
        return {handle.id: WorkerState.DIED if handle.native_id == "1" else WorkerState.DONE for handle in handles}


def test_a_dead_worker_is_replaced_once():
    """Every end is told once; the end of the replacement counts."""
    told: list[WorkerState] = []

    def replace(_handle, state):
        told.append(state)
        return WorkerHandle(id="cpu0", native_id="2") if state is WorkerState.DIED else None

    states = supervise(
        Mortal(0),
        HANDLES,
        signals=[],
        grace_s=9,
        tick=lambda: None,
        on_stop=lambda _: None,
        replace=replace,
        sleep=lambda _: None,
    )
    assert told == [WorkerState.DIED, WorkerState.DONE]
    assert states == {"cpu0": WorkerState.DONE}


class Forgetful(Scripted):
    """A launcher that cannot tell for a while how its worker is."""

    def states(self, handles):
        """Answer at the third question."""
        self.polls -= 1
        return {handle.id: WorkerState.UNKNOWN if self.polls else WorkerState.DONE for handle in handles}


def test_a_worker_of_which_nothing_is_known_is_waited_for():
    """Its run would be had twice if another one were started: a cluster's manager may be away for a minute."""
    replaced: list[WorkerState] = []
    states = supervise(
        Forgetful(3),
        HANDLES,
        signals=[],
        grace_s=9,
        tick=lambda: None,
        on_stop=lambda _: None,
        replace=lambda _handle, state: replaced.append(state),
        sleep=lambda _: None,
    )
    assert replaced == [WorkerState.DONE]
    assert states == {"cpu0": WorkerState.DONE}


def test_an_end_is_told_again_while_the_server_is_away():
    """What the dead worker was at cannot be handed out yet: the launch goes on until it can."""
    told, turns = [], []

    def replace(_handle, state):
        told.append(state)
        if len(told) < 4:
            raise BackendError("nobody answers")
        return WorkerHandle(id="cpu0", native_id="2") if state is WorkerState.DIED else None

    states = supervise(
        Mortal(0),
        HANDLES,
        signals=[],
        grace_s=9,
        tick=lambda: turns.append(1),
        on_stop=lambda _: None,
        replace=replace,
        sleep=lambda _: None,
    )
    assert states == {"cpu0": WorkerState.DONE}
    assert told == [WorkerState.DIED] * 4 + [WorkerState.DONE]
    assert len(turns) == 4


def test_a_stop_waits_for_no_server():
    """Whoever presses Ctrl-C while the server is away gets the shell back; the next launch takes up what was lost."""
    signals: list[int] = []

    def replace(*_):
        raise BackendError("nobody answers")

    class Dead(Mortal):
        def stop(self, _handles, *, grace_s):
            self.stops.append(grace_s)

    states = supervise(
        Dead(0),
        HANDLES,
        signals=signals,
        grace_s=9,
        tick=lambda: signals.append(2),
        on_stop=lambda _: None,
        replace=replace,
        sleep=lambda _: None,
    )
    assert states == {"cpu0": WorkerState.DIED}
