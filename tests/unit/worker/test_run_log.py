"""The end of what a run printed."""

from __future__ import annotations

from sweeper.worker.run_log import TAIL_BYTES, last_lines, tail


def test_the_last_lines_of_a_log_are_the_trainers_own(tmp_path):
    """What the SDK prints at the end of a run does not hide the traceback."""
    log = tmp_path / "log"
    log.write_text("".join(f"{i}\n" for i in range(20)) + "ValueError: no\n\nwandb: View run at ...\n")
    assert last_lines(log)[-2:] == ("19", "ValueError: no")
    assert len(last_lines(log)) == 10


def test_a_long_log_is_read_from_its_end(tmp_path):
    """However much was printed, be it in the middle of a character, so much is read and no more."""
    log = tmp_path / "log"
    log.write_text("é" * TAIL_BYTES + "!end")  # two bytes each: the cut goes through one
    found = tail(log)
    assert found.endswith("é!end")
    assert len(found) <= TAIL_BYTES // 2 + 4
    assert max(map(len, last_lines(log))) == 300


def test_a_log_that_was_deleted_has_no_end(tmp_path):
    """A person made space while the run was at work: its worker goes on to write down how it ended."""
    assert tail(tmp_path / "gone") == ""
    assert last_lines(tmp_path / "gone") == ()
