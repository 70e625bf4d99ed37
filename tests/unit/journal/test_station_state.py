"""What a worker elsewhere says of itself."""

from __future__ import annotations

import time

import pytest

from sweeper.journal.station_state import StationState


def test_what_is_said_is_read(tmp_path):
    """Only its user may read it; the newest word counts."""
    path = tmp_path / "gpu0.station.json"
    assert StationState.read(path) is None
    StationState(native_id="12_3", node="n1", pid=7, state="running").write(path)
    said = StationState(native_id="12_3", node="n1", pid=7, state="failed", why="no trainer")
    said.write(path)
    assert StationState.read(path) == said
    assert abs(said.at - time.time()) < 60
    assert path.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"state": "running"}', '{"state": 1}'])
def test_what_cannot_be_believed_is_nothing(tmp_path, text):
    """Half a file on a disk without room, or one of another version: the scheduler is asked then."""
    path = tmp_path / "gpu0.station.json"
    path.write_text(text)
    assert StationState.read(path) is None


def test_a_state_of_a_newer_version_is_not_believed(tmp_path):
    """Nobody here would know what follows from it."""
    path = tmp_path / "gpu0.station.json"
    StationState(native_id="1", node="n", pid=1, state="asleep").write(path)  # type: ignore[arg-type]
    assert StationState.read(path) is None
