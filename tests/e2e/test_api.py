"""The whole of the SDK against the server: one script a theme, with 0.31.0 and, by `make test-sdks`, with 0.29.0."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

SCRIPTS = Path(__file__).parent / "sdk"
pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def test_a_run_is_tracked_read_and_changed(sdk):
    """Unicode, NaN, infinities, media, console, alerts; then all of the public API on it: read, change, delete."""
    read = sdk.script(SCRIPTS / "tracking.py")
    assert read["names"] == ["rün-1", "nàme", "prö jekt 🦊", "local", "finished", ["ä"], "local"]
    assert read["config"] == [1.5, True, None]  # the SDK itself makes null of NaN in a config
    assert read["summary"] == [0.2, True, True]
    lacking = read["lacking"]
    assert (lacking["members"], lacking["empty"]) == (["local"], [[], [], []])
    assert "no team or user 'nobody' here" in lacking["team"]
    assert "'nobody' not found" in lacking["organization"]
    assert "this server has no W&B Launch" in lacking["queue"]
    assert read["media"] == ["histogram", "html-file", "image-file", "table-file"]
    assert read["last step"] == 5
    assert read["metadata"]
    names = ["output.log", "requirements.txt", "wandb-metadata.json", "wandb-summary.json"]
    assert read["files"] == ["config.yaml", *["media"] * 3, *names]
    assert read["history"] == read["scan"] == [1 / step for step in range(1, 6)]
    assert read["samples"] == [1, 1 / 3, 1 / 5]
    assert read["odd numbers"] == {"_step": 0, "nan": "NaN", "inf": "-Infinity"}
    assert read["scan part"] == [1, 2]
    assert read["beta scan"] == list(range(5))
    assert read["events"]
    assert read["system metrics"]
    assert read["upload"] == "up"
    assert read["after deletion"] == []
    assert read["update"] == [7, 1.5, ["a", "b"], "nötes", "neu", 3]
    assert read["made"] == "failed"
    assert read["runs"] == {
        "newest first": ["made", "rün-1"],
        "by tag": ["rün-1"],
        "by config": ["rün-1"],
        "by state": ["made"],
        "with metric first": ["rün-1", "made"],
        "histories": 1,
    }
    assert read["left"] == ["rün-1"]
    assert "Could not find run" in read["gone"]
    assert read["projects"] == ["fresh", "prö jekt 🦊"]
    assert read["viewer"] == ["local"] * 3
    assert read["users"] == ["local", None, ["local"]]
    if sdk.release != "0.29.0":
        assert read["console"] == [[0, "", "hällo", True], [1, "error", "to stderr", True]]
        assert read["tail"] == ["to stderr"]


@pytest.mark.long
def test_an_id_is_used_again(sdk):
    """Resume, rewind, fork, overwrite, preempt, sync twice, delete, share: each leaves the rows that it should."""
    read = sdk.script(SCRIPTS / "again.py")
    whole = [[step, step] for step in range(5)]
    assert read["resumed"] == ["finished", 1, [*whole, [5, 5], [6, 6]]]
    assert read["rewound"] == ["finished", 1, [*whole[:3], [3, 9]]]
    assert read["forked"] == ["finished", None, [*whole[:2], [2, 8]]]
    assert read["overwritten"] == ["finished", 2, [[0, 7]]]
    assert read["new though resumable"] == ["finished", None, [[0, 1]]]
    assert read["preempted"][0] == "preempted"
    assert read["synced"] == ["finished", 3, [[0, 1]]]
    assert read["parts"] == ["finished", None, [[0, 0], [1, 1], [2, 2]]]
    assert read["deleted"] == []
    assert read["shared"] == ["finished", list(range(6)), [0, 1, 2], [0, 1, 2], [2, 2]]
    assert "UsageError" in read["refused"]["never"]
    assert "UsageError" in read["refused"]["must"]
    assert "start it again under a new id" in read["refused"]["deleted"]


@pytest.mark.long
def test_a_function_agent_is_told_to_stop_one_run(sdk):
    """Stopped from another process, the run ends as killed, with who stopped it; the agent goes on to the end."""
    read = sdk.script(SCRIPTS / "agent.py")
    assert read["sweep"] == ["FINISHED", 2, "grid"]
    assert read["stopped"] == ["killed", "stopped by local", True]
    assert read["whole"] == ["finished", {"depth": 2}, 2]
    assert read["agents"] == [["FINISHED", 2, True]]
    assert read["sweeps"]
    assert read["best"] in {1, 9}


TRAIN = """
import sys, time, wandb
with wandb.init() as run:
    assert sys.argv[1:] == [f"--n={run.config.n}", "more"], sys.argv
    for step in range(600 if run.config.n == 9 else 2):
        run.log({"loss": step})
        time.sleep(0.1)
