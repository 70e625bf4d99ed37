"""A terminal that is closed, full or knows only ASCII."""

from __future__ import annotations

import subprocess
import sys

import pytest

SAY = """
import sys
from sweeper.cli.streams import prepare_streams
prepare_streams()
print({text!r}, file=sys.stderr)
print({text!r})
sys.stdout.flush()
"""
SWEEPER = f"{sys.executable} -m sweeper"


def shell(command: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a line of a shell."""
    return subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, timeout=60, env=environ or None)


def test_an_ascii_terminal_gets_letters_that_it_has(tmp_path):
    """Lines and dots by their likes, names of users by escapes; nothing is lost and nothing is raised."""
    script = tmp_path / "say.py"
    script.write_text(SAY.format(text="━━╌ größe … \udcff ▁▄█ 64 °C"), encoding="utf-8")
    done = shell(f"{sys.executable} {script}", PYTHONIOENCODING="ascii", PYTHONPATH=":".join(sys.path))
    assert done.stdout == done.stderr == "==- gr\\xf6\\xdfe ... \\xff _~# 64 C\n"


@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        (">&-", 1, "error: cannot use standard output: Bad file descriptor"),
        (">/dev/full", 1, "error: cannot use standard output: No space left on device"),
        ("<&- >&- 2>&-", 1, ""),
        ("2>&-", 0, ""),
        ("2>/dev/full", 0, ""),
    ],
)
def test_a_stream_that_takes_nothing_is_told_once(place, code, said):
    """Data that nobody gets are an error; talk that nobody hears is none."""
    done = shell(f"{SWEEPER} --version {place}")
    assert done.returncode == code
    assert done.stderr.splitlines()[:1] == ([said] if said else [])
    assert "Exception ignored" not in done.stderr
    assert "fault of sweeper" not in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error():
    """As with `| head`: no word about the pipe."""
    assert shell(f"{SWEEPER} schema | true").stderr == ""
