"""When a launch ends by itself because its runs fail: a pure function of how they ended and of what its user allows."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sweeper.journal.attempt import Attempt
from sweeper.journal.failures import Kind
from sweeper.metric_value import lookup

IDENTICAL_FAILURES = 3
"""So many runs that fail in one way, with none before that did not, are a broken set-up."""

MISSING_MODULES = 2
"""The same of an import, which seldom depends on parameters."""

UNBEGUN = 2
"""So many runs in a row that never came to `wandb.init` are a trainer that never does."""

WHATEVER_THEY_SHARE = 20
"""So many are one also where all of them share a parameter's value: a grid may try hundreds before another one."""

# what parameters decide more often than anything else: others may fit
_OF_CONFIGURATIONS = {Kind.GPU_MEMORY, Kind.HOST_MEMORY, Kind.TIMEOUT, Kind.NAN}


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureLimits:
    """What a user has said of runs that fail; either number is theirs alone and ends all guessing.

    Attributes:
        max_failures: So many failed runs in a row end the launch: `--max-failures`.
        initial_failures: So many from the start do: `WANDB_AGENT_MAX_INITIAL_FAILURES`.
        guess: Whether runs that fail alike from the start end it: not with `WANDB_AGENT_DISABLE_FLAPPING=true`.
    """

    max_failures: int | None = None
    initial_failures: int | None = None
    guess: bool = True


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run ended for good.

    Attributes:
        cause: Why it failed; empty if it did not.
        kind: What went wrong; None if nothing did.
        params: Its parameters, nested as its config has them.
    """

    cause: str = ""
    kind: Kind | None = None
    params: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, attempt: Attempt) -> Ending:
        """Read what a worker wrote."""
        return cls(attempt.reason if attempt.failed else "", attempt.kind if attempt.failed else None, attempt.params)


def broken(endings: Sequence[Ending], limits: FailureLimits, varied: Sequence[str] = ()) -> str:
    """Say why a launch must stop by itself; empty if it need not.

    Args:
        endings: How its runs ended for good, in that order.
        limits: What its user has said.
        varied: The parameters of which the sweep has several values.
    """
    number, first = limits.max_failures, limits.initial_failures
    if number and len(endings) >= number and all(ending.cause for ending in endings[-number:]):
        return f"{number} runs failed in a row (--max-failures)"
    if first and len(endings) >= first and all(ending.cause for ending in endings[:first]):
        return f"the first {first} runs failed (WANDB_AGENT_MAX_INITIAL_FAILURES)"
    if number or first or not limits.guess:
        return ""
    if len(endings) >= UNBEGUN and all(ending.kind is Kind.UNBEGUN for ending in endings[-UNBEGUN:]):
        return f"{UNBEGUN} runs in a row never began: {endings[-1].cause}"
    return _alike([ending for ending in endings if ending.kind not in _OF_CONFIGURATIONS], varied)


def _alike(endings: Sequence[Ending], varied: Sequence[str]) -> str:
    """Say so if runs fail in one way from the start, whatever their parameters are.

    Where all that failed share a value of a parameter, that value may be why: the launch goes on to others.
    """
    shapes = {_shape(ending.cause) if ending.cause else "" for ending in endings}
    if len(shapes) != 1 or "" in shapes:  # the first ones only: equal failures later are a corner of the search space
        return ""
    imports = endings[0].kind is Kind.IMPORT
    if len(endings) < (MISSING_MODULES if imports else IDENTICAL_FAILURES):
        return ""
    if len(endings) < WHATEVER_THEY_SHARE and any(_is_shared(name, endings) for name in varied):
        return ""
    if imports:
        return f"every run would fail: {endings[0].cause}"
    return f"the first {len(endings)} runs failed in the same way: {endings[0].cause}"


def _is_shared(name: str, endings: Sequence[Ending]) -> bool:
    """Whether all runs have one value of a parameter."""
    values = {json.dumps(lookup(ending.params, name), sort_keys=True, default=str) for ending in endings}
    # null: a run of an older journal, or one that a condition spares the parameter
    return len(values) == 1 and values != {"null"}


def _shape(cause: str) -> str:
    """Leave out what differs between equal failures: numbers and addresses."""
    return re.sub(r"0x[0-9a-f]+|\d+", "#", cause)
