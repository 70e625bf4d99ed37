"""The process that workers are forked from, as a launch sees it."""

from __future__ import annotations

import os

import psutil
import pytest

from sweeper.launch.forkserver_process import ForkserverProcess
from sweeper.worker.forkserver_orders import Prepare, Prepared
from tests.conftest import has_ended
from tests.unit.launch.test_launcher import wait


def test_it_begins_before_it_has_orders_and_tells_when_it_is_ready(launch):
    """What is imported for every sweep is imported while the command still learns which one it is."""
    process = ForkserverProcess(os.environ)
    try:
        assert list(process.messages()) == []
        process.send(Prepare(environ=dict(os.environ), directory=str(launch.path), trainer="", gpu=False))
        said: list[object] = []
        wait(lambda: said.extend(process.messages()) or said)
        assert said == [Prepared()]
    finally:
        process.close()
    process.close()


def test_its_death_is_the_end_of_its_messages(launch):
    """Orders for the dead are no error: whoever gave them is about to read it."""
    process = ForkserverProcess(os.environ)
    found = psutil.Process(process.pid)
    found.kill()
    wait(lambda: has_ended(found))
    with pytest.raises(EOFError):
        wait(lambda: list(process.messages()))
    process.send(Prepare(environ={}, directory=str(launch.path), trainer="", gpu=False))
    process.close()
