"""A real Ray cluster on this machine: two nodes of two GPUs each, which Ray takes our word for."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sweeper.launch.ray_cluster import RayCluster, joined
from tests.unit.conftest import embedded
from tests.unit.launch.conftest import launch, spec, stand

__all__ = ["embedded", "launch", "spec", "stand"]

NODE = {"num_cpus": 4, "num_gpus": 2, "object_store_memory": 80 << 20}


@pytest.fixture(scope="session")
def ray_cluster() -> Iterator[object]:
    """A cluster whose nodes are processes of ours, on 127.0.0.1 alone."""
    # Ray takes the interface's address on Linux, whatever it is told, unless it thinks itself elsewhere
    os.environ.update(RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER="0", RAY_USAGE_STATS_ENABLED="0")
    pytest.importorskip("ray", reason="no Ray here: `make test-ray` installs it, where the index of packages has it")
    from ray.cluster_utils import Cluster

    head = {**NODE, "include_dashboard": False, "node_ip_address": "127.0.0.1"}
    cluster = Cluster(initialize_head=True, head_node_args=head)
    try:
        cluster.add_node(**NODE)
        yield cluster
    finally:
        cluster.shutdown()


@pytest.fixture(scope="module")
def here(ray_cluster) -> Iterator[RayCluster]:
    """The cluster, joined by this process."""
    with joined(ray_cluster.address) as here:
        yield here
