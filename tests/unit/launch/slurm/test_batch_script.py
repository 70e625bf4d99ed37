"""What sbatch is given: each rule of a site stands in the text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sweeper.launch.slurm.batch_script import BatchJob, output_pattern, split, submission_environ, time_limit

JOB = BatchJob(
    name="sweeper-x",
    command=("/py", "-m", "it", "/shared/a folder"),
    folder=Path("/shared/a folder"),
    output="/shared/%A_%a.log",
    chdir=Path("/srv/me"),
    tasks=4,
)


def directives(job: BatchJob) -> list[str]:
    return [line.removeprefix("#SBATCH --") for line in job.text().splitlines() if line.startswith("#SBATCH")]


def test_a_job_can_be_put_back_and_goes_on_in_its_log():
    """Preemption, a lost node and a time limit are all followed by the same script."""
    assert {"requeue", "open-mode=append", "array=0-3", "export=ALL", "chdir=/srv/me"} <= set(directives(JOB))


def test_signals_reach_what_the_script_becomes():
    """A shell in between would hold them back; the warning comes early enough for a run to end."""
    assert "exec /py -m it '/shared/a folder'" in JOB.text()
    assert "signal=B:USR1@60" in directives(replace(JOB, warn_s=60.0))


def test_a_node_without_the_folder_says_so():
    """The exit code of a job that ran where the folder is not shared is one that nothing else has."""
    line = next(line for line in JOB.text().splitlines() if line.startswith("[ -d"))
    assert line.startswith("[ -d '/shared/a folder' ] ||")
    assert line.endswith("exit 78; }")


def test_gpus_partition_and_time_are_asked_for():
    """By the words that every site's Slurm knows."""
    asked = directives(replace(JOB, gpus_per_node=2, partition="gpu", time_s=4 * 3600, at_once=2))
    assert {"gres=gpu:2", "partition=gpu", "time=0-04:00:00", "array=0-3%2"} <= set(asked)
    assert not [line for line in directives(JOB) if line.startswith(("gres", "partition", "time"))]


def test_what_the_user_says_of_sbatch_wins():
    """Sites have GPUs with types, and accounts."""
    asked = directives(
        replace(JOB, gpus_per_node=1, options=[("gres", "gpu:a100:1"), ("account", "lab"), ("x", "a b")])
    )
    assert {"gres=gpu:a100:1", "account=lab", 'x="a b"'} <= set(asked)
    assert "gres=gpu:1" not in asked
    by_gpus = directives(replace(JOB, gpus_per_node=1, options=[("gpus-per-node", "h100:1")]))
    assert not [line for line in by_gpus if line.startswith("gres")]


def test_a_run_over_several_nodes_starts_once_on_each():
    """Slurm's own srun does it, within the one job."""
    text = replace(JOB, nodes=2).text()
    assert "#SBATCH --nodes=2" in text
    assert "exec srun --ntasks-per-node=1 --kill-on-bad-exit=1 /py" in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(59, "0-00:01:00"), (119, "0-00:01:00"), (5400, "0-01:30:00"), (90_000, "1-01:00:00")],
)
def test_times_are_slurms(seconds, text):
    """Days and hours, in whole minutes."""
    assert time_limit(seconds) == text


def test_workers_are_split_by_what_an_array_may_hold():
    """Sites allow 100 to 1000; an index is less than MaxArraySize."""
    assert split(5, 2) == [range(2), range(2, 4), range(4, 5)]
    assert split(3, 1001) == [range(3)]
    assert split(2, 0) == [range(1), range(1, 2)]


def test_a_percent_sign_in_a_folder_is_no_pattern():
    """Slurm would put a job's number there."""
    assert output_pattern(Path("/a%j/x-%A.log")) == "/a%%j/x-%A.log"


def test_no_key_goes_to_slurm():
    """It keeps a job's environment in files of its own, where nodes have the key in a file of the user's."""
    environ = {"WANDB_API_KEY": "secret", "PATH": "/bin", "SBATCH_EXPORT": "NONE"}
    assert submission_environ(environ, keeps_key=False) == {"PATH": "/bin"}
    assert submission_environ(environ, keeps_key=True) == {"PATH": "/bin", "WANDB_API_KEY": "secret"}
    assert "secret" not in JOB.text()
