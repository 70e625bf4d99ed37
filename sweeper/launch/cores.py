"""How many CPU cores this process may use: a container or a Slurm job may have fewer than the machine."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath


def usable_cores(root: Path = Path("/")) -> int:
    """Count the cores that affinity and CPU quotas (cgroups, of either version) leave; at least 1.

    Args:
        root: Where `proc` and `sys` lie.
    """
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([affinity, *(int(quota) for quota in _quotas(root))]))


def job_cores(environ: Mapping[str, str]) -> int:
    """Say how many cores this job has; without control groups only Slurm's own words tell its share of a machine."""
    said = (environ.get(name, "") for name in ("SLURM_CPUS_PER_TASK", "SLURM_CPUS_ON_NODE"))
    share = next((int(text) for text in said if text.isdecimal() and int(text)), None)
    return min(usable_cores(), share) if share else usable_cores()


def _quotas(root: Path) -> Iterator[float]:
    """Read the quotas of this process's control groups and of those around them, in cores."""
    for folder in _groups(root):
        files = [folder / name for name in ("cpu.max", "cpu.cfs_quota_us", "cpu.cfs_period_us")]
        quota = " ".join(map(_read, files)).split()
        if len(quota) == 2 and quota[0].isdecimal():  # not "max", not -1
            yield int(quota[0]) / int(quota[1])


def _groups(root: Path) -> Iterator[Path]:
    base = root / "sys" / "fs" / "cgroup"
    for line in _read(root / "proc" / "self" / "cgroup").splitlines():  # `0::/path`; `4:cpu:/path` in version 1
        _, controllers, path = line.split(":", 2)
        if not controllers or "cpu" in controllers.split(","):
            top = base / "cpu" if controllers else base
            group = PurePosixPath(path.lstrip("/"))
            yield from (top / folder for folder in (group, *group.parents))


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
