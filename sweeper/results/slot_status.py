"""A slot of a launch on this machine, as shown."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotStatus:
    """A slot of a launch under way on this machine.

    Attributes:
        name: Its name.
        launcher: The process of its launch.
        device: Its CUDA_VISIBLE_DEVICES; empty for a share of the CPU.
        run: The run that it hosts; empty if none.
        step: How many values of the metric that run has logged.
        heard_s: Seconds since the server last heard of it; None where that is not told.
        restarts: How often its worker died and was started again.
        utilisation: Share of the time in which its GPUs computed, a mean of them; None where that is not known.
        used_mib: Memory of its GPUs that is in use, by whomever.
        memory_mib: Memory that they have.
        temperature_c: Of the warmest of them.
        load: What waits for this machine's CPU cores or is on one, of a CPU slot: the mean of the last minute.
        cores: CPU cores that are there for it and the other slots.
    """

    name: str
    launcher: int
    device: str
    run: str = ""
    step: int = 0
    heard_s: float | None = None
    restarts: int = 0
    utilisation: float | None = None
    used_mib: int | None = None
    memory_mib: int | None = None
    temperature_c: int | None = None
    load: float | None = None
    cores: int | None = None
