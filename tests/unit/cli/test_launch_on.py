"""`sweeper launch --on ...`: which options mean something where."""

from __future__ import annotations

import pytest

from sweeper.cli.launch_on import cluster_request
from sweeper.errors import UsageError

NOTHING = dict.fromkeys((
    "gpus", "workers", "per_gpu", "gpus_per_run", "nodes_per_run", "keep", "partition", "time", "slurm", "server",
    "key_file", "certificate", "server_time", "snapshot_every", "address",
)) | {"share": False, "insecure_http": False}  # fmt: skip


def test_options_become_a_request():
    """Times are seconds, options of sbatch pairs, GPUs a number in all."""
    asked = {"gpus": "8", "gpus_per_run": 2, "time": "4h", "slurm": ["account=lab", "--mem=8G"], "snapshot_every": "1m"}
    request = cluster_request("slurm", {**NOTHING, **asked})
    assert (request.workers, request.gpus_per_node, request.time_s, request.snapshot_every_s) == (4, 2, 14400, 60)
    assert request.scheduler_options == (("account", "lab"), ("mem", "8G"))
    assert request.server == "job"


def test_workers_on_the_cpu_ask_for_no_gpu():
    """They are counted themselves."""
    request = cluster_request("ray", {**NOTHING, "workers": 3})
    assert (request.workers, request.gpus_per_node) == (3, 0)


@pytest.mark.parametrize(
    ("on", "asked", "says"),
    [
        ("slurm", {"gpus": "0,1"}, "how many GPUs in all"),
        ("slurm", {"gpus": "2", "slurm": ["account"]}, "KEY=VALUE"),
        ("slurm", {"gpus": "2", "slurm": ["time=1"]}, "say --time"),
        ("slurm", {"gpus": "2", "slurm": ["head.time=1"]}, "say --server-time"),
        ("slurm", {"gpus": "2", "slurm": ["--array=0-3"]}, "say --gpus or --workers"),
        ("slurm", {"gpus": "2", "slurm": ["head.signal=USR2@60"]}, "leave it out"),
        ("slurm", {"gpus": "2", "keep": 4}, "--keep 4 is more than the 2 workers"),
        ("slurm", {"gpus": "2", "share": True}, "--share says nothing to --on slurm"),
        ("slurm", {"gpus": "2", "key_file": "x"}, "--server URL"),
        ("slurm", {"gpus": "2", "certificate": "x"}, "--server URL"),
        ("slurm", {"gpus": "2", "insecure_http": True}, "--server URL"),
        ("slurm", {"gpus": "2", "server": "http://a", "snapshot_every": "9s"}, "says nothing to a server"),
        ("slurm", {"gpus": "2", "time": "soon"}, "--time"),
        ("ray", {"gpus": "2", "partition": "gpu"}, "--partition says nothing to --on ray"),
        ("ray", {"gpus": "2", "snapshot_every": "9s"}, "--snapshot-every says nothing to --on ray"),
        ("slurm", {}, "one of --gpus and --workers"),
    ],
)
def test_options_that_mean_nothing_are_refused(on, asked, says):
    """Before a server is started or a cluster asked."""
    with pytest.raises(UsageError) as caught:
        cluster_request(on, {**NOTHING, **asked})
    assert says in f"{caught.value.message} {caught.value.hint}"


@pytest.mark.parametrize(
    "options", [["--partition", "gpu"], ["--server", "job"], ["--slurm", "a=b"], ["--keep", "2"], ["--insecure-http"]]
)
@pytest.mark.usefixtures("home")
def test_this_machine_has_no_use_for_a_clusters_options(sweeper, options):
    """Whoever forgot --on is told of it."""
    error = sweeper("launch", *options).exception
    assert isinstance(error, UsageError)
    assert "--on slurm" in error.hint
