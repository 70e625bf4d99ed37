"""What a launch takes up of those before it, where no server needs to be asked."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.backend import transaction_log
from sweeper.backend.transaction_log import new_record
from sweeper.errors import BackendError, LaunchError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.journal.failures import Kind, Policy
from sweeper.launch.recovery import recover_slot, recover_sweep, retry_runs
from sweeper.ref import SweepRef
from sweeper.results.status import RunStatus
from sweeper.run import RunState


def status(state, **fields):
    empty = {"params": {}, "best": None, "last": None, "duration_s": None, "slot": "", "reason": "", "log": ""}
    return RunStatus(id="r", name="run-1", state=state, **empty, **fields)


UNTOLD = {"outcome": AttemptOutcome.INTERRUPTED, "kind": Kind.PREEMPTED, "policy": Policy.RETRY_HERE, "untold": True}


@pytest.mark.parametrize("interrupted", [{}, UNTOLD])
def test_a_run_that_the_server_took_from_a_dead_launch_is_left_to_it(tmp_path, interrupted):
    """The server has noticed the silence, and another machine may be at the run: it is not taken from that one."""
    ref = SweepRef.parse("local/p/abcdefgh")
    directory = SweepDir.of(tmp_path, ref)
    launch = directory.new_launch()
    launch.append(Attempt(run_id="r", slot="cpu0", ticket=1, **interrupted))
    assert recover_sweep(ref, directory, [status(RunState.RUNNING, losses=1)], retries=2) == []
    assert directory.attempts()["r"].outcome is AttemptOutcome.DIED
    assert not directory.attempts()["r"].waits


@pytest.mark.parametrize("interrupted", [{}, UNTOLD])
@pytest.mark.parametrize(
    ("state", "outcome"),
    [(RunState.FINISHED, AttemptOutcome.FINISHED), (RunState.FAILED, AttemptOutcome.FAILED)],
)
def test_a_run_that_has_ended_for_the_server_is_only_noted(tmp_path, state, outcome, interrupted):
    """Its worker was killed between the run's end and its own note."""
    ref = SweepRef.parse("local/p/abcdefgh")
    directory = SweepDir.of(tmp_path, ref)
    directory.new_launch().append(Attempt(run_id="r", slot="cpu0", ticket=1, **interrupted))
    assert recover_sweep(ref, directory, [status(state)], retries=2) == []
    assert directory.attempts()["r"].outcome is outcome
    assert not directory.attempts()["r"].waits


def test_a_launch_under_way_is_left_alone(tmp_path):
    """Its runs are being worked on; so are those that a later launch has taken up."""
    ref = SweepRef.parse("local/p/abcdefgh")
    directory = SweepDir.of(tmp_path, ref)
    first, second = directory.new_launch(), directory.new_launch()
    first.append(Attempt(run_id="r", slot="cpu0"))
    second.append(Attempt(run_id="r", slot="cpu1"))
    with second.held():
        assert recover_sweep(ref, directory, [status(RunState.RUNNING)], retries=2) == []
    assert [attempt.outcome for attempt in directory.history()] == [None, None]


def test_a_run_of_a_dead_worker_that_another_slot_has_by_now_is_left_to_it(tmp_path):
    """The server was quicker: handed out once more, the run would be cut off from its new process, and be lost."""
    ref = SweepRef.parse("local/p/abcdefgh")
    directory = SweepDir.of(tmp_path, ref)
    first, second = directory.new_launch(), directory.new_launch()
    first.append(Attempt(run_id="r", slot="cpu0"))
    second.append(Attempt(run_id="r", slot="cpu0"))
    assert recover_slot(ref, first, "cpu0", retries=2) == []
    assert [attempt.outcome for attempt in directory.history()] == [None, None]


def test_a_dead_workers_tickets_are_given_back_but_those_of_runs_that_ended(tmp_path):
    """One that died before it got a run has used up nothing; a run that waits needs its ticket again."""
    ref = SweepRef.parse("local/p/abcdefgh")
    launch = SweepDir.of(tmp_path, ref).new_launch()
    for run_id, outcome, policy in (
        ("done", AttemptOutcome.FINISHED, None),
        ("failed", AttemptOutcome.FAILED, Policy.FAIL),
        ("waits", AttemptOutcome.DIED, Policy.RETRY_HERE),
    ):
        ticket = launch.take_ticket(None, "cpu0")
        launch.append(Attempt(run_id=run_id, slot="cpu0", ticket=ticket or 0, outcome=outcome, policy=policy))
    assert launch.take_ticket(None, "cpu0") == 4
    assert launch.take_ticket(None, "cpu1") == 5
    assert recover_slot(ref, launch, "cpu0", retries=2) == []
    assert launch.tickets_of("cpu0") == [1, 2]
    assert launch.tickets_of("cpu1") == [5]


