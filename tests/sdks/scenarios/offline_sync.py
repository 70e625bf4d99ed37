"""Runs made without a server, and sent by `wandb sync`: alone, twice, a run of a sweep's project, all of a folder."""

import json
import pathlib
import subprocess
import sys

import wandb

folders = []
for n in range(2):
    with wandb.init(project="p", id=f"o{n}", mode="offline", config={"c": n}) as run:
        for step in range(3):
            run.log({"a": step * n})
        run.summary["kept"] = n
        run.log({"rows": wandb.Table(columns=["x"], data=[[n]])})
        art = wandb.Artifact(f"made{n}", "dataset")
        with art.new_file("made.txt") as file:
            file.write("made")
        run.log_artifact(art)
        pathlib.Path(run.dir, "note.txt").write_text("written offline")
        run.save(str(pathlib.Path(run.dir, "note.txt")), base_path=run.dir, policy="end")
        folders.append(pathlib.Path(run.dir).parent)


def sync(*arguments):
    """Run `wandb sync` where the runs lie."""
    command = [sys.executable, "-m", "wandb", "sync", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folders[0].parents[1])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def read(run_id):
    """A run's state, config, rows and file."""
    run = wandb.Api().run(f"p/{run_id}")
    rows = [[row["_step"], row["a"]] for row in run.scan_history(keys=["_step", "a"])]
    note = run.file("note.txt").download(root="down", replace=True).read()
    return [run.state, run.config["c"], rows, run.summary["kept"], note]


sync(folders[0])
found = {"one": read("o0")}
sync("--include-synced", folders[0])
found["twice"] = read("o0")
sync("--sync-all" if "--sync-all" in sync("--help") else "--yes")  # 0.31 has no longer the first
found["all"] = read("o1")
found["artifacts"] = [sorted(art.name for art in wandb.Api().run(f"p/o{n}").logged_artifacts()) for n in range(2)]
print(json.dumps(found))
