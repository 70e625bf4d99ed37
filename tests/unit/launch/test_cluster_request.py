"""What is asked of a cluster: how many workers, and their slots."""

from __future__ import annotations

import pytest

from sweeper.errors import UsageError
from sweeper.launch.cluster_request import ClusterRequest, count_workers


@pytest.mark.parametrize(
    ("asked", "workers"),
    [
        ({"gpus": 8}, 8),
        ({"gpus": 8, "gpus_per_run": 2}, 4),
        ({"gpus": 8, "gpus_per_run": 2, "nodes_per_run": 2}, 2),
        ({"gpus": 4, "per_gpu": 2}, 8),
        ({"workers": 3}, 3),
    ],
)
def test_gpus_in_all_make_workers(asked, workers):
    """Each worker has one run at a time; what a run takes divides what there is."""
    given = {"gpus": None, "workers": None, "gpus_per_run": 1, "nodes_per_run": 1, "per_gpu": 1, **asked}
    assert count_workers(**given) == workers


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({}, "one of --gpus and --workers"),
        ({"gpus": 2, "workers": 2}, "one of --gpus and --workers"),
        ({"gpus": 3, "gpus_per_run": 2}, "no multiple"),
        ({"gpus": 6, "gpus_per_run": 2, "nodes_per_run": 2}, "each of 2 nodes"),
        ({"gpus": 0}, "no multiple"),
    ],
)
def test_gpus_that_do_not_come_out_even_are_refused(asked, says):
    """Some would be paid for and never used."""
    given = {"gpus": None, "workers": None, "gpus_per_run": 1, "nodes_per_run": 1, "per_gpu": 1, **asked}
    with pytest.raises(UsageError, match=says):
        count_workers(**given)


def test_slots_are_named_after_the_engine():
    """What device a slot has, its node will know."""
    assert [(slot.name, slot.device) for slot in ClusterRequest(workers=2).slots("slurm")] == [
        ("slurm0", ""),
        ("slurm1", ""),
    ]
