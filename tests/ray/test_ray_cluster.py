"""A real cluster, joined: what it has, and each of its nodes tried."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sweeper.backend import embedded_server
from sweeper.errors import LaunchError
from sweeper.launch.ray_cluster import NodeNeeds

pytestmark = pytest.mark.ray


def test_a_cluster_says_what_it_has(here):
    """Node by node, and what of it is free."""
    assert [(node.gpus, node.cpus) for node in here.nodes] == [(2, 4), (2, 4)]
    assert (here.free("GPU"), here.free("CPU")) == (4, 8)


def test_each_node_is_tried_before_anything_starts(here, embedded, tmp_path):
    """A server that it does not reach, or a folder that is not there, is told with the node's name; nothing is left."""
    needs = NodeNeeds(folder=str(tmp_path), data=str(embedded_server.data_dir(embedded.home)), url="")
    here.probe(tmp_path / "home", needs)
    with pytest.raises(LaunchError, match=r"Ray node .* is unfit: it does not reach the server"):
        here.probe(tmp_path / "home", replace(needs, data=str(tmp_path)))
    with pytest.raises(LaunchError, match="is not there"):
        here.probe(tmp_path / "home", replace(needs, folder=str(tmp_path / "gone")))
    assert not [*(tmp_path / "home").iterdir()]
