"""A run's summary as clients read it: with what the server knows of the run under a key of its own."""

from __future__ import annotations

import json
from typing import Any

from sweeper.server import strict_json
from sweeper.server.store import history_gaps
from sweeper.server.store.runs import StoredRun

REASON_KEY = "_sweeper"
"""Our key in a summary as read: `{"reason": ..., "stop": {...}, "suggestion": {...}, "losses": 1, "interrupted": true,
"gap": ...}`: why the run ended, what early termination decided about it, what suggested it, how often its agent fell
silent, whether an attempt was cut off, and what its history lacks.

Never stored; stripped from what comes back."""

_CLOCK = frozenset({"_runtime", "_wandb"})
"""What is in the summary of every process, whatever its trainer does."""


def clean_summary(text: str) -> str:
    """Take our own key out of a summary that a client sends back.

    Raises:
        RequestError: It is no JSON object.
    """
    summary = strict_json.parse_object(text, "the summary")
    if REASON_KEY not in summary:
        return text
    return json.dumps({key: value for key, value in summary.items() if key != REASON_KEY})


def renewed(run: StoredRun, sent: str) -> str:
    """Give a run's summary as it is now, when a process has sent its own.

    Who resumes a run reads the summary of the last process, and sends it with its own. One that has ended within
    `wandb.init` has read none yet, and sends its clock alone (wandb 0.31): that is no word about the run.

    Raises:
        RequestError: It is no JSON object.
    """
    summary = clean_summary(sent)
    resumed = history_gaps.was_interrupted(run)
    return run.summary if resumed and set(json.loads(summary)) <= _CLOCK else summary


def summary_with_reason(run: StoredRun) -> str:
    """Give a run's summary as clients read it: with why it ended and what suggested it, if known."""
    told: dict[str, Any] = {"reason": run.reason} if run.reason else {}
    if history_gaps.was_interrupted(run):
        told["interrupted"] = True
    if run.gap:
        told["gap"] = run.gap
    if run.losses:
        told["losses"] = run.losses
    if run.stop:
        told["stop"] = json.loads(run.stop)
    if run.origin:
        told["suggestion"] = json.loads(run.origin)
    return json.dumps({**json.loads(run.summary), REASON_KEY: told}) if told else run.summary
