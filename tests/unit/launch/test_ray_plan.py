"""Slots of a launch on a Ray cluster, by what its nodes have."""

from __future__ import annotations

import pytest

from sweeper.errors import LaunchError, NoGpuError, SweeperError, UsageError
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.ray_plan import RayNode, plan_ray

A = RayNode(id="a", name="a (10.0.0.1)", gpus=2, cpus=8)
B = RayNode(id="b", name="b (10.0.0.2)", gpus=4, cpus=16)
HEAD = RayNode(id="h", name="h (10.0.0.3)", cpus=4)


def plan(*nodes, free=100.0, **asked):
    return plan_ray(nodes, ClusterRequest(**asked), free_gpus=free, free_cpus=free)


def test_a_slot_is_an_actor_with_a_gpu():
    """Their names count up: which device one gets, Ray decides when it starts."""
    found = plan(A, B, HEAD, workers=6, gpus_per_node=1)
    assert [slot.name for slot in found.slots] == ["ray0", "ray1", "ray2", "ray3", "ray4", "ray5"]
    assert (found.num_gpus, found.num_cpus, found.notes) == (1, 0, ())


def test_runs_that_share_a_gpu_take_a_fraction_of_it():
    """As Ray counts: a third three times is one, though it stores four digits."""
    found = plan(A, free=0.9999, workers=3, gpus_per_node=1, per_gpu=3)
    assert found.num_gpus == pytest.approx(1 / 3)
    assert found.notes == ()


def test_a_run_on_several_gpus_has_them_on_one_node():
    """Three on each of two nodes of 2 and 4 are one run's worth, though there are six."""
    assert plan(A, B, workers=3, gpus_per_node=2).num_gpus == 2
    with pytest.raises(NoGpuError, match="has 6 GPUs, enough for 1 runs of 3 GPUs on one node each") as caught:
        plan(A, B, workers=2, gpus_per_node=3)
    assert "--gpus 3" in caught.value.hint


def test_slots_share_the_cores_of_their_node():
    """By their part of its GPUs, whatever the node; Ray itself would give each one thread."""
    assert plan(A, B, HEAD, workers=2, gpus_per_node=1).shares == {"a": 0.5, "b": 0.25}
    assert plan(A, HEAD, workers=2).shares == {"a": 1 / 8, "h": 1 / 4}


def test_workers_on_the_cpu_take_one_of_rays_each():
    """And no GPU."""
    found = plan(A, HEAD, workers=3)
    assert (len(found.slots), found.num_gpus, found.num_cpus) == (3, 0, 1)


def test_what_others_hold_is_waited_for_with_a_note():
    """It says how many start at once."""
    (note,) = plan(A, free=1.0, workers=2, gpus_per_node=1).notes
    assert "others hold GPUs" in note
    assert "1 of 2 slots start now" in note
    (note,) = plan(HEAD, free=0, workers=2).notes
    assert "0 of 2 slots start now" in note


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"workers": 3, "gpus_per_node": 1}, NoGpuError, "--gpus 3: the Ray cluster has 2 GPUs"),
        ({"workers": 6, "gpus_per_node": 1, "per_gpu": 2}, NoGpuError, "--gpus 3"),
        ({"workers": 9}, LaunchError, "--workers 9: the Ray cluster has 8 CPUs: a (10.0.0.1) (2 GPUs, 8 CPUs)"),
        ({"workers": 1, "gpus_per_node": 2, "per_gpu": 2}, UsageError, "exclude each other"),
        ({"workers": 1, "gpus_per_node": 1, "nodes_per_run": 2}, UsageError, "--nodes-per-run"),
    ],
)
def test_what_the_cluster_does_not_have_is_said(asked, error, says):
    """With what it has, node by node, and what to do."""
    with pytest.raises(error) as caught:
        plan(A, **asked)
    assert says in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize(("asked", "fix"), [({"gpus_per_node": 1}, "--workers"), ({}, "add nodes")])
def test_a_cluster_without_anything_says_so(asked, fix):
    """An empty one included."""
    with pytest.raises(SweeperError) as caught:
        plan(workers=1, **asked)
    assert "it has no node" in caught.value.message
    assert fix in caught.value.hint
