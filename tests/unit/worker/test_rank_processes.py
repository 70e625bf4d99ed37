"""The ranks of one order on one node, as real processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from sweeper.journal.rank_files import RankOrder
from sweeper.worker.spec import Slot, WorkerSpec

# in a process of its own: what is no child of the ranks' own node is killed in the end
NODE = """
import json, os, sys, time
from sweeper.journal.rank_files import RankOrder
from sweeper.worker.rank_processes import RankProcesses
from sweeper.worker.spec import WorkerSpec
from pathlib import Path

order = json.loads(sys.argv[2])
ranks = RankProcesses(WorkerSpec.load(Path(sys.argv[1])), os.environ, int(sys.argv[3]), "n1", RankOrder(**order))
ended = sys.argv[4] == "ask"
began = time.monotonic()
while not ranks.over and time.monotonic() < began + 60:
    if ended and Path("ready").exists():
        ranks.ask_to_end()
        ended = False
    time.sleep(0.05)
failures = [(one.rank, one.node, one.exit_code, one.error) for one in ranks.failures()]
ranks.end()
import psutil
print(json.dumps({"failures": failures, "left": len(psutil.Process().children()), "over": ranks.over}))
"""


def host(folder: Path, command: list[str], *, node: int = 1, per_node: int = 2, ask: str = "") -> dict[str, object]:
    """Start an order's ranks as a node would; tell how they ended."""
    spec = WorkerSpec(
        sweep="e/p/s",
        trainer="toy:train",
        slot=Slot(name="gpu0", device="GPU-1,GPU-2", threads=1),
        count=None,
        directory=str(folder),
        nodes=2,
        ranks_per_node=per_node,
    )
    spec.save(folder / "spec.json")
    order = RankOrder(
        number=1,
        run_id="r1",
        log=str(folder / "gpu0-0001.log"),
        address="127.0.0.1",
        port=1234,
        parameters="x: {value: 1}\n",
        environ={"WANDB_RUN_ID": "r1"},
        command=tuple(command),
        folder=str(folder),
    )
    text = json.dumps({name: getattr(order, name) for name in RankOrder.__dataclass_fields__})
    done = subprocess.run(
        [sys.executable, "-c", NODE, str(folder / "spec.json"), text, str(node), ask],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        cwd=folder,
        stdout=subprocess.PIPE,
        text=True,
        timeout=120,
        check=True,
    )
    return dict(json.loads(done.stdout))


TELL = (
    "import json, os; names = ['RANK', 'LOCAL_RANK', 'WORLD_SIZE', 'MASTER_PORT', 'CUDA_VISIBLE_DEVICES', 'WANDB_MODE',"
    " 'WANDB_RUN_ID']; print([os.environ[name] for name in names], open(os.environ['WANDB_SWEEP_PARAM_PATH']).read())"
)


def test_each_rank_finds_its_place_the_run_and_the_nodes_devices(tmp_path):
    """And a copy of the parameters; what it prints lies beside the first rank's log."""
    assert host(tmp_path, [sys.executable, "-c", TELL]) == {"failures": [], "left": 0, "over": True}
    for rank, local in ((2, 0), (3, 1)):
        said = (tmp_path / f"gpu0-0001.rank{rank}.log").read_text()
        found = [str(rank), str(local), "4", "1234", "GPU-1,GPU-2", "disabled", "r1"]
        assert said == f"{found} x: {{value: 1}}\n\n"


def test_the_first_node_has_the_first_rank_already(tmp_path):
    """Its further ones are started there; there are none with one rank on each node."""
    assert host(tmp_path, ["true"], node=0)["over"]
    assert [path.name for path in tmp_path.glob("*.rank*")] == ["gpu0-0001.rank1.log"]
    assert host(tmp_path, ["false"], node=0, per_node=1)["failures"] == []


def test_a_failure_is_told_with_the_last_error_of_its_log(tmp_path):
    """Or its last line; a signal as a negative code."""
    raised = host(tmp_path, [sys.executable, "-c", "import os; print('so far'); {}['lr']"], per_node=1)
    assert raised["failures"] == [[1, "n1", 1, "KeyError: 'lr'"]]
    (tmp_path / "gpu0-0001.rank1.log").unlink()
    killed = host(tmp_path, ["bash", "-c", "echo so far; kill -9 $$"], per_node=1)
    assert killed["failures"] == [[1, "n1", -9, "so far"]]


def test_nothing_is_left_of_a_rank(tmp_path):
    """What it had started ends with it, also behind a gentle end."""
    asked = host(tmp_path, ["bash", "-c", "sleep 600 & touch ready; wait"], per_node=1, ask="ask")
    assert asked["failures"] == [[1, "n1", -15, ""]]
    assert asked["left"] == 0
