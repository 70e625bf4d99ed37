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

    def __init__(self, client, agent: str, *runs: str) -> None:
        self.commands: list = []
        self._thread = threading.Thread(target=lambda: self.commands.extend(client.beat(agent, *runs)))
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


SET_STATE = "mutation($id: ID, $state: String) { upsertSweep(input: {id: $id, state: $state}) { sweep { id } } }"


@pytest.fixture
def worker(patient):
    """The same server, asked by a worker of ours, for which there is nothing: two runs of three are taken."""
    patient.http.headers["X-Sweeper-Holder"] = "w1"
    return patient


def set_state(client, sweep: str, state: str) -> None:
    """Do what `wandb sweep --pause` and its like do."""
    query = 'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { id } } }'
    client.graphql(SET_STATE, id=client.graphql(query, s=sweep)["project"]["sweep"]["id"], state=state)


def all_taken(client, *, begun: int) -> tuple[str, list[str]]:
    """A sweep whose runs are all given out, and so many begun; its id and its runs."""
    sweep = client.sweep(GRID)
    given = [client.beat(client.agent(sweep))[0]["run_id"] for _ in range(3)]
    for run in given[:begun]:
        client.init(run, sweep=sweep)
    return sweep, given


def test_idle_worker_is_sent_home_when_the_last_run_has_begun(worker):
    """Until then that run may come back to the queue, and would find nobody here."""
    sweep, given = all_taken(worker, begun=2)
    held = Held(worker, worker.agent(sweep))
    worker.init(given[2], sweep=sweep)
    assert held.answer() == ["exit"]


def test_idle_worker_is_sent_home_when_the_sweep_ends(worker):
    """Be it that a person ends it."""
    sweep, _ = all_taken(worker, begun=2)
    held = Held(worker, worker.agent(sweep))
    set_state(worker, sweep, "CANCELED")
    assert held.answer() == ["exit"]


def test_idle_workers_get_a_run_when_a_pause_is_over(worker):
    """Each of them at once."""
    sweep = worker.sweep(GRID)
    worker.beat(worker.agent(sweep))
    set_state(worker, sweep, "PAUSED")
    held = [Held(worker, worker.agent(sweep)) for _ in range(2)]
    set_state(worker, sweep, "RUNNING")
    assert [each.answer() for each in held] == [["run"], ["run"]]


def test_run_that_comes_back_goes_to_one_idle_worker(worker):
    """The others go on waiting, until nothing can come back."""
    sweep, given = all_taken(worker, begun=2)
    held = [Held(worker, worker.agent(sweep)) for _ in range(2)]
    worker.stream(given[0], preempting=True)
    worker.stream(given[0], complete=True, exitcode=1)
    wait_for_one = time.monotonic() + 30
    while not any(each.commands for each in held) and time.monotonic() < wait_for_one:
        time.sleep(0.05)
    assert sorted(bool(each.commands) for each in held) == [False, True]
    worker.http.headers["X-Sweeper-Holder"] = "w2"  # its first process is heard no more
    for run in (given[0], given[2]):
        worker.init(run, sweep=sweep)
    assert sorted(each.answer() for each in held) == [["exit"], ["resume"]]


def test_idle_stock_agent_is_not_kept_waiting(patient):
    """At its end it waits for the heartbeat under way: after Ctrl-C its user would sit there."""
    sweep, _ = all_taken(patient, begun=2)
    assert patient.beat(patient.agent(sweep)) == []


def test_an_idle_worker_of_a_full_group_waits_for_the_runs_of_its_group_alone(worker):
    """What another one's run does is nothing to it; when its own have ended, it is sent home."""
    worker.http.headers["X-Sweeper-Count"] = "night 1"
    sweep = worker.sweep(GRID)
    (mine,) = worker.beat(worker.agent(sweep))
    worker.init(mine["run_id"], sweep=sweep)
    held = Held(worker, worker.agent(sweep))
    del worker.http.headers["X-Sweeper-Count"]
    (other,) = worker.beat(worker.agent(sweep))
    worker.init(other["run_id"], sweep=sweep)
    worker.stream(other["run_id"], preempting=True)
    worker.stream(other["run_id"], complete=True, exitcode=1)
    time.sleep(1.5)  # by then it is there for others
    assert not held.commands
    worker.stream(mine["run_id"], complete=True, exitcode=0)
    assert held.answer() == ["exit"]
