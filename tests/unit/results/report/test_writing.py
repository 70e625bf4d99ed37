"""Where a report goes: whole or not at all, and over nothing but a report."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.errors import ResultError
from sweeper.results.report import writing
from tests.unit.results.report.conftest import make_report, many


@pytest.mark.parametrize(
    ("output", "form", "expected"),
    [
        (None, None, ("report-s1.html", "html")),
        (None, "md", ("report-s1.md", "md")),
        (Path("a.md"), None, ("a.md", "md")),
        (Path("a.HTM"), None, ("a.HTM", "html")),
        (Path("a"), None, ("a", "html")),
        (Path("a.txt"), "md", ("a.txt", "md")),
    ],
)
def test_the_name_says_the_format(output, form, expected):
    """Unless it is asked for; HTML otherwise."""
    file, found = writing.choose_output(output, form, "s1")
    assert (str(file), found) == expected


def test_a_folder_gets_a_file(tmp_path):
    """`-o results` means a report in it."""
    assert writing.choose_output(tmp_path, None, "s1") == (tmp_path / "report-s1.html", "html")


def test_a_name_of_another_format_is_refused():
    """Markdown in a file that browsers take for HTML helps nobody."""
    with pytest.raises(ResultError) as caught:
        writing.choose_output(Path("a.html"), "md", "s1")
    assert caught.value.hint == "call it a.md"


def test_only_a_report_is_written_over(tmp_path):
    """An earlier report is; anything else only by force, and a folder that is not there is named."""
    mine, other = tmp_path / "report.html", tmp_path / "thesis.html"
    writing.write_report(make_report(), mine, "html")
    writing.check_output(mine, force=False)
    writing.write_report(make_report(), tmp_path / "report.md", "md")
    writing.check_output(tmp_path / "report.md", force=False)
    other.write_text("<html>years of work")
    with pytest.raises(ResultError, match="is no report"):
        writing.check_output(other, force=False)
    writing.check_output(other, force=True)
    with pytest.raises(ResultError, match="no folder"):
        writing.check_output(tmp_path / "nowhere" / "a.html", force=False)


def test_html_is_one_file(tmp_path):
    """What was written is told, with its size, and nothing lies beside it."""
    file = tmp_path / "r.html"
    written = writing.write_report(make_report(*many(30)), file, "html")
    assert (written.file, written.format, written.figures) == (str(file), "html", ())
    assert written.bytes == file.stat().st_size
    assert list(tmp_path.iterdir()) == [file]


def test_markdown_has_its_figures_in_a_folder(tmp_path):
    """Named after it; a second report into the same place replaces them."""
    for _ in range(2):
        written = writing.write_report(make_report(*many(30)), tmp_path / "r.md", "md")
    assert {Path(figure).parent.name for figure in written.figures} == {"r-figures"}
    assert sorted(file.name for file in tmp_path.iterdir()) == ["r-figures", "r.md"]
    for figure in written.figures:
        assert f"(r-figures/{Path(figure).name})" in (tmp_path / "r.md").read_text()
        assert "<svg xmlns=" in Path(figure).read_text()


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path):
    """A folder in the place of the file, or a file in the place of the figures: an error, and nothing half done."""
    (tmp_path / "r.html").mkdir()
    with pytest.raises(ResultError, match="cannot write"):
        writing.write_report(make_report(), tmp_path / "r.html", "html")
    (tmp_path / "m-figures").write_text("mine")
    with pytest.raises(ResultError, match="cannot write"):
        writing.write_report(make_report(*many(5)), tmp_path / "m.md", "md")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["m-figures", "r.html"]
    assert (tmp_path / "m-figures").read_text() == "mine"
