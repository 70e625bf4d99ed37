"""Which folders lie on a network file system."""

from __future__ import annotations

import pytest

from sweeper.backend.network_disk import network_mount

MOUNTS = r"""
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:30 / /scratch rw,relatime shared:9 - lustre 10.0.0.1@tcp:/lfs rw
31 22 0:31 /users /users rw,relatime - nfs4 fs:/users rw,vers=4.2
32 31 0:32 / /users/me/local rw - xfs /dev/vdb rw
33 22 0:33 / /with\040space rw shared:3 master:1 - fuse.sshfs me@there: rw
34 22 0:34 / /twice rw - nfs fs:/x rw
35 34 0:35 / /twice rw - tmpfs tmpfs rw
nonsense
"""


@pytest.mark.parametrize(
    ("path", "kind", "point"),
    [
        ("/users/me/.local/share/sweeper/server", "nfs4", "/users"),
        ("/users", "nfs4", "/users"),
        ("/scratch/x", "lustre", "/scratch"),
        ("/with space/a", "fuse.sshfs", "/with space"),
    ],
)
def test_a_network_file_system_is_named_with_its_mount(path, kind, point, tmp_path):
    """The innermost mount above the path counts, whether the path is there or not."""
    found = network_mount(tmp_path.__class__(path), MOUNTS)
    assert found is not None
    assert (found.kind, str(found.point)) == (kind, point)


@pytest.mark.parametrize("path", ["/", "/usersome", "/users/me/local/x", "/twice/x"])
def test_a_disk_of_this_machine_is_none(path, tmp_path):
    """Neither is one that lies in a network file system or over it."""
    assert network_mount(tmp_path.__class__(path), MOUNTS) is None


def test_this_machines_temporary_directory_is_no_network_disk(tmp_path):
    """What Linux really says can be read."""
    assert network_mount(tmp_path) is None
