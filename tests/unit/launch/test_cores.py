"""How many cores a container or a job leaves."""

from __future__ import annotations

import os

import pytest

from sweeper.launch.cores import job_cores, usable_cores

FREE = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def machine(root, groups, **files):
    (root / "proc" / "self").mkdir(parents=True)
    (root / "proc" / "self" / "cgroup").write_text(groups)
    for path, text in files.items():
        file = root / "sys" / "fs" / "cgroup" / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return root


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/\n", {"cpu.max": "100000 100000\n"}),
        ("0::/slurm/job 1\n", {"slurm__cpu.max": "100000 100000\n", "slurm__job 1__cpu.max": "max 100000\n"}),
        ("0::/a/b\n", {"a__cpu.max": "max 100000\n", "a__b__cpu.max": "150000 100000\n"}),
        (
            "5:memory:/x\n4:cpu,cpuacct:/docker/abc\n",
            {"cpu__cpu.cfs_quota_us": "50000\n", "cpu__cpu.cfs_period_us": "100000\n"},
        ),
    ],
    ids=["container", "around the group", "group", "version 1"],
)
def test_a_quota_counts(tmp_path, groups, files):
    """One core's worth of time is one core, however many there are; half a core is one."""
    assert usable_cores(machine(tmp_path, groups, **files)) == 1


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}),
        ("4:cpu:/\n", {"cpu__cpu.cfs_quota_us": "-1\n", "cpu__cpu.cfs_period_us": "100000\n"}),
        ("0::/\n", {}),
        ("0::/\n", {"cpu.max": "99999900000 100000\n"}),
    ],
    ids=["no limit", "no limit in version 1", "no file", "more than there is"],
)
def test_without_a_quota_affinity_counts(tmp_path, groups, files):
    """What this process may run on."""
    assert usable_cores(machine(tmp_path, groups, **files)) == FREE
    assert usable_cores(tmp_path / "nowhere") == FREE


def test_a_job_has_the_cores_that_slurm_gave_it():
    """Where no control group says so, its variables do; never more than there are."""
    assert job_cores({}) == usable_cores()
    assert job_cores({"SLURM_CPUS_PER_TASK": "1", "SLURM_CPUS_ON_NODE": "8"}) == 1
    assert job_cores({"SLURM_CPUS_ON_NODE": "100000"}) == usable_cores()
    assert job_cores({"SLURM_CPUS_ON_NODE": "x"}) == usable_cores()
