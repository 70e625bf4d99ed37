"""What a launch takes up of those before it, where no server needs to be asked."""

from __future__ import annotations

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.launch.recovery import recover_sweep
from sweeper.ref import SweepRef
from sweeper.results.status import RunStatus
from sweeper.run import RunState


def status(state, **fields):
    empty = {"params": {}, "best": None, "last": None, "duration_s": None, "slot": "", "reason": "", "log": ""}
    return RunStatus(id="r", name="run-1", state=state, **empty, **fields)


def test_a_run_that_the_server_took_from_a_dead_launch_is_left_to_it(tmp_path):
    """The server has noticed the silence, and another machine may be at the run: it is not taken from that one."""
    ref = SweepRef.parse("local/p/abcdefgh")
    directory = SweepDir.of(tmp_path, ref)
    launch = directory.new_launch()
    launch.append(Attempt(run_id="r", slot="cpu0", ticket=1))
    assert recover_sweep(ref, directory, [status(RunState.RUNNING, losses=1)], retries=2) == []
    assert directory.attempts()["r"].outcome is AttemptOutcome.DIED
