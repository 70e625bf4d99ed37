"""What there is after a round, as the public API, the commands, the files and /proc tell it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class RunFacts:
    """A run as `wandb.Api` gives it.

    Attributes:
        id: Its id.
        state: Its state.
        x: Its parameter.
        rows: Its history, in order.
        summary: Its summary, without W&B's own keys.
        files: Size and MD5 (base64) by name.
        artifacts: Those that it logged: `name`, `state`, and `files`, the MD5 of each as downloaded.
    """

    id: str
    state: str
    x: Any
    rows: Sequence[Mapping[str, Any]]
    summary: Mapping[str, Any] = field(default_factory=dict)
    files: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    artifacts: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, kw_only=True)
class Facts:
    """A sweep that is over, and what else there is.

    Attributes:
        points: The grid's values of `x`; None where a search chooses them.
        count: How many runs there should be.
        steps: How many rows a run logs.
        runs: The runs.
        ledgers: What trainers say they did, by run, in order.
        acknowledged: What the server said yes to, by run and offset, where a proxy saw it.
        status: `sweeper status --json`.
        best: `sweeper best --json`.
        check: `sweeper server check --deep --json`.
        words: What sweeper said in its logs that it should never have to say.
        left: What was still there when all had ended: processes, ports, locks, files; in words.
    """

    points: Sequence[Any] | None
    count: int
    steps: int
    runs: Sequence[RunFacts]
    ledgers: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    acknowledged: Mapping[str, Mapping[int, str]] = field(default_factory=dict)
    status: Mapping[str, Any] = field(default_factory=dict)
    best: Mapping[str, Any] = field(default_factory=dict)
    check: Sequence[Mapping[str, Any]] = ()
    words: Sequence[str] = ()
    left: Sequence[str] = ()
