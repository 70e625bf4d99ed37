"""Rows kept in the checkpoint: after a kill the history has no gap and no repeat."""

from __future__ import annotations

from typing import Any

import pytest

from trainer import kept_rows
from trainer.kept_rows import MOST, KeptRows


def _row(step: int) -> dict[str, Any]:
    return {"loss": 1.0 / step}


@pytest.mark.parametrize("served", [0, 1, 2, 3, 4])
def test_what_the_server_lacks_is_logged_again(run: Any, served: int) -> None:
    """Of three rows that were kept, exactly those behind the server's end, whatever that is, in their order."""
    kept = KeptRows([(step, _row(step)) for step in (1, 2, 3)])
    run.starting_step = served
    kept.log_again(run)
    assert list(run.rows.items()) == [(step, _row(step)) for step in (1, 2, 3) if step >= served]
    assert [step for step, _ in kept.kept] == [1, 2, 3]  # and stays kept: this process may be killed, too


def test_a_repeated_pass_logs_only_what_is_new(run: Any) -> None:
    """The server may be ahead of the checkpoint: what is trained once more it has, and the checkpoint keeps it all."""
    logged = KeptRows()
    run.starting_step = 3
    for step in (1, 2, 3, 4):
        logged.log(run, _row(step), step=step)
    assert run.rows == {3: _row(3), 4: _row(4)}
    assert logged.kept == [(step, _row(step)) for step in (1, 2, 3, 4)]


def test_without_a_server_nothing_is_logged_again(run: Any) -> None:
    """What an offline run has logged lies in a file, which is sent some day: it would be there twice."""
    run.offline = True
    KeptRows([(1, _row(1))]).log_again(run)
    assert run.rows == {}


def test_the_last_rows_are_kept(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint stays small, however many rows a run logs."""
    assert MOST == 10_000
    monkeypatch.setattr(kept_rows, "MOST", 3)
    logged = KeptRows()
    for step in range(1, 6):
        logged.log(run, _row(step), step=step)
    assert [step for step, _ in logged.kept] == [3, 4, 5]
    assert len(run.rows) == 5
