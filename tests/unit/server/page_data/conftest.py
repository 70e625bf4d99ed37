"""A sweep of a few runs on a server in this process, and what asks for its data."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import Any

import pytest

SWEEP = {
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"min": 0.0, "max": 1.0}, "units": {"values": [1, 2, 3, 4]}},
    "run_cap": 60,
    "sweeper": {"seed": 1},  # what mattered is told by numbers that chance must not move
}


@pytest.fixture(scope="module")
def swept(tmp_path_factory, serve_module):
    """A client, a sweep, and the ids of its runs, the oldest first: 24 finished, 3 failed, and one goes on."""
    with contextmanager(serve_module)(tmp_path_factory.mktemp("server") / "data") as client:
        sweep = client.sweep(SWEEP)
        names = []
        for number in range(28):
            (command,) = client.beat(client.agent(sweep))
            name, lr = command["run_id"], command["args"]["lr"]["value"]
            names.append(name)
            client.begin(name)
            client.log(name, *({"_step": step, "loss": lr + 1 / (step + 1), "other": -lr} for step in range(4)))
            if number < 27:
                client.stream(name, complete=True, exitcode=int(number % 9 == 8))
        yield client, sweep, names


@pytest.fixture
def ask(swept) -> Callable[..., Any]:
    """What asks for data of the sweep: `ask("curves", points=5)`."""
    client, sweep, _ = swept

    def asked(what: str, *, status: int = 200, **query: Any) -> Any:
        answer = client.http.get(f"/-/data/local/p/sweeps/{sweep}/{what}", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    return asked
