"""`sweeper logs`, which needs no server."""

from __future__ import annotations

import pytest

from sweeper.errors import LaunchError, UsageError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.journal.rank_files import rank_log
from sweeper.ref import SweepRef


@pytest.mark.parametrize("name", ["r1", "gpu0"])
def test_a_log_is_printed_as_it_is(sweeper, home, tmp_path, name):
    """That of the newest attempt, by run or by slot; brackets in it are no markup."""
    launch = SweepDir.of(home, SweepRef("local", "p", "s")).new_launch()
    for attempt, text in ((1, "first\n"), (2, "epoch 1 [bold]loss[/bold] 0.5\nno line end")):
        log = tmp_path / f"{attempt}.log"
        log.write_text(text)
        launch.append(Attempt(run_id="r1", slot="gpu0", attempt=attempt, log=str(log), outcome=AttemptOutcome.FINISHED))
    assert sweeper("logs", name).stdout == "epoch 1 [bold]loss[/bold] 0.5\nno line end"
    assert sweeper("logs", "-f", name).stdout.endswith("no line end")  # it has ended: there is nothing to wait for


def test_a_log_gives_a_terminal_no_orders(sweeper, home, tmp_path):
    """What a run printed is shown without its sequences; --raw leaves them in."""
    launch = SweepDir.of(home, SweepRef("local", "p", "s")).new_launch()
    log = tmp_path / "a.log"
    log.write_text("\x1b]0;title\x07\x1b[32mloss\x1b[0m 0.5\r10%\r\n\x9b2J\u202eend\n", newline="")
    launch.append(Attempt(run_id="r1", slot="gpu0", log=str(log), outcome=AttemptOutcome.FINISHED))
    assert sweeper("logs", "r1").stdout == "loss 0.5\n10%\nend\n"
    assert "\x1b[32mloss\x1b[0m" in sweeper("logs", "--raw", "r1").stdout


def test_what_never_ran_here_is_said(sweeper, home):
    """And where its name is looked up; no server is started for that."""
    error = sweeper("logs", "gpu0").exception
    assert isinstance(error, LaunchError)
    assert "no run or slot 'gpu0'" in error.message
    assert not (home / "server").exists()


def test_a_log_that_was_deleted_is_named(sweeper, home, tmp_path):
    """It is no fault of sweeper: a person makes space, and is told where else the words are."""
    launch = SweepDir.of(home, SweepRef("local", "p", "s")).new_launch()
    log = tmp_path / "gone.log"
    launch.append(Attempt(run_id="r1", slot="gpu0", log=str(log), outcome=AttemptOutcome.FINISHED))
    error = sweeper("logs", "r1").exception
    assert isinstance(error, LaunchError)
    assert str(log) in error.message
    assert "page" in error.hint


def test_each_rank_of_a_run_has_a_log(sweeper, home, tmp_path):
    """That of the first is the run's; a rank that is not there is told from one that printed nothing."""
    launch = SweepDir.of(home, SweepRef("local", "p", "s")).new_launch()
    log = tmp_path / "gpu0-0001.log"
    for rank, text in enumerate(["zero\n", "one\n"]):
        rank_log(log, rank).write_text(text)
    launch.append(Attempt(run_id="r1", slot="gpu0", log=str(log), outcome=AttemptOutcome.FINISHED))
    assert sweeper("logs", "r1").stdout == "zero\n"
    assert sweeper("logs", "r1", "--rank", "1").stdout == "one\n"
    error = sweeper("logs", "r1", "--rank", "2").exception
    assert isinstance(error, UsageError)
    assert "no log of a rank 2" in error.message
