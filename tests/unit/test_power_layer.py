"""The failing disk of the tests: what is not synced may be gone, what is synced is there."""

from __future__ import annotations

import os
import random
import subprocess
import sys

import pytest

from tests.power_layer.recorded_disk import Recording

WRITES = """
import os, sys
from pathlib import Path
root = Path(sys.argv[1])

def sync(path):
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)
    os.close(fd)

(root / "there").write_bytes(b"after")
(root / "nameless").write_bytes(b"synced, and its name was not")
sync(root / "nameless")
(root / "empty").write_bytes(b"named, and not synced")
(root / "a" / "b").mkdir(parents=True)
(root / "a" / "b" / "file").write_bytes(b"x" * 2000)
sync(root / "a" / "b" / "file")
sync(root / "a" / "b")
print(root.parent.joinpath("journal").stat().st_size)
sync(root / "a")
sync(root)
print(root.parent.joinpath("journal").stat().st_size)
with (root / "a" / "b" / "file").open("r+b") as file:
    file.write(b"y" * 600)
    file.truncate(1000)
(root / "a" / "b" / "file").replace(root / "moved")
(root / "nameless").unlink()
(root / "a" / "b").rmdir()
sync(root)
print(root.parent.joinpath("journal").stat().st_size)
"""


@pytest.fixture
def recorded(tmp_path, power_layer):
    """What a script did, and three moments of it."""
    root = tmp_path / "root"
    root.mkdir()
    (root / "there").write_bytes(b"before")
    recording = Recording(root, tmp_path / "journal", power_layer)
    command = [sys.executable, "-c", WRITES, root]
    environ = {**os.environ, **recording.environ}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True)
    return recording.disk(), [int(line) for line in done.stdout.split()]


def lying(place):
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def test_only_what_was_synced_is_left(recorded, tmp_path):
    """A file without the sync of its folder has no name, a name without the sync of its file is empty or old."""
    disk, (early, named, last) = recorded
    for cut, expected in {
        early: {"there": b"before"},
        named: {
            "there": b"before",
            "empty": b"",
            "nameless": b"synced, and its name was not",
            "a/b/file": b"x" * 2000,
        },
        last: {"there": b"before", "empty": b"", "moved": b"x" * 2000},
    }.items():
        disk.left(cut, tmp_path / str(cut))
        assert lying(tmp_path / str(cut)) == expected


def test_a_sync_left_out_is_noticed(recorded, tmp_path):
    """Of the file, its folder, or a folder above it."""
    disk, (_, named, _) = recorded
    for number, (unsynced, left) in enumerate([("file", b""), ("/a/b", None), ("/a", None)]):
        place = tmp_path / str(number)
        disk.left(named, place, deaf=lambda path, unsynced=unsynced: path.endswith(unsynced))
        assert lying(place).get("a/b/file") == left


def test_a_killed_process_loses_nothing(recorded, tmp_path):
    """What it had written is there, synced or not: as the folder itself is now."""
    disk, _ = recorded
    disk.left(disk.end, tmp_path / "all", all_written=True)
    assert lying(tmp_path / "all") == lying(tmp_path / "root")
    assert lying(tmp_path / "all")["moved"] == b"y" * 600 + b"x" * 400


def test_the_system_may_have_written_any_part(recorded, tmp_path):
    """Of many power cuts some leave more than was synced, none less, and torn writes are among them."""
    disk, (_, named, last) = recorded
    seen = set()
    for seed in range(60):
        place = tmp_path / str(seed)
        disk.left(last - 1, place, chance=random.Random(seed))
        found = lying(place)
        content = found.get("a/b/file", found.get("moved"))
        assert content is not None
        seen.add(content)
        assert found["there"] in {b"before", b"", b"after", b"aftere"}
    torn = b"y" * 512 + b"x" * 1488
    assert {b"x" * 2000, b"x" * 1000, b"y" * 600 + b"x" * 1400, b"y" * 600 + b"x" * 400, torn} <= seen
    disk.left(named, tmp_path / "again", chance=random.Random(1))
    assert "a/b/file" in lying(tmp_path / "again")
