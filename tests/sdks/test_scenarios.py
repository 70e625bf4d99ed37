"""What people do with the SDK, done with one release of each minor version: a script a scenario, against our server.

`make test-sdks` runs all of it and, with all releases, writes the table of docs/protocol.md.
"""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import pytest

from tests.sdks.releases import Sdk, pointed, wanted

SCRIPTS = Path(__file__).parent / "scenarios"
pytestmark = [pytest.mark.sdks, pytest.mark.timeout(240)]


@pytest.fixture(params=wanted())
def sdk(request: pytest.FixtureRequest, user: Any, tmp_path: Path) -> Sdk:
    """A release of the SDK, pointed at a server of this test's own."""
    return pointed(user, request.param, tmp_path)


@pytest.mark.scenario("function agent")
def test_a_function_agent_runs_a_sweep(sdk: Sdk) -> None:
    """`wandb.sweep`, `wandb.agent(function=...)`; then the sweep, its runs and the best of them."""
    read = sdk.script(SCRIPTS / "function_agent.py")
    assert read["sweep"][1:] == ["FINISHED", "grid", 3]
    assert read["runs"] == [[1, "finished", 0.333333], [4, "finished", 1.333333], [9, "finished", 3]]
    assert read["best"][:2] == [1, {"depth": 2}]


SWEEP = """
program: {program}
method: grid
metric: {{name: loss, goal: minimize}}
parameters: {{n: {{values: [3, 1]}}}}
command: ["${{env}}", "${{interpreter}}", "${{program}}", "${{args}}", more]
"""


WHAT_SCRIPTS_LEAVE = """
import json, wandb
left = []
for run in wandb.Api().sweep("{sweep}").runs:
    keys = {{key.split("/")[0] for row in run.scan_history() for key in row if key.endswith("weight")}}
    console = run.file("output.log").download(root=run.id, replace=True).read().splitlines()
    left.append({{"id": run.id, "watched": sorted(keys), "console": console}})
print(json.dumps(left))
"""


def _place_of_torch() -> str:
    """Give the folder that has PyTorch, which no environment of theirs has; empty if ours has none."""
    spec = importlib.util.find_spec("torch")
    return str(Path(spec.origin).parents[1]) if spec and spec.origin else ""


@pytest.mark.scenario("script agent")
def test_scripts_run_under_wandb_agent(sdk: Sdk, user: Any) -> None:
    """`wandb sweep FILE`, `wandb agent`; update, pause, resume and stop by `wandb sweep`; watch, the console."""
    torch = _place_of_torch()
    sdk.environ["TORCH"] = torch
    user.write("train.py", (SCRIPTS / "script_agent_train.py").read_text())
    file = user.write("sweep.yaml", SWEEP.format(program="train.py"))

    def create() -> str:
        return re.search(r"wandb agent (\S+)", sdk.wandb("sweep", "-p", "p", file.name))[1]

    def read(sweep: str) -> list[Any]:
        return sdk.says(f"""
            import json, wandb
            sweep = wandb.Api().sweep("{sweep}")
            for run in sweep.runs:
                run.config or run.load_full_data()  # 0.25 has no config of a run in a list before
            runs = [[run.config["n"], run.state, run.summary.get("loss")] for run in sweep.runs]
            print(json.dumps([sweep.state, sorted(runs)]))
            """)

    sweep = create()
    agent = sdk.start("agent", sweep)
    user.wait(lambda: read(sweep)[1], "its first run has begun")
    sdk.wandb("sweep", "--pause", sweep)
    assert read(sweep)[0] == "PAUSED"
    user.write("go", "")
    sdk.wandb("sweep", "--resume", sweep)
    assert agent.wait(timeout=120) == 0
    assert read(sweep) == ["FINISHED", [[1, "finished", 1], [3, "finished", 147]]]
    for run in sdk.says(WHAT_SCRIPTS_LEAVE.format(sweep=sweep)):
        assert run["watched"] == (["gradients", "parameters"] if torch else [])
        assert {f"step 1 of {run['id']}", "trained"} <= set(run["console"])
    stopped = create()
    changed = user.write("changed.yaml", SWEEP.format(program="train.py") + "description: changed\n")
    sdk.wandb("sweep", "--update", stopped, changed.name)
    config = sdk.says(f'import json, wandb; print(json.dumps(wandb.Api().sweep("{stopped}").config))')
    assert config["description"] == "changed"
    sdk.wandb("sweep", "--stop", stopped)
    assert read(stopped) == ["FINISHED", []]


@pytest.mark.scenario("config, log, watch, save, media, tables, console")
def test_a_run_keeps_all_that_is_logged(sdk: Sdk) -> None:
    """Config, summary, rows with NaN and nested values, gradients, media, tables, a chart, a file, the console."""
    torch = _place_of_torch()
    read = sdk.script(SCRIPTS / "tracking.py", *([torch] if torch else []))
    config = {"x": 1, "deep": {"y": [1, 2]}, "later": True}
    assert read["about"] == ["finished", "first", ["a"], "said", config]
    assert read["summary"] == [0.2, 3]
    assert read["types"] == ["histogram", "html-file", "image-file", "table-file"]
    assert read["rows"] == [1 / step for step in range(1, 6)]
    assert read["watched"] == (["gradients", "parameters"] if torch else [])
    assert {"config.yaml", "model.txt", "output.log", "wandb-metadata.json", "wandb-summary.json"} <= set(read["files"])
    assert {"html", "images", "table"} <= set(read["media"])
    assert read["saved"] == "weights"
    assert read["console"]