"""
SWEEP = """
program: train.py
method: grid
name: {name}
metric: {{name: loss, goal: minimize}}
parameters: {{n: {{values: [9, 1]}}}}
command: ["${{env}}", "${{interpreter}}", "${{program}}", "${{args}}", more]
"""


@pytest.mark.long
def test_scripts_run_under_wandb_agent_and_wandb_sweep_steers_them(sdk, user):
    """A stopped script ends by itself with all its rows, long before a signal would; the sweep ends with its agent."""
    user.write("train.py", TRAIN)
    first, second = user.write("a.yaml", SWEEP.format(name="one")), user.write("b.yaml", SWEEP.format(name="two"))

    def create(file: Path, *more: str) -> str:
        return re.search(r"wandb agent (\S+)", sdk.wandb("sweep", "-p", "cli", *more, file.name))[1]

    def state(sweep: str, field: str = "state") -> Any:
        return sdk.says(f"import json, wandb; print(json.dumps(wandb.Api().sweep({sweep!r}).{field}))")

    sweep = create(first)
    sdk.wandb("sweep", "--update", sweep, second.name)
    assert state(sweep, "name") == "two"
    agent = sdk.start("agent", sweep)
    stopped = sdk.says(f"""
        import json, time, wandb
        runs = lambda: wandb.Api().runs("cli", filters={{"sweep": "{sweep.rpartition("/")[2]}", "state": "running"}})
        while not runs() or runs()[0].lastHistoryStep < 1:
            time.sleep(0.3)
        runs()[0].stop()
        print(json.dumps(runs()[0].id))
        """)
    sdk.wandb("sweep", "--pause", sweep)
    assert state(sweep) == "PAUSED"
    sdk.wandb("sweep", "--resume", sweep)
    other = create(first, "--prior_run", stopped)
    sdk.wandb("sweep", "--stop", other)
    assert state(other) == "FINISHED"
    canceled = create(first)
    sdk.wandb("sweep", "--cancel", canceled)
    assert state(canceled) == "CANCELED"
    assert agent.wait(timeout=120) == 0
    state_now, runs = sdk.says(f"""
        import json, wandb
        sweep = wandb.Api().sweep("{sweep}")
        runs = [[r.id, r.state, r.config["n"], r.summary["loss"], r.lastHistoryStep] for r in sweep.runs]
        print(json.dumps([sweep.state, sorted(runs, key=lambda run: -run[2])]))
        """)
    assert state_now == "FINISHED"
    killed, whole = runs
    assert killed[:3] == [stopped, "killed", 9]
    assert 0 < killed[3] == killed[4] < 500
    assert whole[1:] == ["finished", 1, 1, 1]


@pytest.mark.long
def test_users_have_an_entity_each_and_see_all_of_the_server(sdk, user):
    """A second key is a second user with projects of its own; what others keep here is theirs to read."""
    if sdk.release == "0.29.0":
        pytest.skip("the server's doing, whatever the SDK")
    key = user.run("server", "add-user", "anna", "--data", user.home / "server").stdout.strip()
    code = """
        import json, wandb
        with wandb.init(project="mine") as run:
            run.log({"a": 1})
        api = wandb.Api()
        users = {run.user.username for run in api.runs("mine")}
        print(json.dumps([run.entity, api.viewer.username, sorted(users), [p.entity for p in api.projects()]]))
        """
    assert sdk.says(code) == ["local", "local", ["local"], ["local"]]
    assert sdk.says(code, WANDB_API_KEY=key) == ["anna", "anna", ["anna"], ["anna"]]
    seen = """
        import json, wandb
        print(json.dumps([run.state for run in wandb.Api().runs("local/mine")]))
        """
    assert sdk.says(seen, WANDB_API_KEY=key) == ["finished"]
