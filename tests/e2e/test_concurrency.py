"""Many agents at once against a real server process: counts and configurations are exact."""

from __future__ import annotations

import threading
import time

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]

AGENTS = 16
SPACE = "metric: {name: loss, goal: minimize%s}\nparameters: {x: {min: 0.0, max: 1.0}}\n"


def together(task) -> None:
    """Let all agents do something at the same time; tell of the first error."""
    errors = []
    gate = threading.Barrier(AGENTS)

    def guarded(number):
        try:
            gate.wait(30)
            task(number)
        except BaseException as error:  # noqa: BLE001 it is told below
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(number,), daemon=True) for number in range(AGENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=120)
    assert errors == []


def do_runs(client, sweep, value=lambda _number: 1.0, told=None) -> None:
    """Be an agent until the sweep sends it home."""
    agent = client.agent(sweep)
    while True:
        asked = time.monotonic()
        command = client.beat(agent)
        if command.get("type") == "exit":
            return
        if not command:
            time.sleep(0.02)
            continue
        run = command["run_id"]
        client.init(run, sweep)
        loss = value(run)
        client.log(run, 0, {"loss": loss, "_step": 0})
        if told is not None:
            told.append((asked, time.monotonic(), loss))
        client.stream(run, complete=True, exitcode=0)


def test_counts_are_exact_under_many_agents(user, wire):
    """Sixteen agents on one server: run caps, a grid and a target hold to the run, and all are sent home."""
    sdk = user.serve()
    client = wire(sdk["WANDB_BASE_URL"], sdk["WANDB_API_KEY"])
    run_cap_is_exact(client, "random")
    run_cap_is_exact(client, "bayes")
    a_grid_is_given_out_once(client)
    no_run_starts_after_the_target(client)


def run_cap_is_exact(client, method):
    """Sixteen agents make thirty-seven runs of a sweep that is to have thirty-seven."""
    sweep = client.sweep(f"method: {method}\nrun_cap: 37\n{SPACE % ''}")
    together(lambda _: do_runs(client, sweep))
    runs = client.runs_of(sweep)
    assert [run["state"] for run in runs] == ["finished"] * 37
    assert len({run["config"]["x"]["value"] for run in runs}) == 37


def a_grid_is_given_out_once(client):
    """Sixteen agents get each of sixty configurations once."""
    sweep = client.sweep(f"method: grid\nparameters: {{x: {{values: {list(range(60))}}}}}")
    together(lambda _: do_runs(client, sweep))
    assert sorted(run["config"]["x"]["value"] for run in client.runs_of(sweep)) == list(range(60))


def no_run_starts_after_the_target(client):
    """From the answer to the row that reaches the target on, no agent that asks is given a run."""
    sweep = client.sweep(f"method: random\n{SPACE % ', target: 0.5'}")
    lock, begun, told = threading.Lock(), [], []

    def value(run):
        with lock:
            begun.append(run)
            return 0.4 if len(begun) == 25 else 1.0

    together(lambda _: do_runs(client, sweep, value, told))
    (reached,) = [answered for _, answered, loss in told if loss == 0.4]
    assert [asked for asked, _, _ in told if asked > reached] == []
    assert 25 <= len(begun) < 25 + AGENTS
    assert len(client.runs_of(sweep)) == len(begun)
