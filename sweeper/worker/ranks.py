"""The ranks of one run over several nodes: who they are, and what each finds in its environment, as under torchrun.

`torch.distributed.init_process_group()`, Lightning (TorchElasticEnvironment) and Accelerate read these variables.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sweeper.backend import sdk_releases
from sweeper.definition import interpreter

FOLDER = "SWEEPER_RANKS"
"""Names the folder over which a run's nodes talk, in the environment of a worker that leads several."""
ADDRESS = "MASTER_ADDR"
LAUNCHED_FROM = "SLURM_LAUNCH_NODE_IPADDR"
"""The address from which Slurm (22.05) started a step: the first node's, where the batch script runs."""
RUN = (
    *("WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_PROJECT", "WANDB_ENTITY", "WANDB_RESUME"),
    "SWEEPER_CHECKPOINT_DIR",
)
"""What the run of the first rank is told by its environment, and the others shall know, too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rank:
    """One process of a run.

    Attributes:
        node: Its node's number; the one that has the run is 0.
        local: Its number on its node.
        nodes: How many nodes the run has.
        per_node: How many processes each of them has.
    """

    node: int
    local: int
    nodes: int
    per_node: int

    @property
    def number(self) -> int:
        """Its number in the run: RANK."""
        return self.node * self.per_node + self.local

    @property
    def world_size(self) -> int:
        """How many processes the run has."""
        return self.nodes * self.per_node

    def environ(self, *, run_id: str, address: str, port: int) -> dict[str, str]:
        """Give what torchrun (2.9) puts into the environment of a process.

        Args:
            run_id: The run.
            address: Of the first node, as the others reach it.
            port: A free one there.
        """
        return {
            "RANK": str(self.number),
            "WORLD_SIZE": str(self.world_size),
            "LOCAL_RANK": str(self.local),
            "LOCAL_WORLD_SIZE": str(self.per_node),
            "GROUP_RANK": str(self.node),
            "GROUP_WORLD_SIZE": str(self.nodes),
            "ROLE_RANK": str(self.number),
            "ROLE_WORLD_SIZE": str(self.world_size),
            "NODE_RANK": str(self.node),
            ADDRESS: address,
            "MASTER_PORT": str(port),
            "TORCHELASTIC_RUN_ID": run_id,
            "TORCHELASTIC_RESTART_COUNT": "0",
            "TORCHELASTIC_MAX_RESTARTS": "0",
        }


def without_logging(environ: Mapping[str, str], *, parameters: str, folder: str) -> dict[str, str]:
    """Give what makes `wandb.init` a run that sends nothing, and whose config is the sweep's all the same.

    Args:
        environ: What the process finds beside that.
        parameters: A copy of the file in which the agent of the first rank keeps the run's parameters.
        folder: For what the SDK writes; nobody reads it.
    """
    # an older disabled run fails where the trainer gives wandb.init a default for one of the sweep's parameters
    version = environ.get(interpreter.SDK) or sdk_releases.installed()
    mode = "disabled" if sdk_releases.disabled_knows_sweeps(version) else "offline"
    return {"WANDB_MODE": mode, "WANDB_SWEEP_PARAM_PATH": parameters, "WANDB_DIR": folder, "WANDB_SILENT": "true"}


def of_run(environ: Mapping[str, str]) -> dict[str, str]:
    """Pick what every rank is to know of a run out of the environment of the first."""
    return {name: environ[name] for name in RUN if name in environ}


def address(environ: Mapping[str, str], look_up: Callable[[], str] | None = None) -> str:
    """Say where the other nodes reach this one.

    Args:
        environ: The environment: the user's own MASTER_ADDR, such as that of a faster network, comes first.
        look_up: Gives this machine's own address.
    """
    if own := environ.get(ADDRESS) or environ.get(LAUNCHED_FROM):
        return own
    found = (look_up or _own_address)()
    return "127.0.0.1" if ipaddress.ip_address(found).is_loopback else found


def _own_address() -> str:
    """Ask for the address of this machine's name; where that is its own loopback (Debian), of its way out."""
    found = "127.0.0.1"
    with contextlib.suppress(OSError):
        found = socket.gethostbyname(socket.gethostname())
    if ipaddress.ip_address(found).is_loopback:
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way_out:
            way_out.connect(("192.0.2.1", 9))  # sends nothing: the kernel only chooses
            found = str(way_out.getsockname()[0])
    return found


def free_port() -> int:
    """Find a port that is free on all addresses: torch listens there a moment later."""
    with socket.socket() as asked:
        asked.bind(("", 0))
        return int(asked.getsockname()[1])
