"""Runs W&B's own engine on cases from standard input: started by its own Python, in an environment of its own."""

from __future__ import annotations

import json
import sys
from typing import Any

from sweeps import SweepRun, stop_runs


def stopped(case: dict[str, Any]) -> list[str] | None:
    """Give the names of the runs that W&B would stop; None where it raises."""
    try:
        return [run.name for run in stop_runs(case["sweep"], [SweepRun(**run) for run in case["runs"]])]
    except ValueError:
        return None


if __name__ == "__main__":
    json.dump([stopped(case) for case in json.load(sys.stdin)], sys.stdout)
