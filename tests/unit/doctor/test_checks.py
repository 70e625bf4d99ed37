"""What facts make of a machine: every check but those of GPUs, at its best and at its worst."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

from sweeper.doctor import checks
from sweeper.doctor.checks import GIB, Disk, ServerAnswer

ROOT = Path(__file__).parents[3]


def cloud(**more) -> ServerAnswer:
    return ServerAnswer(**{"kind": "wandb", "url": "https://w.org", "status": 200, **more})


CASES = [
    (checks.judge_python((3, 11, 2), "linux"), "ok", "3.11.2 on linux"),
    (checks.judge_python((3, 12, 0), "darwin"), "warn", "darwin"),
    (checks.judge_python((3, 10, 9), "linux"), "fail", "3.10.9"),
    (checks.judge_wandb("0.31.0"), "ok", "0.31.0"),
    (checks.judge_wandb("0.18.1rc1"), "ok", "0.18.1rc1"),
    (checks.judge_wandb("0.99.0"), "warn", "newer"),
    (checks.judge_wandb("0.17.9"), "fail", "0.17.9"),
    (checks.judge_wandb(None), "fail", "not installed"),
    (checks.judge_home(Disk(path="/h", free=50 * GIB, file_system="ext4")), "ok", "50.0 GiB"),
    (checks.judge_home(Disk(path="/h", free=5 * GIB, file_system="ext4")), "warn", "5.0 GiB"),
    (checks.judge_home(Disk(path="/h", free=50 * GIB, file_system="nfs4")), "warn", "nfs4"),
    (checks.judge_home(Disk(path="/h", free=GIB // 2, file_system="nfs4")), "fail", "0.5 GiB"),
    (checks.judge_home(Disk(path="/h", trouble="Read-only file system")), "fail", "Read-only"),
    (checks.judge_shared_memory(Disk(path="/dev/shm", free=8 * GIB)), "ok", "8.0 GiB"),  # noqa: S108
    (checks.judge_shared_memory(Disk(path="/dev/shm", free=64 << 20)), "warn", "0.1 GiB"),  # noqa: S108
    (checks.judge_shared_memory(Disk(path="/dev/shm", trouble="No such file")), "fail", "No such file"),  # noqa: S108
    (checks.judge_limit("files", None, None), "ok", "any number"),
    (checks.judge_limit("files", 1024, 4096), "ok", "1024"),
    (checks.judge_limit("files", 512, 4096), "warn", "512"),
    (checks.judge_limit("processes", 100, 100), "fail", "100"),
    (checks.judge_server(ServerAnswer(kind="local")), "ok", "not running"),
    (checks.judge_server(cloud(user="ann")), "ok", "https://w.org (W&B), as ann"),
    (checks.judge_server(cloud(status=404)), "warn", "HTTP status 404"),
    (checks.judge_server(cloud(status=401)), "fail", "refuses the key"),
    (checks.judge_server(cloud(user="")), "fail", "refuses the key"),
    (checks.judge_server(cloud(status=0, trouble="refused")), "fail", "does not answer: refused"),
    (checks.judge_server(cloud(user="ann", mode="offline")), "fail", "WANDB_MODE is offline"),
    (checks.judge_server(cloud(user="ann", mode="online")), "ok", "as ann"),
    (checks.judge_clock(None, 2026), "ok", "no other machine"),
    (checks.judge_clock(-2.0, 2026), "ok", "2 s behind"),
    (checks.judge_clock(90.0, 2026), "warn", "90 s ahead of"),
    (checks.judge_clock(-900.0, 2026), "fail", "900 s behind"),
    (checks.judge_clock(None, 1970), "fail", "1970"),
    (checks.judge_cluster("123", slurm=True, ray="2.60.0"), "ok", "in Slurm job 123, Ray 2.60.0"),
    (checks.judge_cluster(None, slurm=True, ray=None), "ok", "Slurm"),
    (checks.judge_cluster(None, slurm=False, ray=None), "ok", "this machine only"),
]


@pytest.mark.parametrize(("finding", "verdict", "says"), CASES, ids=[f"{f.check}-{v}-{s}" for f, v, s in CASES])
def test_a_fact_has_its_verdict(finding, verdict, says):
    """Each says what was found; what is not well has a fix, and what is well needs none."""
    assert (finding.verdict, says in finding.found) == (verdict, True), finding
    assert bool(finding.fix) is (verdict != "ok")


def test_the_fix_of_a_limit_is_one_that_the_user_can_do():
    """Up to the hard limit by themselves; beyond it another has to."""
    assert checks.judge_limit("files", 512, 4096).fix == "ulimit -n 4096"
    assert checks.judge_limit("files", 512, None).fix == "ulimit -n 65536"
    assert "administrator" in checks.judge_limit("files", 512, 512).fix


@pytest.mark.parametrize("version", [None, "0.17.9"])
def test_the_fix_names_the_oldest_wandb_that_will_do(version):
    """Whether it is missing or too old."""
    assert f"'wandb>={'.'.join(map(str, checks.WANDB_FLOOR))}'" in checks.judge_wandb(version).fix


def test_the_known_wandb_versions_are_those_of_the_package():
    """The floor is pyproject.toml's, the newest tested one is the pin."""
    requirements = map(Requirement, tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"])
    (wandb,) = (requirement for requirement in requirements if requirement.name == "wandb")
    assert str(wandb.specifier) == f">={'.'.join(map(str, checks.WANDB_FLOOR))}"
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().splitlines() if "==" in line)
    assert Version(pins["wandb"]).release[:2] == checks.WANDB_TESTED
