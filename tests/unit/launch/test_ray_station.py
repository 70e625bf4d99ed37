"""What a station finds that Ray starts. The actor itself: tests/ray."""

from __future__ import annotations

from sweeper.launch.ray_station import station_environ


def environ(launch, actor, threads=4):
    return station_environ(launch, actor, threads=threads)


def test_a_slot_sees_the_device_that_ray_gave_it():
    """Not those that the launch's own machine has."""
    assert environ({"CUDA_VISIBLE_DEVICES": "0,1"}, {"CUDA_VISIBLE_DEVICES": "3"})["CUDA_VISIBLE_DEVICES"] == "3"
    assert environ({}, {"HIP_VISIBLE_DEVICES": "1"})["HIP_VISIBLE_DEVICES"] == "1"


def test_a_slot_without_a_gpu_sees_none():
    """Where the variable is not set, CUDA would show it every one of the node's."""
    assert environ({"CUDA_VISIBLE_DEVICES": "0,1"}, {})["CUDA_VISIBLE_DEVICES"] == ""


def test_threads_are_a_share_of_the_node_unless_the_user_says_otherwise():
    """Ray sets one for each actor, which is not meant."""
    found = environ({"MKL_NUM_THREADS": "2"}, {"OMP_NUM_THREADS": "1"})
    assert (found["OMP_NUM_THREADS"], found["MKL_NUM_THREADS"]) == ("4", "2")


def test_all_else_is_the_launchs_but_what_belongs_to_the_machine():
    """Its temporary folder, say; nothing of Ray's own gets into a run."""
    found = environ(
        {"WANDB_PROJECT": "p", "TMPDIR": "/mine", "HOSTNAME": "login"},
        {"TMPDIR": "/node", "RAY_JOB_ID": "1", "WANDB_PROJECT": "q"},
    )
    assert found["TMPDIR"] == "/node"
    assert found["WANDB_PROJECT"] == "p"
    assert not {"HOSTNAME", "RAY_JOB_ID"} & found.keys()
