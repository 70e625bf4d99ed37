"""The table that a round writes."""

from __future__ import annotations

from tests.sdks.matrix import BEGIN, END, Matrix


def test_a_table_says_what_each_release_did() -> None:
    """The newest first; what failed once is not mended by what follows; a page keeps the rest of its text."""
    matrix = Matrix()
    for release in ("0.1", "0.2"):
        matrix.note(release, "resume", "passed")
    matrix.note("0.1", "Api", "failed")
    matrix.note("0.1", "Api", "passed")
    assert not matrix.is_whole(["0.1", "0.2"])
    matrix.note("0.2", "Api", "skipped")
    assert matrix.is_whole(["0.1", "0.2"])
    table = "| SDK | Api | resume |\n|---|---|---|\n| 0.2 | cannot | yes |\n| 0.1 | no | yes |"
    text = f"before\n{BEGIN}\nold\n{END}\nafter"
    assert matrix.within(text, ["0.1", "0.2"]) == f"before\n{BEGIN}\n{table}\n{END}\nafter"
