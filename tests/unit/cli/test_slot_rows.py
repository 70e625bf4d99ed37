"""Slots as rows."""

from __future__ import annotations

import io

from rich.console import Console

from sweeper.cli.slot_rows import slot_table
from sweeper.results.slot_status import SlotStatus

GPU = SlotStatus(
    name="gpu0", launcher=7, device="GPU-1", run="aaaaaaaa", step=12, heard_s=3.2, restarts=1, utilisation=0.97,
    used_mib=62_000, memory_mib=81_559, temperature_c=64,
)  # fmt: skip
CPU = SlotStatus(name="cpu0", launcher=7, device="", load=1.94, cores=2)


def drawn(*slots: SlotStatus) -> list[list[str]]:
    console = Console(file=io.StringIO(), width=80, highlight=False)
    console.print(slot_table(slots))
    lines = console.file.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    return [line.split() for line in lines]


def test_a_gpu_tells_how_busy_and_warm_it_is():
    """And with which run, how far that is, when it was heard, and how often its worker was started again."""
    assert drawn(GPU) == [
        ["slot", "GPU", "memory", "temp", "run", "step", "heard", "restarts"],
        ["gpu0", "97%", "60.5/79.6", "GiB", "64", "°C", "aaaaaaaa", "12", "3s", "ago", "1"],
    ]


def test_what_a_driver_does_not_tell_is_a_dash():
    """A MIG device has no utilisation of its own."""
    unknown = SlotStatus(name="gpu0mig1", launcher=7, device="MIG-1")
    assert drawn(unknown)[1] == ["gpu0mig1", "-", "-", "-", "-", "-", "-", "0"]


def test_a_slot_of_the_cpu_tells_the_machines_load():
    """There is nothing to say of memory and warmth, where all slots are such."""
    assert drawn(CPU) == [
        ["slot", "load", "run", "step", "heard", "restarts"],
        ["cpu0", "1.9", "of", "2", "-", "-", "-", "0"],
    ]
    assert drawn(GPU, CPU)[2][:4] == ["cpu0", "1.9", "of", "2"]


def test_minutes_of_silence_are_minutes():
    """As every other time."""
    slot = SlotStatus(name="cpu0", launcher=7, device="", run="a", heard_s=185.0)
    assert "3m 05s ago" in " ".join(drawn(slot)[1])
