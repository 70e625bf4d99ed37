"""One run over both nodes of a real Slurm: a real data-parallel training, on the CPU."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(600)]

TRAINER = """
import json, os
import torch
import torch.distributed as dist
import wandb

def train():
    dist.init_process_group("gloo")
    run = wandb.init(config={"lr": 9.0})
    torch.manual_seed(0)
    net = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(2, 1))
    optimizer = torch.optim.SGD(net.parameters(), lr=run.config.lr)
    torch.manual_seed(1 + dist.get_rank())  # each rank has other data
    for step in range(5):
        x = torch.randn(8, 2)
        loss = (net(x) - x.sum(dim=1, keepdim=True)).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        run.log({"loss": loss.item(), "step": step, "rank": dist.get_rank()})
    seen = {
        "rank": dist.get_rank(),
        "world": dist.get_world_size(),
        "node": os.environ["SLURMD_NODENAME"],
        "config": dict(run.config),
        "weights": [p.tolist() for p in net.parameters()],
        "loss": loss.item(),
    }
    with open(f"{os.environ['SEEN']}.{run.config.lr}.{dist.get_rank()}", "w") as file:
        json.dump(seen, file)
    dist.barrier()
    dist.destroy_process_group()
    run.finish()
"""


def test_two_nodes_train_one_run(here):
    """Gradients are averaged over both, all ranks have one config, and the run has the rows of the first alone."""
    here.user.write("train.py", TRAINER)
    here.user.write("sweep.yaml", "method: grid\nmetric: {name: loss}\nparameters: {lr: {values: [0.1, 0.01]}}\n")
    here.user.run("create", "sweep.yaml")
    here.user.environ["GLOO_SOCKET_IFNAME"] = "lo"
    here.launch("--workers", 1, "--nodes-per-run", 2)
    here.await_end(500)
    for lr in (0.1, 0.01):
        first, second = (json.loads(here.seen.with_name(f"seen.{lr}.{rank}").read_text()) for rank in range(2))
        assert (first["node"], second["node"]) == ("n0", "n1")
        assert [one["world"] for one in (first, second)] == [2, 2]
        assert first["config"] == second["config"] == {"lr": lr}
        assert first["weights"] == second["weights"]
        assert first["loss"] != second["loss"]
    status = here.user.status()
    assert [run["state"] for run in status["runs"]] == ["finished", "finished"]
    assert list(here.rows().values()) == [[0, 1, 2, 3, 4]] * 2
