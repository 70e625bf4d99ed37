"""Why workers wait in the queue: the head writes it down, so that `sweeper status` need not ask Slurm itself."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping

from sweeper import private_files
from sweeper.journal.directories import LaunchDir, SweepDir
from sweeper.launch.slurm.submission import Submission


def note_waiting(directory: LaunchDir, reasons: Mapping[str, str]) -> None:
    """Write down why workers wait, by slot.

    Raises:
        OSError: It cannot be written.
    """
    private_files.replace(directory.path / "waiting.json", json.dumps(dict(reasons)))


def notes(sweep: SweepDir) -> list[str]:
    """Say of each launch under way which of its workers wait, and why: a line each."""
    said = []
    for launch in sweep.launches():
        if launch.launcher() is None:
            continue
        try:
            reasons = json.loads((launch.path / "waiting.json").read_text(encoding="utf-8"))
            submission = Submission.load(launch)
        except (OSError, ValueError, TypeError, KeyError):
            continue
        if reasons:
            why = ", ".join(f"{reason} ({number})" for reason, number in Counter(reasons.values()).most_common())
            jobs = ",".join(dict.fromkeys(job.partition("_")[0] for job in submission.workers.values()))
            said.append(
                f"Slurm: {len(reasons)} of {len(submission.workers)} workers wait in the queue: {why}; "
                f"more: squeue -j {jobs}"
            )
    return said
