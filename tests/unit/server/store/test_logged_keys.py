"""The names of what a sweep's runs log."""

from __future__ import annotations

import json

from sweeper.run import RunState
from sweeper.server.store import logged_keys, runs

SWEEP = {"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}


def test_numbers_that_any_of_the_first_and_last_runs_logged(table):
    """Texts, media and W&B's own keys are none of them."""
    sweep = table.sweep(SWEEP)
    keys = {"loss": "number", "_step": "number", "note": "string", "picture": "image-file"}
    counted = {name: {"typeCounts": [{"type": kind, "count": 1}]} for name, kind in keys.items()}
    late = {"val.acc": {"typeCounts": [{"type": "nil", "count": 1}, {"type": "number", "count": 2}]}}
    with table.store.write() as db:
        for number, entry in enumerate([{}, counted, late]):
            text = json.dumps({"keys": entry, "lastStep": 1}) if entry else "{}"
            about = {"sweep_id": sweep.id, "history_keys": text}
            runs.create(db, sweep.project_id, f"r{number}", state=RunState.FINISHED, now=1.0, **about)
        assert logged_keys.numbers(db, sweep.id) == ["loss", "val.acc"]