def test_a_run_of_another_sweep_is_not_tried_again():
    """The error says where the ids are listed; without any that failed there is nothing to do."""
    ref = SweepRef.parse("local/p/abcdefgh")
    with pytest.raises(LaunchError, match="no run elsewhere in sweep local/p/abcdefgh"):
        retry_runs(ref, [status(RunState.FAILED)], ["r", "elsewhere"])
    assert retry_runs(ref, [status(RunState.FINISHED)], []) == ([], {})


NOBODY = "http://127.0.0.1:9"


def test_a_lost_run_stays_lost_as_long_as_the_server_is_away(tmp_path, monkeypatch):
    """Nothing is noted and no ticket given back: whoever asks next, this launch or another one, hands it out."""
    monkeypatch.setenv("WANDB_BASE_URL", NOBODY)
    ref = SweepRef.parse("local/p/abcdefgh")
    directory = SweepDir.of(tmp_path, ref)
    launch = directory.new_launch()
    launch.append(Attempt(run_id="r", slot="cpu0", ticket=launch.take_ticket(None, "cpu0") or 0))
    with pytest.raises(BackendError, match=f"nobody answers at {NOBODY}"):
        recover_slot(ref, launch, "cpu0", retries=2)
    with pytest.raises(BackendError, match=f"nobody answers at {NOBODY}"):
        recover_sweep(ref, directory, [status(RunState.RUNNING)], retries=2)
    assert [attempt.outcome for attempt in launch.history()] == [None]
    assert launch.tickets_of("cpu0") == [1]


@pytest.mark.usefixtures("connected")
def test_a_run_that_the_server_refuses_to_hand_out_has_failed(tmp_path):
    """It is there, and knows no such run: that is its word, and it is noted."""
    ref = SweepRef.parse("local/p/abcdefgh")
    launch = SweepDir.of(tmp_path, ref).new_launch()
    launch.append(Attempt(run_id="r", slot="cpu0", ticket=1))
    (noted,) = recover_slot(ref, launch, "cpu0", retries=2)
    assert noted.policy is Policy.FAIL
    assert "not retried: cannot hand out run local/p/r again" in noted.reason


@pytest.mark.parametrize("elsewhere", [True, False])
def test_what_a_lost_run_had_logged_is_delivered_before_it_is_handed_out(tmp_path, embedded, monkeypatch, elsewhere):
    """From its launch's folder or the user's own WANDB_DIR, and then it waits for another slot."""
    ref, (run,) = embedded.sweep(None)
    monkeypatch.setenv("WANDB_BASE_URL", embedded.url)
    monkeypatch.setenv("WANDB_API_KEY", embedded.wire.key)
    monkeypatch.setenv("WANDB_SILENT", "true")
    directory = SweepDir.of(tmp_path, ref)
    if elsewhere:
        monkeypatch.setenv("WANDB_DIR", str(tmp_path / "mine"))
    else:
        monkeypatch.delenv("WANDB_DIR", raising=False)
    folder = (tmp_path / "mine" if elsewhere else directory.wandb) / "wandb" / f"run-1-{run}"
    folder.mkdir(parents=True)
    record = new_record()
    for key, text in (("_step", "1"), ("loss", "0.5")):
        record.history.item.add(nested_key=[key], value_json=text)
    transaction_log.write(folder / f"run-{run}.wandb", b":W&B\x00\x00\x00", [record])
    launch = directory.new_launch()
    launch.append(Attempt(run_id=run, slot="cpu0", ticket=1, holder="dead"))
    (noted,) = recover_slot(ref, launch, "cpu0", retries=2)
    assert noted.outcome is AttemptOutcome.DIED
    assert [row["_step"] for row in embedded.wire.history(run)] == [0, 1]
    assert embedded.wire.run(run, "state")["state"] == "preempted"


def test_of_a_run_that_was_interrupted_while_the_server_was_away_it_is_told_later(tmp_path, embedded, monkeypatch):
    """By whoever takes the slot up, once: it stays an interruption, which counts for nothing."""
    ref, (run,) = embedded.sweep(None)
    monkeypatch.setenv("WANDB_BASE_URL", embedded.url)
    monkeypatch.setenv("WANDB_API_KEY", embedded.wire.key)
    monkeypatch.setenv("WANDB_SILENT", "true")
    launch = SweepDir.of(tmp_path, ref).new_launch()
    untold = Attempt(run_id=run, slot="cpu0", ticket=1, reason="stopped", **UNTOLD)
    launch.append(untold)
    (noted,) = recover_slot(ref, launch, "cpu0", retries=2)
    assert replace(noted, at=0.0) == replace(untold, at=0.0, untold=False)
    assert embedded.wire.run(run, "state")["state"] == "preempted"
    assert recover_slot(ref, launch, "cpu0", retries=2) == []
