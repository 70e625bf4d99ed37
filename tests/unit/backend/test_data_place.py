"""Whether a server's data outlive the container that it runs in."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.backend.data_place import goes_with_its_container

IN_DOCKER = """\
513 402 0:50 / / ro,relatime master:1 - overlay overlay ro,lowerdir=/l/A:/l/B,upperdir=/u
514 513 0:53 / /proc rw - proc proc rw
520 513 254:1 /volumes/sweeper/_data /data rw,relatime master:2 - ext4 /dev/vda1 rw
521 513 254:1 /volumes/other/_data /my\\040data rw,relatime - ext4 /dev/vda1 rw
522 520 0:60 / /data/inner rw - overlay overlay rw
"""


@pytest.mark.parametrize(
    ("folder", "goes"),
    [
        ("/data", False),
        ("/data/server", False),
        ("/my data/server", False),
        ("/database", True),
        ("/srv/sweeper", True),
        ("/data/inner/server", True),
    ],
)
def test_data_on_no_volume_go_with_the_container(tmp_path, folder, goes):
    """What counts is the mount that a folder lies on, the innermost, whatever characters it is named with."""
    (tmp_path / "mountinfo").write_text(IN_DOCKER)
    assert goes_with_its_container(Path(folder), tmp_path / "mountinfo") is goes


def test_a_machine_that_does_not_tell_is_believed(tmp_path):
    """Without /proc there is nothing to warn of."""
    assert not goes_with_its_container(tmp_path, tmp_path / "nowhere")
