"""The state directory of every release, with the commands of this version: what was begun there goes on here."""

from __future__ import annotations

import json

import pytest

from tests.make_release import SWEEP, TRAINER, unpack
from tests.unit.test_releases import RELEASES

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.mark.long
@pytest.mark.parametrize("release", RELEASES)
def test_what_a_release_has_left_is_read_and_gone_on_with(user, release):
    """Status, runs, a run, its log, a check of all; and the run that failed halfway goes on from its checkpoint."""
    unpack(release, user.home)
    user.write("releases.py", TRAINER)
    user.write("sweep.yaml", SWEEP)
    found = json.loads(user.run("status", "--json").stdout)
    states = {run["id"]: run["state"] for run in found["runs"]}
    assert sorted(states.values()) == ["failed", "finished", "finished"]
    (failed,) = [run for run, state in states.items() if state == "failed"]
    assert "RuntimeError: halfway" in user.run("logs", failed).stdout
    assert [run["id"] for run in json.loads(user.run("runs", "--json").stdout)["runs"]]
    assert json.loads(user.run("show", failed, "--json").stdout)["state"] == "failed"
    assert "6 ok" in user.run("server", "check", "--deep").stderr
    assert len(json.loads(user.run("list", "--json").stdout)["sweeps"]) == 3
    user.run("retry")
    user.run("launch", GO_ON="1")
    after = json.loads(user.run("show", failed, "--json").stdout)
    assert after["state"] == "finished"
    assert [point[0] for point in after["curves"]["loss"]] == [0, 1, 2, 3]
    told = user.run("server", "prune", "--older-than", "0h", "--keep-best", "--yes").stdout
    assert "deleted: " in told
    assert "6 ok" in user.run("server", "check", "--deep").stderr
