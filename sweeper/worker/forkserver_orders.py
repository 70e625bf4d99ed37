"""What a launch and the process that its workers are forked from say to each other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepare:
    """Orders to import; the first message.

    Attributes:
        environ: The workers' environment: the W&B server and its key.
        directory: The launch's folder, which is told why nothing can be imported.
        trainer: The module to import; empty for none.
        gpu: Whether runs will use a GPU.
    """

    environ: Mapping[str, str]
    directory: str
    trainer: str
    gpu: bool


@dataclass(frozen=True, slots=True)
class ForkWorker:
    """Orders to fork a worker.

    Attributes:
        number: What the launch calls it.
        orders: The file of its orders.
        log: Where its words go.
    """

    number: int
    orders: str
    log: str


@dataclass(frozen=True, slots=True)
class SignalWorker:
    """A signal for a worker; one that has ended gets none."""

    number: int
    signal: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything is imported."""


@dataclass(frozen=True, slots=True)
class Ended:
    """A worker has ended; the code is negative for a signal."""

    number: int
    code: int
