"""A mark that every process sees change at once."""

from __future__ import annotations

import stat
import subprocess
import sys

from sweeper.server.store import change_mark
from sweeper.server.store.change_mark import Mark


def test_a_change_by_another_process_is_seen(tmp_path):
    """The next look gives another value, without a word between the two."""
    mark = Mark(tmp_path / "mark")
    before = mark.read()
    assert mark.read() == before
    code = "import sys, pathlib, sweeper.server.store.change_mark as m; m.change(pathlib.Path(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "mark")], check=True)
    assert mark.read() != before
    mark.close()


def test_a_new_view_is_a_change(tmp_path):
    """A server that starts trusts nothing that was read before, and no value comes twice."""
    path = tmp_path / "mark"
    first = Mark(path)
    seen = {first.read()}
    for _ in range(20):
        change_mark.change(path)
        seen.add(first.read())
    Mark(path).close()
    seen.add(first.read())
    assert len(seen) == 22
    first.close()


def test_a_mark_is_its_owners_alone(tmp_path):
    """Nobody else can make a server read its keys anew, again and again."""
    Mark(tmp_path / "mark").close()
    assert stat.S_IMODE((tmp_path / "mark").stat().st_mode) == 0o600
