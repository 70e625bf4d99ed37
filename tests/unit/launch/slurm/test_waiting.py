"""Why workers wait, for `sweeper status`."""

from __future__ import annotations

from sweeper.journal import lease
from sweeper.journal.directories import SweepDir
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.launch.slurm.submission import Submission
from sweeper.launch.slurm.waiting import note_waiting, notes


def test_a_launch_under_way_tells_why_its_workers_wait(launch):
    """With the command that shows more; one that is over, or has all its workers at work, says nothing."""
    sweep = SweepDir.of_launch(launch)
    jobs = {"slurm0": "3_0", "slurm1": "3_1", "slurm2": "3_2"}
    Submission(request=ClusterRequest(workers=3), max_array_size=9, chdir="/").with_workers(jobs).save(launch)
    note_waiting(launch, {"slurm0": "Resources", "slurm1": "Resources"})
    assert notes(sweep) == []
    lease.renew(launch.path)
    (said,) = notes(sweep)
    assert said == "Slurm: 2 of 3 workers wait in the queue: Resources (2); more: squeue -j 3"
    note_waiting(launch, {})
    assert notes(sweep) == []
