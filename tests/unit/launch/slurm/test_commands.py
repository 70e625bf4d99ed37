"""Slurm's commands: what they refuse is quoted, with the command that shows more."""

from __future__ import annotations

import os

import pytest

from sweeper.errors import LaunchError
from sweeper.launch.slurm import commands
from sweeper.launch.slurm.commands import SlurmError


def test_what_a_command_prints_is_given(slurm):
    """Whole, for whoever knows how to read it."""
    slurm.says("squeue", "1|RUNNING\n")
    assert commands.ask("squeue", "-h") == "1|RUNNING\n"
    assert slurm.asked() == ["squeue -h"]


def test_a_job_is_named_by_its_number(slurm, tmp_path):
    """Of several clusters the name comes behind it."""
    slurm.says("sbatch", "12;here\n")
    assert commands.submit(tmp_path / "x", {"PATH": os.environ["PATH"]}, "--hold") == "12"
    assert slurm.asked("sbatch") == [f"sbatch --parsable --hold {tmp_path}/x"]


@pytest.mark.parametrize(
    ("said", "more"),
    [
        ("sbatch: error: invalid partition specified: x", "sinfo -s"),
        ("sbatch: error: QOSMaxSubmitJobPerUserLimit", "sacctmgr"),
        ("sbatch: error: Batch job submission failed: Invalid job array specification", "scontrol show config"),
        ("sbatch: error: Requested node configuration is not available", "sinfo -N -l"),
        ("something else", "scontrol ping"),
    ],
)
def test_a_refusal_is_quoted_and_names_what_shows_more(slurm, said, more):
    """In Slurm's own words, which a search finds."""
    slurm.says("sbatch", "", code=1, error=said + "\n")
    with pytest.raises(SlurmError) as caught:
        commands.ask("sbatch", "x")
    assert said.removeprefix("sbatch: error: ") in caught.value.message
    assert more in caught.value.hint


@pytest.mark.usefixtures("no_slurm")
def test_a_machine_without_slurm_says_so():
    """And where to go instead."""
    with pytest.raises(LaunchError, match="no sbatch on PATH"):
        commands.check_here()
    with pytest.raises(SlurmError, match="no squeue on PATH"):
        commands.ask("squeue")


def test_a_command_that_hangs_is_given_up(slurm):
    """A controller that is away would hold a launch for ever."""
    (slurm.folder / "squeue").write_text("#!/bin/sh\nexec sleep 20\n")
    with pytest.raises(SlurmError, match="does not answer"):
        commands.ask("squeue", timeout_s=0.1)
