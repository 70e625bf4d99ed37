"""Workers as tasks of Slurm's job arrays: submitted by one process, watched over by another one."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Collection, Mapping, Sequence

from sweeper import private_files
from sweeper.journal.directories import LaunchDir
from sweeper.journal.station_state import StationState
from sweeper.launch.launcher import WorkerHandle, WorkerState
from sweeper.launch.slurm import batch_script, commands, node, queue
from sweeper.launch.slurm.commands import SlurmError
from sweeper.launch.slurm.queue import QueuedJob
from sweeper.launch.slurm.submission import Submission, write_script
from sweeper.worker.spec import WorkerSpec

LOOK_S = 5.0
"""How often Slurm is asked: one question for all workers."""
_SAID = {"done": WorkerState.DONE, "failed": WorkerState.FAILED, "died": WorkerState.DIED}


class SlurmLauncher:
    """Starts workers as jobs, and adopts those that were submitted before: their numbers lie in the launch's folder.

    Args:
        directory: The launch's.
        submission: What was submitted so far, and how more is.
        environ: What Slurm keeps of the user's environment for a job.
        dependency: What those that are submitted wait for, as sbatch has it; empty for nothing.
        look_s: How often Slurm is asked at most.
    """

    def __init__(
        self,
        directory: LaunchDir,
        submission: Submission,
        environ: Mapping[str, str],
        *,
        dependency: str = "",
        look_s: float = LOOK_S,
    ) -> None:
        self.submission = submission
        self._directory = directory
        self._environ = environ
        self._dependency = dependency
        self._look_s = look_s
        self._queue: Mapping[str, QueuedJob] = {}
        self._asked: frozenset[str] = frozenset()
        self._looked_at = float("-inf")
        self._silent = False
        self._stopped: set[str] = set()
        self._killed: set[str] = set()
        self._refused: set[str] = set()
        self._unfit: list[str] = []

    def start(self, workers: Sequence[WorkerSpec]) -> list[WorkerHandle]:
        """Submit workers that have no job yet; all or none.

        Raises:
            SlurmError: Slurm refuses; nothing that was submitted here is left.
        """
        new = [spec for spec in workers if spec.slot.name not in self.submission.workers]
        for spec in new:  # a worker that has a job may just be reading its own, which name its node's GPU
            spec.save(self._directory.spec(spec.slot.name))
        if new:
            self._note(self._submit([spec.slot.name for spec in new]))
        return [WorkerHandle(id=spec.slot.name, native_id=self._job(spec.slot.name)) for spec in workers]

    def _job(self, slot: str) -> str:
        return self.submission.workers[slot]

    def _submit(self, slots: Sequence[str]) -> dict[str, str]:
        jobs: dict[str, str] = {}
        options = [f"--dependency={self._dependency}"] if self._dependency else []
        if self._unfit:
            options.append(f"--exclude={','.join([*self.submission.request.excluded, *self._unfit])}")
        try:
            for part in batch_script.split(len(slots), self.submission.max_array_size):
                mine = [slots[number] for number in part]
                name = self._free_name()
                listed = self._directory.path / f"{name}.slots"
                private_files.replace(listed, "\n".join(mine) + "\n")
                job = self.submission.worker_job(self._directory, listed, len(mine))
                number = commands.submit(write_script(self._directory, name, job), self._environ, *options)
                jobs |= {slot: f"{number}_{task}" for task, slot in enumerate(mine)}
        except SlurmError:
            with contextlib.suppress(SlurmError):
                queue.cancel(list(dict.fromkeys(job.partition("_")[0] for job in jobs.values())))
            raise
        return jobs

    def _free_name(self) -> str:
        """Name another script: those of before stay to be looked at."""
        number = 0
        while (self._directory.path / f"workers-{number}.slots").exists():
            number += 1
        return f"workers-{number}"

    def _note(self, jobs: Mapping[str, str]) -> None:
        self.submission = self.submission.with_workers(jobs)
        self.submission.save(self._directory)

    def states(self, handles: Sequence[WorkerHandle]) -> dict[str, WorkerState]:
        """Ask Slurm once for all of them, every few seconds; what workers say of themselves counts before."""
        if time.monotonic() - self._looked_at >= self._look_s:
            self._look()
        return {handle.id: self._state(handle) for handle in handles}

    def _look(self) -> None:
        jobs = frozenset(self.submission.workers.values())
        try:
            self._queue, self._asked, self._silent = queue.read(jobs), jobs, False
        except SlurmError:  # a controller that restarts is back in a moment
            self._silent = True
        self._looked_at = time.monotonic()

    def _state(self, handle: WorkerHandle) -> WorkerState:
        slot, job = handle.id, handle.native_id
        queued = self._queue.get(job)
        if slot in self._refused:
            return WorkerState.FAILED
        said = StationState.read(self._directory.station(slot))
        word = said.state if said and said.native_id == job else ""
        if word in _SAID and not (queued and queued.waits):  # one that waits again was put back since it said so
            return _SAID[word]
        if job not in self._asked or queued:
            return WorkerState.UNKNOWN if self._silent else WorkerState.RUNNING
        if self._silent:
            return WorkerState.UNKNOWN
        gently = slot in self._stopped - self._killed
        return WorkerState.DONE if word == "preempted" and gently else WorkerState.DIED

    def waiting(self) -> dict[str, str]:
        """Tell why workers wait in the queue, by slot, in Slurm's words."""
        found = ((slot, self._queue.get(job)) for slot, job in self.submission.workers.items())
        without = f" (without {', '.join(self._unfit)}, where none could begin)" if self._unfit else ""
        return {slot: (job.reason or job.state) + without for slot, job in found if job and job.waits}

    def wait(self, timeout_s: float) -> None:
        """Just wait: nobody tells us of an end."""
        time.sleep(timeout_s)

    def stop(self, handles: Sequence[WorkerHandle], *, grace_s: float) -> None:
        """Send SIGTERM to what works and take out of the queue what waits; kill if `grace_s` is 0.

        Raises:
            SlurmError: The controller does not answer.
        """
        working = [handle for handle in handles if self._state(handle).works]
        for handle in working:
            (self._stopped if grace_s > 0 else self._killed).add(handle.id)
            node.stopped(self._directory, handle.id).touch()
        signal_jobs([handle.native_id for handle in working], gently=grace_s > 0)
        self._looked_at = float("-inf")

    def replace(self, handle: WorkerHandle, worker: WorkerSpec) -> WorkerHandle:
        """Submit another job for a slot, or where the site refuses that here, put its last one back into the queue."""
        if self._state(handle).works:
            raise ValueError(f"the worker of {handle.id} has not ended")
        slot, job = handle.id, handle.native_id
        if queue.state_of(job) == "CANCELLED" and slot not in self._stopped | self._killed:
            return self._give_up(slot, f"its job {job} was cancelled: scancel, or an administrator")
        if nodes := queue.unfit_nodes(job):
            self._unfit = list(dict.fromkeys([*self._unfit, nodes]))
            seen = f"does it see {self._directory.path}? look: srun -w {nodes} ls SWEEPER_HOME; scontrol show job {job}"
            self._log(slot, f"its job {job} could not begin on {nodes}, which gets no other: {seen}")
        self._dependency = ""  # what it was has begun
        self._stopped.discard(slot)
        self._killed.discard(slot)
        for file in (node.stopped(self._directory, slot), self._directory.station(slot)):
            file.unlink(missing_ok=True)
        worker.save(self._directory.spec(slot))
        try:
            self._note(self._submit([slot]))
        except SlurmError as refused:
            try:
                queue.requeue(job, self._unfit)
            except SlurmError:
                return self._give_up(slot, f"its job {job} ended, and no other can be had: {refused.message}")
            self._looked_at = float("-inf")
            self._asked = self._asked - {job}
        return WorkerHandle(id=slot, native_id=self._job(slot))

    def _give_up(self, slot: str, why: str) -> WorkerHandle:
        """Say in a worker's log, whose last line is told, that it has no successor."""
        self._refused.add(slot)
        self._log(slot, why)
        return WorkerHandle(id=slot, native_id=self._job(slot))

    def _log(self, slot: str, words: str) -> None:
        with private_files.open_file(self._directory.worker_log(slot), "a") as log:
            log.write(f"{words}\n")

    def end_strays(self, *, spare: Collection[int] = ()) -> None:
        """Do nothing: what a job leaves behind on its node Slurm ends."""


def signal_jobs(jobs: Sequence[str], *, gently: bool) -> None:
    """Stop jobs: those that wait leave the queue, those that work get SIGTERM, or SIGKILL.

    Raises:
        SlurmError: The controller does not answer.
    """
    queue.cancel(jobs, "--quiet", "--state=PENDING")
    # --batch: the station is the batch script; --full also reaches what it has started
    how = ["--batch", "--signal=TERM"] if gently else ["--full", "--signal=KILL"]
    queue.cancel(jobs, "--quiet", *how)
