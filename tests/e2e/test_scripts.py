"""Scripts as trainers: `program:` and `command:`, started by the SDK's own agent."""

from __future__ import annotations

import json

import pytest

from tests.conftest import has_ended

pytestmark = [pytest.mark.e2e, pytest.mark.failures, pytest.mark.timeout(300)]

SCRIPT = """
import json, os, pathlib, signal, sys, wandb

mark = pathlib.Path(os.environ["SWEEPER_CHECKPOINT_DIR"], "mark")
with wandb.init() as run:
    case = run.config.case
    if case == "wrong":
        raise KeyError("lr")
    if case == "killed" and not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    facts = {"argv": sys.argv[1:], "gpus": os.environ["CUDA_VISIBLE_DEVICES"], "env": os.environ["MINE"]}
    pathlib.Path(f"seen-{case}.json").write_text(json.dumps(facts))
    run.log({"loss": 1.0})
"""


def test_a_script_is_started_by_its_command_and_judged_like_a_function(user):
    """Macros are expanded, the slot is pinned, a failure has its cause, and a killed script runs again."""
    user.write("my train.py", SCRIPT)
    definition = {
        "method": "grid",
        "metric": {"name": "loss"},
        "program": "my train.py",
        "command": ["${env}", "MINE=${envvar:FROM_OUTSIDE}", "${interpreter}", "${program}", "x", "${args_no_hyphens}"],
        "parameters": {"case": {"values": ["well", "wrong", "killed"]}},
    }
    user.run("create", user.write("sweep.json", json.dumps(definition)))
    user.run("launch", "--workers", "2", code=1, FROM_OUTSIDE="hello")
    runs = {run["params"]["case"]: run for run in user.status()["runs"]}
    assert {case: run["state"] for case, run in runs.items()} == {
        "well": "finished",
        "wrong": "failed",
        "killed": "finished",
    }
    assert (runs["wrong"]["kind"], runs["wrong"]["reason"]) == ("exception", "KeyError: 'lr'")
    assert runs["killed"]["attempts"] == 2
    seen = json.loads((user.folder / "seen-well.json").read_text())
    assert seen == {"argv": ["x", "case=well"], "gpus": "", "env": "hello"}


def test_nothing_of_a_script_outlives_a_killed_launcher_or_run(user):
    """A script has no bond of its own to its parent: the worker ends it."""
    user.write(
        "train.py", "import time, wandb\nwith wandb.init() as run:\n    run.log({'loss': 1})\n    time.sleep(600)\n"
    )
    text = "method: grid\nprogram: train.py\nmetric: {name: loss}\nparameters: {x: {values: [1]}}\n"
    user.run("create", user.write("sweep.yaml", text))
    launch = user.start("launch", "--workers", "1", "--retries", "5")

    def scripts():
        return user.processes(" train.py")

    first = user.wait(scripts, "the script")[0]
    # a script is there before its run is: until it calls wandb.init, that one is only offered
    user.wait(lambda: [run for run in user.status()["runs"] if run["last"]], "its log")
    first.parent().kill()
    user.wait(lambda: has_ended(first), "the script's end", 10)
    user.wait(scripts, "another attempt")
    launch.kill()
    user.wait(user.only_the_server_is_left, "all but the server to end", 10)


@pytest.mark.parametrize(
    ("extra", "said"),
    [
        ("program: gone.py", "no file 'gone.py' here"),
        ("program: sweep.yaml\ncommand: [no-such-tool, '${program}']", "'no-such-tool', which is no command"),
        ("program: nowhere:train", "no module 'nowhere'"),
    ],
)
def test_what_cannot_be_started_is_found_before_a_run_is_taken(user, extra, said):
    """`create` says what is missing, unless the trainer lies elsewhere; so does `launch`, and the sweep has no run."""
    file = user.write("sweep.yaml", f"method: grid\nparameters: {{x: {{values: [1]}}}}\n{extra}\n")
    refused = " ".join(user.run("create", file, code=1).stderr.split())
    assert said in refused
    assert "--elsewhere" in refused
    user.run("create", "--elsewhere", file)
    assert said in " ".join(user.run("launch", "--workers", "1", code=1).stderr.split())
    assert user.status()["runs"] == []


def test_a_function_may_stand_in_the_sweep_file(user):
    """`program: module:function` needs no option; a function that is not there is found before a run is taken."""
    user.write("toy.py", "import wandb\n\ndef train():\n    with wandb.init() as run:\n        run.log({'loss': 1})\n")
    text = "method: grid\nprogram: toy:train\nmetric: {name: loss}\nparameters: {x: {values: [1]}}\n"
    user.run("create", user.write("sweep.yaml", text))
    missing = user.run("launch", "--workers", "1", "--trainer", "toy:tarin", code=1)
    assert "toy has no function 'tarin'" in missing.stderr
    assert user.status()["runs"] == []
    user.run("launch", "--workers", "1")
    assert user.status()["runs"][0]["state"] == "finished"


def test_what_the_agent_can_start_is_started(user):
    """A module, a shell script, a command on PATH, and braces that are Hydra's: none of them needs a file `program`."""
    (user.folder / "pkg").mkdir()
    user.write("pkg/fit.py", SCRIPT)
    user.write("go.sh", 'exec python -m pkg.fit "$@"\n')
    for case, start in {
        "module": {"program": "pkg.fit", "command": ["python", "-m", "${program}", "out=${now:%H-%M}", "${args}"]},
        "shell": {"command": ["bash", "-eu", "go.sh", "${args}"]},
    }.items():
        values = {"method": "grid", "metric": {"name": "loss"}, "parameters": {"case": {"values": [case]}}, **start}
        user.run("create", user.write("sweep.json", json.dumps(values)))
        user.run("launch", "--workers", "1", MINE="1")
        assert [run["state"] for run in user.status()["runs"]] == ["finished"]
    seen = json.loads((user.folder / "seen-module.json").read_text())
    assert seen["argv"] == ["out=${now:%H-%M}", "--case=module"]


def test_a_script_that_the_file_forgot_is_asked_for(user):
    """Instead of the shipped trainer; `launch`, which may have another folder, asks as well."""
    user.write("train.py", SCRIPT)
    file = user.write("sweep.yaml", "method: grid\nmetric: {name: loss}\nparameters: {case: {values: [well]}}\n")
    refused = user.run("create", file, code=1).stderr
    assert "sweep.yaml:1:1: the file names no `program:`, and train.py lies beside it" in refused
    assert "add `program: train.py`" in refused
    user.run("create", "--elsewhere", file)
    refused = " ".join(user.run("launch", "--workers", "1", code=1).stderr.split())
    assert "the sweep names no `program:`, and train.py lies here" in refused
    assert user.status()["runs"] == []
