"""A sweep's status beside a launch."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from threading import Event
from types import SimpleNamespace

import pytest

from sweeper.errors import BackendError
from sweeper.launch import status_poller
from sweeper.launch.status_poller import DOUBTFUL_POLL_S, POLL_S, StatusPoller
from sweeper.results.status import RunCounts, SweepFacts, SweepStatus
from sweeper.run import SweepState


class Server:
    """A reader whose server is away every second time."""

    def __init__(self) -> None:
        self.asked = self.curves = 0
        self.answered = threading.Event()

    def read(self, *, curves: int = 0) -> SweepStatus:
        """Answer with as many seconds as it was asked times."""
        self.asked += 1
        self.curves = curves
        if self.asked % 2 == 0:
            raise BackendError("nobody answers")
        self.answered.set()
        return status(self.asked)


def status(elapsed_s: float) -> SweepStatus:
    facts = SweepFacts(sweep="", name="", url="", state=SweepState.RUNNING, method="grid", metric="", goal="minimize")
    return SweepStatus(facts=facts, progress=RunCounts(done=0, total=None, counts={}, elapsed_s=elapsed_s))


def test_the_last_answer_stays_while_the_server_is_away():
    """A server that restarts is back in a moment; until then the launch shows why nothing moves."""
    poller = StatusPoller(Server())
    assert (poller.read(), poller.trouble) == (status(1), "")
    assert (poller.read(), poller.trouble) == (status(1), "nobody answers")
    assert (poller.read(), poller.trouble) == (status(3), "")


def test_it_asks_by_itself_and_ends_when_it_is_left():
    """The launch's thread, which hears Ctrl-C, never waits for the server."""
    server = Server()
    with StatusPoller(server) as poller:
        assert server.answered.wait(10)
    assert not poller._thread.is_alive()
    assert poller.latest == status(1)


def test_a_server_that_is_gone_is_told_without_asking_the_sdk():
    """Which would try for a minute and a half."""
    server = Server()

    def check() -> None:
        raise BackendError("nobody answers at all")

    poller = StatusPoller(server, check)
    assert (poller.read(), poller.trouble, server.asked) == (None, "nobody answers at all", 0)


def test_a_screen_gets_the_curves_of_the_runs_that_it_shows():
    """A log has no use for them, and no server is asked for them."""
    server = Server()
    StatusPoller(server).read()
    assert server.curves == 0
    server.asked = 0
    StatusPoller(server, shown=20).read()
    assert server.curves == 20


@pytest.mark.parametrize(
    ("metric", "doubtful_s", "pause"), [("loss", 60, DOUBTFUL_POLL_S), ("loss", -1, POLL_S), ("", 60, POLL_S)]
)
def test_it_looks_often_until_a_run_has_logged_the_metric(monkeypatch, metric, doubtful_s, pause):
    """Quick runs that never do end by the dozen between two slow looks; a slow one is not asked about for hours."""
    monkeypatch.setattr(status_poller, "DOUBTFUL_S", doubtful_s)
    told = status(1)
    poller = StatusPoller(SimpleNamespace(read=lambda **_: replace(told, facts=replace(told.facts, metric=metric))))
    pauses = []

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        poller._ended = Event()
        poller._ended.set()

    poller._ended = SimpleNamespace(is_set=lambda: False, wait=wait)
    poller._poll()
    assert pauses == [pause]


def test_a_server_that_was_waited_for_is_asked_again_soon(monkeypatch):
    """The server's job was in the queue for a while: nobody has worked meanwhile."""
    pauses = []

    def read(**_: object) -> SweepStatus:
        time.sleep(1)
        return status(1)

    def wait(seconds: float) -> None:
        pauses.append(seconds)
        poller._ended = Event()
        poller._ended.set()

    poller = StatusPoller(SimpleNamespace(read=read))
    poller._ended = SimpleNamespace(is_set=lambda: False, wait=wait)
    monkeypatch.setattr(status_poller, "DOUBTFUL_S", -1)
    poller._poll()
    assert pauses == [POLL_S]
