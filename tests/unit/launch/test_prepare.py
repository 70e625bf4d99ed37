"""What is seen to before a launch; with a server in tests/e2e."""

from __future__ import annotations

import pytest

from sweeper import __version__
from sweeper.errors import LaunchError
from sweeper.journal.directories import SweepDir
from sweeper.launch.prepare import Away, _check_headers, _check_mode, _check_open, _worker_environ
from sweeper.ref import SweepRef
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState
from sweeper.settings import Backend

BACKEND = Backend(kind="wandb", base_url="https://wandb.example", api_key="k")


@pytest.mark.parametrize("mode", ["offline", "disabled", "dryrun"])
def test_a_mode_in_which_the_sdk_sends_nothing_is_refused(mode):
    """The sweep would wait for its first run for ever."""
    with pytest.raises(LaunchError, match=f"WANDB_MODE is {mode}: no run would reach https://wandb.example"):
        _check_mode({"WANDB_MODE": mode}, BACKEND)
    _check_mode({"WANDB_MODE": "online"}, BACKEND)


def test_runs_write_to_the_sweeps_folder_unless_the_user_has_another(tmp_path):
    """The folder is there before the SDK looks for it."""
    directory = SweepDir.of(tmp_path, SweepRef("e", "p", "s"))
    env = _worker_environ({"LANG": "C"}, directory)
    assert env == {"LANG": "C", "WANDB_QUIET": "true", "WANDB_DIR": str(directory.wandb)}
    assert directory.wandb.is_dir()
    theirs = {"WANDB_QUIET": "false", "WANDB_DIR": str(tmp_path / "theirs")}
    assert _worker_environ(theirs, directory) == theirs
    assert (tmp_path / "theirs").is_dir()


def sweep(state: SweepState, *states: RunState, total: int | None = 2, **facts) -> SweepStatus:
    return SweepStatus(
        facts=SweepFacts(
            sweep=REF.path, name="", url="", state=state, method="random", metric="loss", goal="minimize", **facts
        ),
        progress=RunCounts(done=sum(one.ended for one in states), total=total, counts={}, elapsed_s=None),
        runs=tuple(
            RunStatus(
                id=f"r{number}", name="", state=one, params={}, best=None, last=None, duration_s=None, slot="",
                reason="", log="",
            )
            for number, one in enumerate(states)
        ),
    )  # fmt: skip


REF = SweepRef("e", "p", "s")
DONE = RunState.FINISHED


@pytest.mark.parametrize(
    ("status", "says", "fix"),
    [
        (sweep(SweepState.CANCELED, DONE), "is canceled, and that is for good", "sweeper create FILE"),
        (sweep(SweepState.FINISHED, DONE), "was stopped: 1 of its 2 runs are done", "sweeper resume e/p/s"),
        (sweep(SweepState.FINISHED, DONE, total=None), "was stopped: 1 runs are done", "sweeper resume e/p/s"),
        (sweep(SweepState.FINISHED, DONE, DONE), "is finished: all 2 combinations", "more values"),
        (sweep(SweepState.RUNNING, DONE, DONE, run_cap=2), "has no run left to give: all 2 runs of its", "`run_cap:`"),
    ],
)
def test_a_sweep_that_gives_no_run_is_refused_with_the_way_on(status, says, fix):
    """Its workers would end at once."""
    with pytest.raises(LaunchError, match="sweep e/p/s") as caught:
        _check_open(REF, status)
    assert says in caught.value.message
    assert fix in caught.value.hint


@pytest.mark.parametrize("states", [(), (DONE,), (DONE, RunState.PREEMPTED), (DONE, RunState.RUNNING)])
def test_a_sweep_with_runs_to_give_is_open(states):
    """Also for one that waits to be handed out again, or may yet come back."""
    _check_open(REF, sweep(SweepState.RUNNING, *states, run_cap=2))
    _check_open(REF, sweep(SweepState.PAUSED, *states, run_cap=2))  # its workers wait, as W&B's agents do


@pytest.mark.parametrize("version", ["0.19.11", "0.20.1"])
def test_an_sdk_that_cannot_say_for_whom_its_runs_count_is_refused(version):
    """Its slots would take run after run; others are fine."""
    with pytest.raises(LaunchError, match=f"wandb {version} cannot tell the server for whom its runs count"):
        _check_headers({"SWEEPER_PYTHON_WANDB": version})
    for fine in ("0.18.7", "0.21.0", "0.31.0"):
        _check_headers({"SWEEPER_PYTHON_WANDB": fine})


def test_orders_for_elsewhere_hold_what_the_launch_sets_and_no_key(tmp_path):
    """What the user has set is there already, whoever brings it; the server's address is the station's to find."""
    environ = {"LANG": "C", "WANDB_API_KEY": "k", "WANDB_BASE_URL": "http://127.0.0.1:8080", "WANDB_MODE": "online"}
    user = {"LANG": "C", "WANDB_MODE": "offline"}
    followed = Away(user=user, server=tmp_path / "server").orders(environ)
    assert followed == {
        "environ": {"WANDB_MODE": "online"}, "server": str(tmp_path / "server"), "version": __version__,
        "nodes": 1, "ranks_per_node": 1,
    }  # fmt: skip
    named = Away(user=user).orders(environ)
    assert named["environ"] == {"WANDB_MODE": "online", "WANDB_BASE_URL": "http://127.0.0.1:8080"}
    assert named["server"] == ""
