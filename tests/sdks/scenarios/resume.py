"""One id used again: resumed in three ways, overwritten, and refused where it cannot be."""

import json

import wandb

found = {}


def read(run_id):
    """A run's state, config and rows."""
    run = wandb.Api().run(f"p/{run_id}")
    return [run.state, run.config.get("c"), [[row["_step"], row["a"]] for row in run.scan_history(keys=["_step", "a"])]]


def log(value, **how):
    """A run that logs one value and ends; where it began."""
    with wandb.init(project="p", **how) as run:
        found.setdefault("began", []).append([run.starting_step, bool(run.resumed)])
        run.log({"a": value})


with wandb.init(project="p", id="r", config={"c": 1}) as run:
    for step in range(3):
        run.log({"a": step})
log(3, id="r", resume="must")
log(4, id="r", resume="allow")
log(5, id="r", resume=True)
found["resumed"] = read("r")
log(7, id="r", config={"c": 2})
found["overwritten"] = read("r")
log(1, id="new", resume="allow")
found["new"] = read("new")


def refused(**how):
    """Whether the SDK says no."""
    try:
        wandb.init(project="p", **how).finish()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no refusal"


found["refused"] = [refused(id="missing", resume="must"), refused(id="r", resume="never")]
print(json.dumps(found))
