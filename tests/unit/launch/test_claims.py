"""What the launches of a machine hold."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from sweeper.launch.claims import Claims
from sweeper.launch.plan import Plan
from sweeper.worker.spec import Slot

HOLDER = """
import pathlib, sys, time
from sweeper.launch.claims import Claims
from sweeper.launch.plan import Plan
from sweeper.worker.spec import Slot

with Claims(pathlib.Path(sys.argv[1])).taken("e/p/s", lambda others: Plan((Slot(name="cpu0", device="", threads=1),))):
    print("taken", flush=True)
    time.sleep(60)
"""


def slot(name: str, device: str = "") -> Slot:
    return Slot(name=name, device=device, threads=1)


def next_free(others) -> Plan:
    return Plan((slot(f"cpu{sum(len(claim.slots) for claim in others)}"),))


def test_what_a_launch_holds_is_seen_as_long_as_it_lasts(tmp_path):
    """With its process, sweep and devices; nothing is left of it."""
    claims = Claims(tmp_path)
    assert claims.living() == []
    with claims.taken("e/p/s", lambda _: Plan((slot("gpu0-1", "GPU-a,GPU-b"), slot("cpu0")))):
        (held,) = Claims(tmp_path).living()
        assert held.sweep == "e/p/s"
        assert held.devices == {"GPU-a", "GPU-b"}
        assert set(held.slots) == {"gpu0-1", "cpu0"}
        assert held.holder.endswith("(sweep e/p/s)")
    assert claims.living() == []
    assert [path.name for path in (tmp_path / "slots").glob("*/*")] == ["lock"]


def test_what_cannot_be_decided_holds_nothing(tmp_path):
    """An error of the plan is the caller's."""

    def refuse(_others: object) -> Plan:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"), Claims(tmp_path).taken("e/p/s", refuse):
        pass
    assert Claims(tmp_path).living() == []


def test_a_killed_launch_holds_nothing(tmp_path):
    """The kernel lets go, whatever its process could still do."""
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "taken\n"
        assert [claim.pid for claim in Claims(tmp_path).living()] == [process.pid]
        process.kill()
        process.wait()
        assert Claims(tmp_path).living() == []


def test_launches_that_start_at_once_see_each_other(tmp_path):
    """Looking and taking are one step: each gets a slot of its own."""
    start, end = Barrier(8), Barrier(8)

    def launch(_number: int) -> str:
        start.wait(timeout=30)
        with Claims(tmp_path).taken("e/p/s", next_free) as plan:
            end.wait(timeout=30)
            return plan.slots[0].name

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(launch, range(8))) == [f"cpu{number}" for number in range(8)]


def test_another_host_has_slots_of_its_own(tmp_path):
    """Hosts may share a state directory."""
    with Claims(tmp_path, "a").taken("e/p/s", next_free):
        assert Claims(tmp_path, "b/c").living() == []
        with Claims(tmp_path, "b/c").taken("e/p/s", next_free) as plan:
            assert plan.slots[0].name == "cpu0"


def test_a_claim_that_cannot_be_read_is_nobodys(tmp_path):
    """Another version may write others."""
    with Claims(tmp_path, "a").taken("e/p/s", next_free):
        (path,) = (tmp_path / "slots").glob("*/*.json")
        path.write_text("{")
        assert Claims(tmp_path, "a").living() == []
