"""Heartbeats that are answered when something has happened to a run."""

from __future__ import annotations

import threading
import time

import pytest

GRID = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"x": {"values": [1, 2, 3]}}}


@pytest.fixture
def patient(serve, tmp_path):
    """A server that holds heartbeats for longer than any test takes."""
    yield from serve(tmp_path / "data", hold_s=100.0)


class Held:
    """A heartbeat in a thread of its own, and its answer."""

    def __init__(self, client, agent: str, run: str) -> None:
        self.commands: list = []
        self._thread = threading.Thread(target=lambda: self.commands.extend(client.beat(agent, run)))
        self._thread.start()
        time.sleep(0.3)
        assert self._thread.is_alive()

    def answer(self) -> list[str]:
        """Wait for the answer; the kinds of its commands."""
        self._thread.join(30)
        assert not self._thread.is_alive()
        return [command["type"] for command in self.commands]


def test_heartbeat_is_answered_when_the_run_ends(patient):
    """A busy agent's heartbeat waits; the end of its run answers it with the next one."""
    agent = patient.agent(patient.sweep(GRID))
    (command,) = patient.beat(agent)
    assert patient.beat(agent, command["run_id"]) == []  # nothing has started that could report its end
    patient.init(command["run_id"])
    held = Held(patient, agent, command["run_id"])
    patient.stream(command["run_id"], complete=True, exitcode=0)
    assert held.answer() == ["run"]


def test_heartbeat_is_answered_when_the_run_shall_stop(patient):
    """A canceled sweep reaches a waiting agent at once."""
    sweep = patient.sweep(GRID)
    agent = patient.agent(sweep)
    (command,) = patient.beat(agent)
    patient.init(command["run_id"])
    held = Held(patient, agent, command["run_id"])
    query = 'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { id } } }'
    number = patient.graphql(query, s=sweep)["project"]["sweep"]["id"]
    patient.graphql(
        'mutation($id: ID) { upsertSweep(input: {id: $id, state: "CANCELED"}) { sweep { id } } }', id=number
    )
    assert held.answer() == ["stop"]


def test_interrupted_agent_is_not_kept_waiting(patient):
    """After Ctrl-C the run ends with exit code 1: the heartbeat is answered, and with nothing."""
    agent = patient.agent(patient.sweep(GRID))
    (command,) = patient.beat(agent)
    patient.init(command["run_id"])
    held = Held(patient, agent, command["run_id"])
    patient.stream(command["run_id"], complete=True, exitcode=1)
    assert held.answer() == []
