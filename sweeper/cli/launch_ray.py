"""`sweeper launch --on ray`: slots are actors of a Ray cluster, and this process stays with them as on one machine."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.backend.disk_room import ROOM_FOR_RUNS
from sweeper.cli import launch_end
from sweeper.cli.launch_watch import announce, detach_launch, watch_launch
from sweeper.cli.server_door import find_on_cluster

if TYPE_CHECKING:
    from sweeper.cli.target import Target
    from sweeper.launch.cluster_request import ClusterRequest
    from sweeper.launch.ray_cluster import RayCluster
    from sweeper.launch.ray_plan import RayPlan


def launch_on_ray(request: ClusterRequest, given: Mapping[str, Any], starting: ExitStack, **options: Any) -> None:
    """Launch a sweep on a Ray cluster, and stay until it has ended.

    Args:
        request: What is asked of the cluster.
        given: The command's arguments, by name.
        starting: What moves on the terminal until something is printed, and is closed then.
        options: What `prepare_launch` takes of them.

    Raises:
        LaunchError: There is no such cluster, it has too little, or one of its nodes is unfit.
        UsageError: Options exclude each other.
    """
    from sweeper.launch.ray_cluster import joined
    from sweeper.launch.ray_plan import plan_ray

    with ExitStack() as stack:  # what cannot be is told before a server starts
        cluster = stack.enter_context(joined(request.address))
        plan = plan_ray(cluster.nodes, request, free_gpus=cluster.free("GPU"), free_cpus=cluster.free("CPU"))
        target = find_on_cluster(request, given)
        if given["detach"]:
            stack.close()  # the launch in the background joins it for itself
            detach_launch(target.reader(), target.settings, starting, as_json=given["as_json"])
            return
        _work(cluster, plan, target, starting, as_json=given["as_json"], **options)


def _work(
    cluster: RayCluster, plan: RayPlan, target: Target, starting: ExitStack, *, as_json: bool, **options: Any
) -> None:
    from sweeper.backend import embedded_server
    from sweeper.launch.prepare import Away, prepare_launch
    from sweeper.launch.ray_cluster import NodeNeeds
    from sweeper.launch.ray_launcher import RayLauncher

    target.check_room(ROOM_FOR_RUNS)
    settings, backend, reader = target.settings, target.backend, target.reader()
    data = embedded_server.data_dir(settings.home) if backend.kind == "local" else None
    needs = NodeNeeds(folder=str(Path.cwd()), data=None if data is None else str(data), url=backend.base_url)
    cluster.probe(settings.home, needs)
    away = Away(user=settings.environ, server=data)
    prepared = prepare_launch(reader, settings=settings, backend=backend, slots=plan.slots, away=away, **options)
    announce(prepared, plan.notes, target)
    starting.close()  # from here on something else moves
    launcher = RayLauncher(prepared.environ, num_gpus=plan.num_gpus, num_cpus=plan.num_cpus, shares=plan.shares)
    with closing(launcher):
        result = watch_launch(prepared, reader, target, launcher=launcher)
    launch_end.conclude(prepared, result, reader, target, as_json=as_json)
