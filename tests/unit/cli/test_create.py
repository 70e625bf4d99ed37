"""What `sweeper create` prints, and what it refuses."""

from __future__ import annotations

import json

import pytest

from sweeper.backend.create import Created
from sweeper.cli.create import _show
from sweeper.errors import DefinitionError
from sweeper.ref import SweepRef

CREATED = Created(ref=SweepRef("local", "p", "s1"), url="http://127.0.0.1:1/local/p/sweeps/s1", expected_runs=6)


@pytest.mark.parametrize(
    ("expected", "runs", "following"),
    [(6, "runs 6", "next: sweeper launch"), (None, "runs until stopped", "next: sweeper launch --count 20")],
)
def test_the_next_command_ends_by_itself(capsys, expected, runs, following):
    """A sweep without an end is launched with a count, so that nobody waits for ever."""
    _show(Created(ref=CREATED.ref, url=CREATED.url, expected_runs=expected), as_json=False)
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == ["sweep local/p/s1", f"page {CREATED.url}", runs, following]


def test_the_json_is_for_scripts(capsys):
    """Name, page and number of runs, and nothing else on stdout."""
    _show(CREATED, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert told == {"sweep": "local/p/s1", "url": CREATED.url, "expected_runs": 6}


def test_a_wrong_file_starts_no_server(sweeper, home, tmp_path):
    """Its faults are said at once, each with its place."""
    (tmp_path / "wrong.yaml").write_text("method: grit\nparameters: {}\n")
    error = sweeper("create", tmp_path / "wrong.yaml").exception
    assert isinstance(error, DefinitionError)
    assert "wrong.yaml:1" in error.message
    assert not (home / "server").exists()
