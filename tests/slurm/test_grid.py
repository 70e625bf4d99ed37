"""A sweep on a real Slurm, from the login node, where nothing of it stays."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]


def test_twelve_runs_on_two_nodes_with_two_gpus_each(here):
    """Each run has a GPU of its own, the count is exact, and the login node only looks on."""
    here.grid(14)
    here.user.environ["STEP_S"] = "0.5"
    go_on = here.until_told()  # after its end the next command starts a server here
    told = here.launch("--gpus", 4, "--count", 12)
    assert f"Slurm job {here.job('head')}: the server" in told.stdout
    assert here.on_the_login_node() == []
    here.wait(lambda: len(here.runs()) == 4, "four runs at work")
    (slot,) = {run["slot"] for run in here.user.status()["runs"] if run["id"] == here.runs()[0][0]}
    assert slot.startswith("slurm")
    run = here.runs()[0][0]
    assert f"training {run}" in here.user.run("logs", run).stdout
    assert here.on_the_login_node() == []
    go_on()
    here.await_end()
    began, ended = here.runs(), {run[0]: run[4] for run in here.runs(ended=True)}
    assert len(began) == len(ended) == 12
    assert {(node, gpu) for _, _, node, gpu, *_ in began} == {("n0", "0"), ("n0", "1"), ("n1", "0"), ("n1", "1")}
    for one in began:
        beside = [run for run in began if run[2:4] == one[2:4] and run[4] < one[4] < ended[run[0]]]
        assert beside == [], "two runs were on one GPU at a time"
    status = here.user.status()
    assert [run["state"] for run in status["runs"]].count("finished") == 12
    assert here.result() == {"interrupted": False, "errors": {}, "ended": "", "planned": False}


def test_workers_are_split_by_the_sites_longest_array(here):
    """And `sweeper stop` ends the launch from afar, with all of its jobs."""
    here.grid(40)
    here.user.environ |= {"STEPS": "1000", "STEP_S": "0.2"}
    script = here.user.folder / "scontrol"
    script.write_text(
        '#!/bin/sh\n[ "$2" = config ] && { echo "MaxArraySize = 3"; exit 0; }\nexec /usr/bin/scontrol "$@"\n'
    )
    script.chmod(0o755)
    path = f"{here.user.folder}:{here.user.environ['PATH']}"
    given = ("launch", "--on", "slurm", "--trainer", "train:train", "--detach", "--workers", 4)
    here.user.run(*given, PATH=path)
    assert len({here.job(f"slurm{number}").partition("_")[0] for number in range(4)}) == 2
    here.wait(lambda: len(here.runs()) == 4, "four runs at work")
    here.user.run("stop")  # what runs may finish, which these would take minutes for
    here.user.run("stop", *(word for run in here.runs() for word in ("--run", run[0])))
    here.await_end()
    assert len(here.runs()) == 4
