"""`sweeper launch --on slurm`: submitted, and then only looked at: nothing of the launch stays on this machine."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.cli.launch_screen import moving
from sweeper.cli.output import err, escape, out, print_json, say_next, warn
from sweeper.cli.server_door import find_on_cluster
from sweeper.errors import UsageError

if TYPE_CHECKING:
    from sweeper.cli.target import Target
    from sweeper.launch.cluster_request import ClusterRequest
    from sweeper.launch.prepare import Launch
    from sweeper.launch.slurm.submission import Submission


def launch_on_slurm(request: ClusterRequest, given: Mapping[str, Any], starting: ExitStack, **options: Any) -> None:
    """Submit a launch, and show how it goes unless `--detach` is given.

    Args:
        request: What is asked of the cluster.
        given: The command's arguments, by name.
        starting: What moves on the terminal until something is printed, and is closed then.
        options: What `prepare_launch` takes of them.

    Raises:
        LaunchError: Slurm refuses, or its nodes cannot do it; nothing that was submitted is left.
        UsageError: A worker's time limit leaves no time for a run.
    """
    from sweeper.launch.slurm import site  # here for the reason in target.py

    grace_s = options["rules"].grace_s
    check_time(request, grace_s)
    here = site.read()
    for partition in {request.partition, dict(request.scheduler_options).get("partition", "")}:
        here.check(partition)
    target = find_on_cluster(request, given)
    launch, submission = _prepare(request, target, here.max_array_size, given["certificate"], **options)
    starting.close()
    _announce(launch, submission, target)
    submission = _submit(launch, submission, target)
    _tell(launch, submission, target, detach=given["detach"], as_json=given["as_json"])
    if not given["detach"]:
        from sweeper.cli.slurm_viewer import view

        view(launch, submission, target, as_json=given["as_json"])


def check_time(request: ClusterRequest, grace_s: float) -> None:
    """Refuse a time limit that is used up by the warning before it.

    Raises:
        UsageError: It is.
    """
    from sweeper.launch.slurm.batch_script import MARGIN_S

    if request.time_s is not None and request.time_s < 2 * (grace_s + MARGIN_S):
        why = f"runs are ended {grace_s + MARGIN_S:g} s before it (--grace {grace_s:g}, and Slurm's own slack)"
        raise UsageError(f"--time {request.time_s:g} s is too short: {why}", "give jobs hours: --time 4h")
    if request.server_time_s is not None and request.server_time_s < 4 * MARGIN_S:
        raise UsageError("--server-time is too short for a server to be of use", "give it hours: --server-time 12h")


def _prepare(
    request: ClusterRequest, target: Target, max_array_size: int, certificate: Path | None, **options: Any
) -> tuple[Launch, Submission]:
    """Look whether nodes can do it, and prepare the launch as one of this machine."""
    from sweeper.backend import embedded_server, server_job
    from sweeper.backend.disk_room import ROOM_FOR_RUNS
    from sweeper.launch.prepare import Away, prepare_launch
    from sweeper.launch.slurm import probe
    from sweeper.launch.slurm.followed import note_server
    from sweeper.launch.slurm.submission import Submission
    from sweeper.launch.slurm.submit import check_nobody_needs_the_server_here

    settings, backend = target.settings, target.backend
    target.check_room(ROOM_FOR_RUNS)
    data = embedded_server.data_dir(settings.home)
    serves = backend.kind == "local" and server_job.read(data) is None
    if serves:
        check_nobody_needs_the_server_here(settings.home)
    url = "" if backend.kind == "local" else backend.base_url
    if why := probe.check(settings.home, url, _where(request), settings.environ):
        warn(f"no compute node could be asked beforehand ({why}): the first job will tell")
    away = Away(
        user=settings.environ,
        server=data if backend.kind == "local" else None,
        nodes=request.nodes_per_run,
        ranks_per_node=max(1, request.gpus_per_node) if request.nodes_per_run > 1 else 1,
    )
    launch = prepare_launch(
        target.reader(), settings=settings, backend=backend, slots=request.slots("slurm"), away=away, **options
    )
    if backend.kind == "wandb" and (followed := note_server(launch.directory, backend, certificate)):
        launch = replace(launch, away=replace(away, server=followed))
    server = launch.away.server if launch.away else None
    submission = Submission(
        request=request,
        max_array_size=max_array_size,
        chdir=str(Path.cwd()),
        serves=serves,
        server=str(server or ""),
        scheduler=launch.scheduler,
        grace_s=launch.rules.grace_s,
    )
    return launch, submission


def _where(request: ClusterRequest) -> list[str]:
    """Say where a node is asked, and who pays for it."""
    pays = ("account", "qos", "reservation", "partition", "constraint")
    asked = {"partition": request.partition, **dict(request.scheduler_options)}
    return [f"--{key}={asked[key]}" for key in pays if asked.get(key)]


def _announce(launch: Launch, submission: Submission, target: Target) -> None:
    from sweeper.readable import runs_word

    request = submission.request
    count = "until the sweep ends" if launch.count is None else runs_word(launch.count)
    each = f"{request.gpus_per_node} GPU each" if request.gpus_per_node else "on the CPU"
    workers = f"{request.workers} worker{'s' * (request.workers != 1)}, {each}"
    err.print(f"launching {escape(target.ref.path)} on Slurm: {workers}; {count}", soft_wrap=True)
    err.print(f"[dim]logs: {escape(str(launch.directory.path))}[/]", soft_wrap=True)
    err.print(f"trainer: {escape(launch.trainer)}, {escape(launch.why)}", soft_wrap=True)
    for record in launch.recovered:
        what = "runs again" if record.waits else "is given up"
        err.print(f"run {record.run_id} {what}: {escape(record.reason)}", soft_wrap=True)


def _submit(launch: Launch, submission: Submission, target: Target) -> Submission:
    from sweeper.launch.slurm.batch_script import submission_environ
    from sweeper.launch.slurm.submit import submit_launch

    settings = target.settings
    environ = submission_environ(settings.environ, keeps_key=not submission.server)
    if not submission.server and target.backend.api_key:
        environ["WANDB_API_KEY"] = target.backend.api_key  # of a server of others': --export hands it on
    with moving("submitting ..."):
        return submit_launch(launch, submission, settings, environ)


def _tell(launch: Launch, submission: Submission, target: Target, *, detach: bool, as_json: bool) -> None:
    """Say what was submitted."""
    workers = list(dict.fromkeys(job.partition("_")[0] for job in submission.workers.values()))
    if as_json and detach:
        told = {"sweep": target.ref.path, "head": submission.head, "workers": workers}
        print_json({**told, "logs": str(launch.directory.path)})
        return
    what = "the server, and who watches over the workers" if submission.serves else "who watches over the workers"
    say = out if detach else err
    say.print(f"Slurm job {submission.head}: {what}", soft_wrap=True)
    say.print(f"Slurm job {', '.join(workers)}: the workers", soft_wrap=True)
    if detach:
        say.print(f"[dim]look: squeue -j {','.join([submission.head, *workers])}[/]", soft_wrap=True)
        say_next(f"{target.environ}sweeper status {target.ref.quoted} --watch")
