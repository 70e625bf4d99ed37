"""A quick trainer, function and script, that keeps the rule: go on at min(checkpoint, run.starting_step).

It writes into a ledger of its own what it did, which the auditor holds against what the server has.
"""

import json
import os
import time
import uuid
from pathlib import Path

import wandb

STEPS = int(os.environ["CHAOS_STEPS"])
PACE_S = float(os.environ["CHAOS_PACE_S"])
LEDGERS = Path(os.environ["CHAOS_LEDGERS"])


def loss(x, step):
    """What a run logs: the same in every attempt, so that any of them can be checked."""
    return round(x * 0.37 % 1 + 1 / (1 + step), 6)


def text(x):
    """What a run saves and puts into its artifact."""
    return f"weights of {x}\n" * 100


def note(run_id, **entry):
    """Add a line to the ledger of a run; one write, so that no kill leaves half of one. The wall clock may jump."""
    line = json.dumps({**entry, "pid": os.getpid(), "at": time.monotonic()}) + "\n"
    descriptor = os.open(LEDGERS / f"{run_id}.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def save(file, **state):
    """Write a checkpoint: whole, or as it was before."""
    file.with_suffix(".draft").write_text(json.dumps(state))
    file.with_suffix(".draft").replace(file)


def train():
    """Log a row a step, with a checkpoint behind each; then a file and an artifact."""
    file = Path(os.environ["SWEEPER_CHECKPOINT_DIR"], "state.json")
    saved = json.loads(file.read_text())["step"] if file.exists() else 0
    attempt = uuid.uuid4().hex[:8]
    with wandb.init() as run:
        first = min(saved, run.starting_step)
        note(run.id, what="begin", attempt=attempt, saved=saved, starting=run.starting_step, x=run.config.x)
        for step in range(first, STEPS):
            time.sleep(PACE_S)
            run.log({"loss": loss(run.config.x, step), "epoch": step, "attempt": attempt}, step=step)
            note(run.id, what="row", attempt=attempt, step=step)
            save(file, step=step + 1)
        weights = Path(run.dir, "weights.txt")
        weights.write_text(text(run.config.x))
        run.save(str(weights), base_path=run.dir, policy="now")
        artifact = wandb.Artifact(f"weights-{run.id}", "model")
        artifact.add_file(str(weights))
        run.log_artifact(artifact)
        note(run.id, what="end", attempt=attempt)
    note(run.id, what="finished", attempt=attempt)


if __name__ == "__main__":
    train()
