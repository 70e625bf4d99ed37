"""What a site's Slurm is like: its partitions, and how long an array may be."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sweeper.errors import LaunchError
from sweeper.launch.slurm import commands
from sweeper.nearest import nearest

MAX_ARRAY_SIZE = 1001
"""Slurm's own, where a site says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A cluster.

    Attributes:
        name: What it calls itself.
        max_array_size: One more than an array's highest index.
        partitions: Its partitions; the first is the one that is taken if none is named.
    """

    name: str
    max_array_size: int
    partitions: Sequence[str]

    def check(self, partition: str) -> None:
        """Make sure that there is a partition.

        Raises:
            LaunchError: There is none.
        """
        for one in filter(None, partition.split(",")):
            if one not in self.partitions:
                meant = nearest(one, list(self.partitions))
                known = ", ".join(self.partitions)
                fix = f"did you mean {meant}? " if meant else ""
                raise LaunchError(f"{self.name} has no partition {one}", f"{fix}it has {known}: sinfo -s")


def read() -> Site:
    """Ask this machine's Slurm.

    Raises:
        LaunchError: There is none, or it does not answer.
    """
    commands.check_here()
    config = commands.ask("scontrol", "show", "config")
    return parse(config, commands.ask("sinfo", "-h", "-a", "-o", "%P"))


def parse(config: str, partitions: str) -> Site:
    """Read what `scontrol show config` and `sinfo -o %P` say."""
    found = dict(re.findall(r"^(\w+)\s*=\s*(.*?)\s*$", config, flags=re.MULTILINE))
    names = list(dict.fromkeys(partitions.split()))
    names.sort(key=lambda name: not name.endswith("*"))
    size = found.get("MaxArraySize", "")
    return Site(
        name=found.get("ClusterName", "this Slurm"),
        max_array_size=int(size) if size.isdecimal() else MAX_ARRAY_SIZE,
        partitions=tuple(name.removesuffix("*") for name in names),
    )


def own_address(node: str) -> str:
    """Tell the address at which other nodes reach this one; empty if Slurm does not say."""
    try:
        told = commands.ask("scontrol", "show", "node", node)
    except commands.SlurmError:
        return ""
    found = re.search(r"\bNodeAddr=(\S+)", told)
    return found[1] if found else ""
