"""A run that has a script in every field that takes text."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import wandb

EVIL = json.loads(os.environ["EVIL"])
IMAGE, TAG, QUOTE = EVIL


def log(run):
    """Log everything that has a name or a text."""
    run.config.update({f"config {TAG}": IMAGE, "nested": {QUOTE: [IMAGE, TAG]}}, allow_val_change=True)
    for step in range(3):
        run.log({"loss": 1 / (step + 1), f"metric {IMAGE}": step, f"a/{TAG}": step, f"text {QUOTE}": IMAGE})
    run.log(
        {
            f"table {IMAGE}": wandb.Table(columns=[IMAGE, TAG, "value"], data=[[TAG, QUOTE, 1.0], [IMAGE, IMAGE, 2.0]]),
            "image": wandb.Image(np.zeros((8, 8, 3), dtype=np.uint8), caption=IMAGE),
            "html": wandb.Html(TAG + IMAGE),
            f"histogram {TAG}": wandb.Histogram([1, 2, 3]),
            "confusion": wandb.plot.confusion_matrix(
                y_true=[0, 1], preds=[1, 0], class_names=[IMAGE, TAG], title=IMAGE
            ),
            "line": wandb.plot.line(wandb.Table(columns=["x", "y"], data=[[0, 1], [1, 2]]), "x", "y", title=TAG),
            "bar": wandb.plot.bar(wandb.Table(columns=["x", "y"], data=[[IMAGE, 1], [TAG, 2]]), "x", "y", title=QUOTE),
        }
    )
    run.summary[f"summary {IMAGE}"] = TAG
    print(IMAGE, TAG, QUOTE, f"\x1b[31m{IMAGE}\x1b]8;;javascript:hacked()\x07{TAG}\x1b]8;;\x07\x1b[0m")
    print(IMAGE, file=sys.stderr)
    run.alert(IMAGE, TAG)
    folder = Path(run.dir)
    for path, text in (
        (f"{TAG.replace('/', ' ')}.txt", IMAGE),
        ("page.html", TAG),
        ("picture.svg", SVG),
        ("data.json", json.dumps({IMAGE: TAG})),
    ):
        (folder / path).write_text(text)
        run.save(folder / path, base_path=folder, policy="now")
    made = wandb.Artifact("hostile", "model", description=IMAGE, metadata={IMAGE: TAG, "deep": {QUOTE: TAG}})
    made.add_file(folder / "page.html", name=f"{QUOTE.replace('/', ' ')}.html")
    run.log_artifact(made).wait()


SVG = f'<svg xmlns="http://www.w3.org/2000/svg" onload="{QUOTE}">{TAG}</svg>'


def train():
    """Be a run of a sweep."""
    with wandb.init(name=IMAGE, notes=TAG, tags=[QUOTE[:60]], group=IMAGE, job_type=TAG) as run:
        log(run)


def fail():
    """Fail with a script as the reason."""
    with wandb.init(name=TAG) as run:
        run.log({"loss": 1.0})
        raise RuntimeError(IMAGE)


if __name__ == "__main__":
    with wandb.init(project="hostile", id="hostile", name=IMAGE, notes=TAG, tags=[QUOTE[:60]], group=IMAGE) as lone:
        log(lone)
