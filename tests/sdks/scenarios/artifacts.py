"""An artifact: logged with files, a folder, a reference and a table; used, downloaded and changed by other runs."""

import json
import os
import pathlib
import subprocess
import sys

import wandb

# where nothing is in the cache, and no file has been downloaded
READ = """
import json, pathlib, wandb
api = wandb.Api()
art = api.artifact("p/data:best")
entry = (art.get_entry if hasattr(art, "get_entry") else art.get_path)("sub/b.txt")
table = api.artifact("p/run-maker-rows:latest").get("rows")
print(json.dumps([pathlib.Path(entry.download()).read_text(), art.get("t").data, table.columns, table.data]))
"""

pathlib.Path("d/sub").mkdir(parents=True)
pathlib.Path("d/a.txt").write_text("A")
pathlib.Path("d/sub/b.txt").write_text("B")
pathlib.Path("local.txt").write_text("local")
found = {}
with wandb.init(project="p", id="maker") as run:
    art = wandb.Artifact("data", "dataset", description="first", metadata={"n": 1})
    art.add_dir("d")
    with art.new_file("made.txt") as file:
        file.write("made")
    art.add_reference(pathlib.Path("local.txt").resolve().as_uri(), name="local.txt")
    art.add(wandb.Table(columns=["x"], data=[[1], [2]]), "t")
    run.log_artifact(art, aliases=["best"])
    art.wait()
    run.log({"rows": wandb.Table(columns=["a", "b"], data=[[1, "one"], [2, "two"]])})
    found["logged"] = [art.name, art.version, sorted(art.aliases)]
with wandb.init(project="p", id="second") as run:
    pathlib.Path("d/a.txt").write_text("changed")
    art = wandb.Artifact("data", "dataset")
    art.add_dir("d")
    run.log_artifact(art)
    art.wait()
    same = wandb.Artifact("data", "dataset")
    same.add_dir("d")
    run.log_artifact(same)
    same.wait()
    found["versions"] = [art.version, same.version]
with wandb.init(project="p", id="user") as run:
    used = run.use_artifact("data:best")
    place = pathlib.Path(used.download(root="place"))
    newest = run.use_artifact("data:latest")
    found["newest"] = pathlib.Path(newest.download(root="newest"), "a.txt").read_text()
    if hasattr(run, "log_model"):
        pathlib.Path("model.bin").write_bytes(b"weights")
        run.log_model("model.bin", name="model")
with wandb.init(project="other", id="guest") as run:
    found["elsewhere"] = run.use_artifact("p/data:best").version
fresh = {"WANDB_CACHE_DIR": str(pathlib.Path("fresh").resolve()), "WANDB_ARTIFACT_DIR": "fresh-files"}
alone = {name: value for name, value in os.environ.items() if not name.startswith(("WANDB_SERVICE", "_WANDB"))}
done = subprocess.run(
    [sys.executable, "-c", READ], env={**alone, **fresh}, stdout=subprocess.PIPE, text=True, check=True
)
found["read back"] = json.loads(done.stdout.splitlines()[-1])
api = wandb.Api()
read = api.artifact("p/data:v0")
read.aliases.append("prod")
read.description, read.metadata["n"] = "said", 5
read.save()
again = wandb.Api().artifact("p/data:prod", type="dataset")
found |= {
    "downloaded": {str(path.relative_to(place)): path.read_text() for path in sorted(place.rglob("*.txt"))},
    "table": used.get("t").data,
    "changed": [again.version, sorted(again.aliases), again.description, again.metadata],
    "logged by": again.logged_by().id,
    "used by": sorted(run.id for run in again.used_by()),
    "of the run": [artifact.name for artifact in api.run("p/second").logged_artifacts()],
    "used of the run": sorted(artifact.name for artifact in api.run("p/user").used_artifacts()),
    "types": sorted(one.name for one in api.artifact_types("p") if one.name in ("dataset", "model")),
}
# by its version: 0.19 and 0.20 take what they have found by an alias for a link, and unlink it
wandb.Api().artifact("p/data:v0", type="dataset").delete(delete_aliases=True)
try:
    found["gone"] = wandb.Api().artifact("p/data:v0").version
except Exception as error:
    found["gone"] = type(error).__name__
print(json.dumps(found))