@pytest.mark.scenario("resume")
def test_an_id_is_used_again(sdk: Sdk) -> None:
    """Resumed in three ways, begun anew, and refused where the id has to be there or must not be."""
    read = sdk.script(SCRIPTS / "resume.py")
    assert read["resumed"] == ["finished", 1, [[step, step] for step in range(6)]]
    assert read["began"] == [[3, True], [4, True], [5, True], [0, False], [0, False]]
    assert read["overwritten"] == ["finished", 2, [[0, 7]]]
    assert read["new"] == ["finished", None, [[0, 1]]]
    assert "no refusal" not in read["refused"]


@pytest.mark.scenario("offline + wandb sync")
def test_runs_made_offline_are_synced(sdk: Sdk) -> None:
    """Each with its config, rows, summary, file, table and artifact; twice is the same as once."""
    read = sdk.script(SCRIPTS / "offline_sync.py")
    assert read["one"] == read["twice"] == ["finished", 0, [[0, 0], [1, 0], [2, 0]], 0, "written offline"]
    assert read["all"] == ["finished", 1, [[0, 0], [1, 1], [2, 2]], 1, "written offline"]
    assert read["artifacts"] == [[f"made{n}:v0", f"run-o{n}-rows:v0"] for n in range(2)]


@pytest.mark.scenario("artifacts")
def test_artifacts_are_logged_used_and_changed(sdk: Sdk) -> None:
    """Versions, aliases, files, tables, references; who made and who used them; metadata; a model; deletion."""
    read = sdk.script(SCRIPTS / "artifacts.py")
    assert read["logged"] == ["data:v0", "v0", ["best", "latest"]]
    assert read["versions"] == ["v1", "v1"]
    assert read["newest"] == "changed"
    assert read["downloaded"] == {"a.txt": "A", "sub/b.txt": "B", "made.txt": "made", "local.txt": "local"}
    assert read["table"] == [[1], [2]]
    assert read["read back"] == ["B", [[1], [2]], ["a", "b"], [[1, "one"], [2, "two"]]]
    assert read["changed"] == ["v0", ["best", "prod"], "said", {"n": 5}]
    assert (read["logged by"], read["used by"]) == ("maker", ["guest", "user"])
    assert read["elsewhere"] == "v0"
    assert read["of the run"] == ["data:v1"]
    assert read["used of the run"] == ["data:v0", "data:v1"]
    assert "dataset" in read["types"]
    assert read["gone"] != "v0"


@pytest.mark.scenario("Api")
def test_the_api_reads_and_changes_runs(sdk: Sdk) -> None:
    """Filters, orders, histories, samples, files, and every field that can be set."""
    read = sdk.script(SCRIPTS / "api.py")
    assert read["states"] == {"r0": "finished", "r1": "finished", "r2": "finished", "failed": "failed"}
    assert read["filters"] == {
        "config": ["r1", "r2"],
        "state": ["failed"],
        "tags": ["r0", "r2"],
        "metric": ["r1", "r0"],
        "or": ["r0", "failed"],
    }
    assert read["order"] == ["failed", "r2", "r1", "r0"]
    assert read["history"] == list(range(2, 12))
    assert read["samples"] == 4
    # to 0.26 the SDK means max_step without it and W&B's server with it
    assert read["scan"] in ([4, 5, 6], [4, 5, 6, 7])
    assert read["pages"] == read["whole"] == list(range(2, 12))
    assert read["beta"] in (list(range(2, 12)), None)
    assert read["system"]
    assert read.get("histories", []) in ([], [["r1", 1], ["r1", 10], ["r2", 2], ["r2", 11]])
    assert read.get("exports", []) in ([], [0, True])
    assert read["last"] == 9
    assert read["viewer"] in ("local", None)
    assert read["projects"] == ["p"]
    assert read["path"] == ["local", "p", "r2"]
    assert (read["uploaded"], read["files"]) == ("up", [])
    assert read["changed"] == [{"n": 2, "new": 7}, ["b", "even"], "said", "renamed", 3]
    assert read["left"] == ["r0", "r2", "failed"]
    assert "r1" in read["gone"]


@pytest.mark.scenario("stop a run")
def test_a_run_is_stopped_from_elsewhere(sdk: Sdk) -> None:
    """It ends as killed, and the function agent goes on to the end."""
    read = sdk.script(SCRIPTS / "stop.py")
    assert read == {"sweep": "FINISHED", "stopped": ["killed", True], "whole": ["finished", 2]}


@pytest.mark.scenario("early termination")
def test_worse_runs_are_ended_early(sdk: Sdk) -> None:
    """By Hyperband; the row that condemned a run is kept, and the agent goes on."""
    read = sdk.script(SCRIPTS / "early_termination.py")
    assert read["sweep"] == "FINISHED"
    assert read["states"][:2] == ["finished", "finished"]
    assert read["states"][2] == "killed"
    assert read["rows"][:2] == [3, 3]
    assert 3 <= read["rows"][2] < 29
