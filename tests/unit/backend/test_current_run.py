"""The run of a process, with the real SDK on a real server: each test is a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.conftest import clean_environ

PROCESS = """
import json, sys
import wandb
from wandb.sdk import wandb_init
from wandb.sdk.interface.interface import InterfaceBase
from wandb.sdk.wandb_run import Run
from sweeper.backend import current_run
from sweeper.backend.current_run import CurrentRun

class Ended(BaseException):
    pass

def end(*_, **__):
    raise Ended

def init(**more):
    try:
        return wandb.init(**more)
    except Ended:
        assert wandb.run is None

current = CurrentRun()
current.watch()
"""
PLACES = {
    "wait": "wandb_init.wait_with_progress = end",  # the server has the run, or will soon
    "answer": "Run._set_run_obj = end",
    "start": "InterfaceBase.deliver_run_start = end",
    "last": "wandb_init._set_global_run = end",
}
"""Where a trainer comes to its end within `wandb.init`."""


@pytest.fixture
def process(embedded, tmp_path):
    """What runs Python as the process of a run of a sweep; gives that run's state and rows, and what was printed."""
    wire = embedded.wire
    sweep = wire.sweep("method: grid\nmetric: {name: loss}\nparameters: {lr: {values: [1, 2, 3]}}\n")
    address = {"WANDB_BASE_URL": embedded.url, "WANDB_API_KEY": wire.key, "WANDB_SILENT": "true"}
    names = {"WANDB_ENTITY": "local", "WANDB_PROJECT": "p", "WANDB_SWEEP_ID": sweep, "WANDB_DIR": str(tmp_path)}

    def run(*code: str):
        run_id = wire.beat(wire.agent(sweep))["run_id"]
        env = {**clean_environ(tmp_path), **address, **names, "WANDB_RUN_ID": run_id}
        command = [sys.executable, "-c", "\n".join([PROCESS, *code])]
        done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=100)
        assert done.returncode == 0, done.stderr
        found = wire.run(run_id, "state historyLineCount summaryMetrics")
        return found["state"], found["historyLineCount"], json.loads(found["summaryMetrics"]), done.stdout.split()

    return run


@pytest.mark.parametrize("place", PLACES)
def test_a_run_whose_trainer_ended_within_wandb_init_has_failed(process, place):
    """By itself wandb-core would tell the server at the end of the process that it has finished."""
    state, rows, summary, _ = process(PLACES[place], "init()", "current.finish(3)")
    assert (state, rows, summary["_sweeper"]["reason"]) == ("failed", 0, "exit code 3")


@pytest.mark.parametrize("place", PLACES)
def test_a_run_is_preempted_within_wandb_init(process, place):
    """As behind it: the server hands it out again, to others too."""
    state, _, summary, _ = process(PLACES[place], "init()", "current.mark_preempting()", "current.finish(143)")
    assert (state, summary["_sweeper"]["reason"]) == ("preempted", "preempted")


def test_a_run_that_the_server_has_not_heard_of_ends_unheard(process):
    """Its `wandb.init` ended before anything was sent: there is nothing to mark or end."""
    assert process("InterfaceBase.deliver_run = end", "init()", "current.finish(3)")[0] == "pending"


def test_a_run_that_the_server_refuses_is_ended_at_once(process):
    """Nobody waits for what can never be delivered."""
    refused = ["try:", "    init(resume='must')", "except wandb.Error:", "    print('refused')", "current.finish(1)"]
    state, _, _, said = process(*refused)
    assert (state, said) == ("pending", ["refused"])


def test_a_run_ends_with_the_exit_code_of_its_trainer(process):
    """Also one that is not `wandb.run`; what has ended already stays as it was told."""
    assert process("init()", "current.finish(3)")[0] == "failed"
    assert process("init(reinit='create_new')", "current.finish(3)", "assert current.exit_code == 3")[0] == "failed"
    assert process("with init() as run:", "    pass", "current.finish(3)")[0] == "finished"


@pytest.mark.parametrize("place", ["wait", "answer"])
def test_what_a_run_has_summed_up_outlives_an_end_within_wandb_init(process, place):
    """The process had not yet read what the last one left; the next one may have nothing more to log."""
    cut_off = ["current.mark_preempting()", "current.finish(143)"]
    process("init().log({'loss': 1.0})", *cut_off)
    state, rows, summary, _ = process(PLACES[place], "init(resume='allow')", *cut_off)
    assert (state, rows, summary["loss"]) == ("preempted", 1, 1.0)
    state, rows, summary, _ = process("init(resume='allow')", "current.finish(0)")
    assert (state, rows, summary["loss"], summary["_sweeper"]["interrupted"]) == ("finished", 1, 1.0, True)


@pytest.mark.parametrize(("given", "told"), [(0, 0), (3, 3), (143, 143), (255, 1), (256, 1), (-1, 1), (259, 3)])
def test_an_exit_code_is_told_so_that_the_server_takes_it_for_no_other(given, told):
    """0 is well and 255 a person's Ctrl-C, for the SDK; an end with neither of them must not look like one."""
    code = f"from sweeper.backend.current_run import CurrentRun as C\nc = C()\nc.finish({given})\nprint(c.exit_code)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == f"{told}\n"


def test_one_that_cannot_be_ended_leaves_no_other_open(process):
    """And is told."""
    code = """
class Odd:
    def finish(self, **_):
        raise OSError("no")

init(reinit="create_new")
wandb.run = Odd()
try:
    current.finish(3)
except OSError:
    print("told")
"""
    state, _, _, said = process(code)
    assert (state, said) == ("failed", ["told"])


@pytest.mark.parametrize(
    ("options", "mode"), [("", "online"), ("mode='offline'", "offline"), ("mode='disabled'", "disabled")]
)
def test_how_a_process_is_at_its_run_is_seen(process, options, mode):
    """A run of another id is not its own; behind its end it is at none."""
    code = f"""
import os
told = []
def look():
    told.append(current_run.mode(os.environ["WANDB_RUN_ID"]) or "none")
look()
init({options})
look()
other = current_run.mode("another")
current.finish(0)
look()
print(*told)
assert other == ("disabled" if "{mode}" == "disabled" else "")
"""
    assert process(code)[3] == ["none", mode, "none"]
