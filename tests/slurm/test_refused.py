"""What Slurm refuses is told in its words, and nothing that was submitted is left."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]

REFUSAL = "sbatch: error: Batch job submission failed: Job violates accounting/QOS policy (QOSMaxSubmitJobPerUserLimit)"


def test_refusals_leave_nothing_and_the_server_as_it_was(here):
    """A wrong partition, a limit that is met with the second job, an option that Slurm does not take."""
    here.grid(3)
    server = here.user.sdk()["WANDB_BASE_URL"]
    said = here.launch("--gpus", 2, "--partition", "gpus", code=1).stderr
    assert "has no partition gpus" in said
    assert "sinfo -s" in said
    script = here.user.folder / "sbatch"
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *--hold*) exec /usr/bin/sbatch "$@";; esac\necho "{REFUSAL}" >&2\nexit 1\n'
    )
    script.chmod(0o755)
    given = ("launch", "--on", "slurm", "--trainer", "train:train", "--detach", "--gpus", 2)
    said = here.user.run(*given, code=1, PATH=f"{here.user.folder}:{here.user.environ['PATH']}").stderr
    assert "QOSMaxSubmitJobPerUserLimit" in said
    assert "sacctmgr show assoc" in said
    assert here.cluster.jobs() == []
    said = here.launch("--gpus", 2, "--slurm", "constraint=nowhere", code=1).stderr
    assert "sbatch refused" in said or "srun refused" in said
    assert here.cluster.jobs() == []
    assert here.user.status()["runs"] == []
    assert here.user.sdk()["WANDB_BASE_URL"] == server


def test_a_server_that_no_node_reaches_is_told_of_before_anything_is_submitted(here):
    """It was tried from a compute node."""
    here.grid(3)
    url, key = here.user.sdk()["WANDB_BASE_URL"], here.user.home / "server" / "api-key"
    script = here.user.folder / "srun"
    script.write_text('#!/bin/bash\nexec /usr/bin/srun "${@:1:$#-1}" http://127.0.0.1:1\n')
    script.chmod(0o755)
    given = ("launch", "--on", "slurm", "--trainer", "train:train", "--detach", "--gpus", 2, "--server", url)
    said = here.user.run(
        *given, "--key-file", key, code=1, PATH=f"{here.user.folder}:{here.user.environ['PATH']}"
    ).stderr
    assert "a compute node does not reach" in said
    assert here.cluster.jobs() == []


def test_a_drained_partition_is_waited_for(here):
    """`sweeper status` says why nothing happens, in Slurm's words."""
    here.grid(2)
    for node in ("n0", "n1"):
        here.cluster.ask("scontrol", "update", f"NodeName={node}", "State=DRAIN", "Reason=test", check=True)
    here.launch("--gpus", 2)
    said = here.user.run("status", code=1).stderr
    assert f"Slurm job {here.job('head')}" in said
    assert "PENDING" in said
    for node in ("n0", "n1"):
        here.cluster.ask("scontrol", "update", f"NodeName={node}", "State=RESUME", check=True)
    here.await_end()
    assert len(here.runs(ended=True)) == 2
