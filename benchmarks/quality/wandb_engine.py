"""W&B's open engine (`sweeps` 0.3.0) behind a pipe: run by the Python of a venv of its own, since it pins numpy<2.

One JSON object a line in, one out: {"config", "runs", "seed"} -> {"params", "cpu_s"}.
"""

from __future__ import annotations

import json
import random
import sys
import time
import warnings
from typing import Any

import numpy as np

warnings.simplefilter("ignore")
import sweeps  # type: ignore[import-not-found]  # noqa: E402


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Ask for one suggestion."""
    random.seed(order["seed"])
    np.random.seed(order["seed"] % 2**32)
    start = time.process_time()
    runs = [
        sweeps.SweepRun(
            name=str(number),
            state=run["state"],
            config={name: {"value": value} for name, value in run["params"].items()},
            summary_metrics={} if run["loss"] is None else {"loss": run["loss"]},
            history=[] if run["loss"] is None else [{"loss": run["loss"]}],
        )
        for number, run in enumerate(order["runs"])
    ]
    suggestion = sweeps.next_run(order["config"], runs)
    cpu_s = time.process_time() - start
    return {"params": {name: entry["value"] for name, entry in suggestion.config.items()}, "cpu_s": cpu_s}


for line in sys.stdin:
    print(json.dumps(answer(json.loads(line))), flush=True)
