"""Who the ranks of a run are, and what they find in their environment."""

from __future__ import annotations

import socket

import pytest

from sweeper.worker import ranks
from sweeper.worker.ranks import Rank

HERE = {"run_id": "r1", "address": "10.0.0.1", "port": 1234}


def test_a_rank_has_the_environment_of_torchrun():
    """The third process of the second node of two with four GPUs each."""
    found = Rank(node=1, local=2, nodes=2, per_node=4).environ(**HERE)
    assert found == {
        "RANK": "6",
        "WORLD_SIZE": "8",
        "LOCAL_RANK": "2",
        "LOCAL_WORLD_SIZE": "4",
        "GROUP_RANK": "1",
        "GROUP_WORLD_SIZE": "2",
        "ROLE_RANK": "6",
        "ROLE_WORLD_SIZE": "8",
        "NODE_RANK": "1",
        "MASTER_ADDR": "10.0.0.1",
        "MASTER_PORT": "1234",
        "TORCHELASTIC_RUN_ID": "r1",
        "TORCHELASTIC_RESTART_COUNT": "0",
        "TORCHELASTIC_MAX_RESTARTS": "0",
    }


def test_every_number_is_given_once():
    """From 0 to the size of the world."""
    numbers = [Rank(node=node, local=local, nodes=3, per_node=2).number for node in range(3) for local in range(2)]
    assert numbers == list(range(6))


@pytest.mark.parametrize(
    ("environ", "own", "address"),
    [
        ({}, "10.0.0.7", "10.0.0.7"),
        ({}, "127.0.1.1", "127.0.0.1"),
        ({"SLURM_LAUNCH_NODE_IPADDR": "10.0.0.8"}, "10.0.0.7", "10.0.0.8"),
        ({"SLURM_LAUNCH_NODE_IPADDR": "10.0.0.8", "MASTER_ADDR": "ib0.node1"}, "10.0.0.7", "ib0.node1"),
    ],
)
def test_the_others_are_told_where_they_reach_the_first(environ, own, address):
    """What the user says comes first, then what Slurm knows, then the machine's own address."""
    assert ranks.address(environ, lambda: own) == address


def test_a_machine_has_an_address():
    """Its own where it has one, which is a number."""
    assert socket.inet_aton(ranks.address({}))


def test_a_free_port_can_be_listened_on():
    """By the first rank, a moment later."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", ranks.free_port()))


@pytest.mark.parametrize(("version", "mode"), [("0.31.0", "disabled"), ("0.22.3", "offline")])
def test_other_ranks_do_not_log(version, mode):
    """Their wandb.init has the parameters all the same; an older SDK writes what nobody reads."""
    found = ranks.without_logging({"SWEEPER_PYTHON_WANDB": version}, parameters="/p.yaml", folder="/x")
    assert found["WANDB_MODE"] == mode
    assert (found["WANDB_SWEEP_PARAM_PATH"], found["WANDB_DIR"]) == ("/p.yaml", "/x")


def test_other_ranks_know_the_run():
    """Its id, its sweep and its checkpoints; not the header that lets the first one speak for it."""
    environ = {"WANDB_RUN_ID": "r1", "SWEEPER_CHECKPOINT_DIR": "/c", "WANDB_X_EXTRA_HTTP_HEADERS": "{}", "HOME": "/"}
    assert ranks.of_run(environ) == {"WANDB_RUN_ID": "r1", "SWEEPER_CHECKPOINT_DIR": "/c"}
