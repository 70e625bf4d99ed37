"""The best configurations with other seeds: each exactly once whatever kills the command, and what is said of them."""

from __future__ import annotations

import json
import signal
from collections import Counter

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.chaos]
NOISY = """
    import random, time
    import wandb

    QUALITY = {0.1: 0.9, 0.2: 0.9, 0.3: 0.8, 0.4: 0.1}

    def train():
        with wandb.init() as run:
            lr, seed = run.config["lr"], run.config.get("seed", 0)
            time.sleep(0.8 if seed else 0)
            run.log({"acc": QUALITY[lr] + random.Random(f"{lr}/{seed}").gauss(0, 0.01)})
"""
FILE = """
    method: grid
    program: noisy:train
    metric: {name: acc, goal: maximize}
    parameters: {lr: {values: [0.1, 0.2, 0.3, 0.4]}}
"""


def test_a_killed_confirmation_runs_each_seed_once_and_tells_noise_from_a_winner(user):
    """Two equal configurations are noise, a worse one is clear; kill -9 twice costs and doubles nothing."""
    user.write("noisy.py", NOISY)
    user.run("create", user.write("sweep.yaml", FILE))
    user.run("launch", "--workers", 2)
    ask = ("confirm", "--top", 3, "--seeds", 4, "--workers", 2)

    for done in (1, 4):
        process = user.start(*ask)
        # before the next one ends: it says so as it goes
        assert any(f"{number}/12 done" in line for line in process.stderr for number in range(done, 12))
        process.send_signal(signal.SIGKILL)
        process.communicate()
    told = user.run(*ask)
    assert "going on with what was registered before" in told.stderr
    assert "No winner: 1 and 2 cannot be told apart" in told.stdout
    assert "Clearly worse than 1: 3." in told.stdout
    found = user.status()["confirmation"]
    assert [one["verdict"] for one in found["contenders"]] == ["first", "noise", "worse"]
    (confirming,) = found["sweeps"]
    runs = json.loads(user.run("status", confirming, "--json").stdout)["runs"]
    assert Counter(run["state"] for run in runs) == {"finished": 12}
    assert Counter((run["params"]["lr"], run["params"]["seed"]) for run in runs) == Counter(
        (lr, seed) for lr in (0.1, 0.2, 0.3) for seed in (1001, 1002, 1003, 1004)
    )
    again = json.loads(user.run(*ask, "--json").stdout)
    assert (again["registered"], again["confirming"], again["confirmation"]) == (0, [], found)
