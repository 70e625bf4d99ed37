"""`sweeper logs`, which needs no server."""

from __future__ import annotations

import pytest

from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
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
