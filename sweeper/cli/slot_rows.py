"""The slots of this machine's launches as rows of a table: how busy each is, and with what."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from sweeper.readable import duration, share
from sweeper.results.slot_status import SlotStatus

SILENT_S = 90.0
"""A run is heard of every 30 s at least (wandb 0.31): three times that is odd."""


def slot_table(slots: Sequence[SlotStatus]) -> RenderableType:
    """Lay out slots, one line each."""
    on_gpus = any(slot.device for slot in slots)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("slot", no_wrap=True)
    for heading in ("GPU", "memory", "temp") if on_gpus else ("load",):
        table.add_column(heading, justify="right", no_wrap=True)
    table.add_column("run", no_wrap=True)
    for heading in ("step", "heard", "restarts"):
        table.add_column(heading, justify="right", no_wrap=True)
    for slot in slots:
        busy = _gpu(slot) if on_gpus else [load(slot)]
        table.add_row(Text(slot.name, style="bold"), *busy, Text(slot.run or "-"), *_work(slot))
    return table


def _gpu(slot: SlotStatus) -> list[str]:
    if not slot.device:
        return [load(slot), "-", "-"]
    warmth = "-" if slot.temperature_c is None else f"{slot.temperature_c} °C"
    return [share(slot.utilisation), _memory(slot), warmth]


def load(slot: SlotStatus) -> str:
    """Write the load of this machine's CPU: `1.9 of 2 cores`."""
    return "-" if slot.load is None else f"{slot.load:.1f} of {slot.cores}"


def _memory(slot: SlotStatus) -> str:
    if slot.used_mib is None or slot.memory_mib is None:
        return "-"
    return f"{slot.used_mib / 1024:.1f}/{slot.memory_mib / 1024:.1f} GiB"


def _work(slot: SlotStatus) -> list[RenderableType]:
    heard = "-" if slot.heard_s is None else f"{duration(round(slot.heard_s))} ago".replace(".0s", "s")
    silent = slot.heard_s is not None and slot.heard_s > SILENT_S
    restarts = Text(str(slot.restarts), style="yellow" if slot.restarts else "")
    return [str(slot.step) if slot.step else "-", Text(heard, style="yellow" if silent else ""), restarts]
