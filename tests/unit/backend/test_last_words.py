"""What a server that did not start has said last."""

from __future__ import annotations

import pytest

from sweeper.backend.last_words import last_words


@pytest.mark.parametrize(
    ("log", "said"),
    [
        ("starting\nerror: the disk is full\n  make space.\n", (": the disk is full", "make space; ")),
        ("error: of the start before\nand\nthen\nit went\n", ("", "")),
        ("error: no fix\n", (": no fix", "")),
        ("", ("", "")),
    ],
)
def test_the_error_at_a_logs_end_is_quoted_with_its_fix(tmp_path, log, said):
    """One that others have followed is of before."""
    (tmp_path / "log").write_text(log)
    assert last_words(tmp_path / "log") == said
