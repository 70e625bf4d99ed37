"""Print what wandb.Api has of a sweep's runs, as JSON: `python read_runs.py ENTITY/PROJECT/SWEEP`."""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import wandb

api = wandb.Api(timeout=60)
entity, project, sweep_id = sys.argv[1].split("/")


def artifacts_of(run):
    """The logged artifacts: name, state, and the MD5 of each file as it was downloaded."""
    found = []
    for artifact in run.logged_artifacts():
        with tempfile.TemporaryDirectory() as folder:
            place = Path(artifact.download(root=folder))
            files = {file.name: hashlib.md5(file.read_bytes()).hexdigest() for file in place.iterdir()}  # noqa: S324
        found.append({"name": artifact.name, "state": artifact.state, "files": files})
    return found


def told(run):
    """All there is of a run."""
    return {
        "id": run.id,
        "state": run.state,
        "x": run.config.get("x"),
        "summary": {key: value for key, value in run.summary.items() if not key.startswith("_")},
        "rows": list(run.scan_history(page_size=1000)),
        "files": {file.name: [file.size, file.md5] for file in run.files()},
        "artifacts": artifacts_of(run),
    }


runs = api.runs(f"{entity}/{project}", {"sweep": sweep_id}, order="+created_at")
print(json.dumps({"runs": [told(run) for run in runs]}))
