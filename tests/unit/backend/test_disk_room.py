"""Room on the embedded server's disk."""

from __future__ import annotations

import pytest

from sweeper.backend.disk_room import ROOM_FOR_RUNS, check_room
from sweeper.errors import ServerError
from sweeper.server.store.disk import KEPT_FREE


def test_a_disk_without_room_is_told_before_anything_waits_for_it(tmp_path):
    """What is left, what is needed and where; a directory that is still to be made has the disk of the one above it."""
    check_room(tmp_path / "not" / "yet", 1)
    with pytest.raises(ServerError, match=rf"the disk of {tmp_path} has \d+ MiB left, and the server needs") as caught:
        check_room(tmp_path / "not" / "yet", 2**62)
    assert "make space" in caught.value.hint
    assert ROOM_FOR_RUNS == KEPT_FREE
