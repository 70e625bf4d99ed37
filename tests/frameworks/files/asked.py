"""Print as JSON what `wandb.Api` tells of the runs of a sweep: `python asked.py ENTITY/PROJECT/SWEEP`."""

import json
import sys

import wandb


def artifact(item):
    """Tell of one version of an artifact: its kind, its aliases, and its files with their sizes."""
    sizes = {path: entry.size for path, entry in item.manifest.entries.items()}
    return {"type": item.type, "name": item.name, "aliases": item.aliases, "files": sizes}


def told(run):
    """Tell of one run."""
    return {
        "id": run.id,
        "name": run.name,
        "project": run.project,
        "state": run.state,
        "config": dict(run.config),
        "summary": run.summary._json_dict,
        "rows": list(run.scan_history()),
        "files": {file.name: file.size for file in run.files()},
        "artifacts": [artifact(item) for item in run.logged_artifacts()],
    }


runs = sorted(wandb.Api().sweep(sys.argv[1]).runs, key=lambda run: run.created_at)
print(json.dumps([told(run) for run in runs]))
