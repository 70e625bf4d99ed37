"""What a site is like."""

from __future__ import annotations

import pytest

from sweeper.errors import LaunchError
from sweeper.launch.slurm import site

CONFIG = "ClusterName             = big\nMaxArraySize            = 101\nKillWait = 30 sec\n"


def test_a_site_is_read_once(slurm):
    """Its longest array, and its partitions with the one it takes by itself first."""
    slurm.says("scontrol", CONFIG)
    slurm.says("sinfo", "cpu\ngpu*\ncpu\n")
    found = site.read()
    assert (found.name, found.max_array_size, found.partitions) == ("big", 101, ("gpu", "cpu"))


def test_a_site_that_says_nothing_has_slurms_defaults():
    """An older Slurm, or one that hides its configuration."""
    assert site.parse("", "a\n").max_array_size == site.MAX_ARRAY_SIZE


def test_a_partition_that_is_not_there_is_refused_with_those_that_are():
    """Before anything is submitted."""
    found = site.parse(CONFIG, "gpu*\ncpu\n")
    found.check("gpu,cpu")
    found.check("")
    with pytest.raises(LaunchError, match="big has no partition gpus") as caught:
        found.check("gpus")
    assert "did you mean gpu?" in caught.value.hint


def test_a_nodes_address_is_slurms_word(slurm):
    """Nothing is guessed where Slurm does not say."""
    slurm.says("scontrol", "NodeName=n0 Arch=x\n   NodeAddr=10.0.0.7 NodeHostName=n0\n")
    assert site.own_address("n0") == "10.0.0.7"
    slurm.says("scontrol", "", code=1)
    assert site.own_address("n0") == ""
