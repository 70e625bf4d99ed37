"""`sweeper report` of a real sweep."""

from __future__ import annotations

from sweeper.errors import ResultError


def test_a_report_is_one_file(here, embedded, tmp_path):
    """It says what it wrote, and the file has the best run and its sweep."""
    ref, runs = embedded.sweep(0, 0, 1)
    file = tmp_path / "report.html"
    done = here("report", ref, "-o", file)
    assert done.exit_code == 0
    assert f"wrote  {file} (" in done.stdout
    assert "3 runs" in done.stdout
    text = file.read_text()
    assert runs[0] in text
    assert ref.sweep_id in text
    assert here("report", ref, "-o", file).exit_code == 0  # its own it may write over


def test_json_says_what_was_written(told, embedded, tmp_path):
    """One document, as docs/json.md has it; Markdown has its figures beside it."""
    ref, _ = embedded.sweep(0, 0)
    written = told("report", ref, "-o", tmp_path / "r.md", home=embedded.home)
    assert written["sweep"] == ref.path
    assert (written["runs"], written["format"], written["file"]) == (2, "md", str(tmp_path / "r.md"))
    assert written["bytes"] == (tmp_path / "r.md").stat().st_size
    assert f"{tmp_path}/r-figures/best-so-far.svg" in written["figures"]


def test_a_sweep_without_runs_names_the_next_command(here, embedded, tmp_path):
    """There is a report, and a word on how to fill it."""
    ref, _ = embedded.sweep()
    done = here("report", ref, "-o", tmp_path)
    assert (tmp_path / f"report-{ref.sweep_id}.html").exists()
    assert "next: sweeper launch" in done.stdout


def test_a_file_that_is_no_report_is_left_alone(here, embedded, tmp_path):
    """Before the sweep is read, and `--force` is named."""
    ref, _ = embedded.sweep(0)
    (tmp_path / "a.html").write_text("mine")
    done = here("report", ref, "-o", tmp_path / "a.html")
    assert isinstance(done.exception, ResultError)
    assert "--force" in done.exception.hint
    assert (tmp_path / "a.html").read_text() == "mine"
