"""Results leave: `sweeper export`, and `sweeper sync` from one server of ours to another."""

from __future__ import annotations

import csv
import io
import json
import signal

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.long, pytest.mark.timeout(240)]

TOY = """
import os, pathlib, signal, time, wandb

def train():
    with wandb.init(config={"extra": {"sizes": [1, 2]}}) as run:
        run.define_metric("score", summary="max")
        mark = pathlib.Path(os.environ["SWEEPER_CHECKPOINT_DIR"], "step")
        start = int(mark.read_text()) if mark.exists() else 0
        for step in range(start, 5):
            run.log({"score": run.config.lr * step, "bad": float("nan"), "größe": step, "nested": {"x": step}})
            mark.write_text(str(step + 1))
            if run.config.kind == "killed" and step == 2:
                time.sleep(3)  # the rows reach the server, and not the log
                os.kill(os.getpid(), signal.SIGKILL)
        run.log({"drawn": wandb.Histogram([1, 2, 3])})
        path = pathlib.Path(run.dir, "model.txt")
        path.write_text("weights of " + run.id)
        run.save(path, base_path=path.parent, policy="now")
        if run.config.kind == "raises":
            raise ValueError("no luck")
"""
SWEEP = """
method: grid
project: toys
metric: {name: score, goal: maximize}
parameters:
  lr: {value: 0.5}
  kind: {values: [plain, killed, raises, late]}
"""

BY_HAND = """
import os, wandb

_, os.environ["WANDB_PROJECT"], os.environ["WANDB_SWEEP_ID"] = os.environ["SWEEP"].split("/")
for kind in os.environ["KINDS"].split():
    with wandb.init(config={"extra": {"sizes": [1, 2]}, "lr": 0.5, "kind": kind}) as run:
        for step in range(5):
            run.log({"score": run.config.lr * step, "bad": float("nan"), "größe": step, "nested": {"x": step}})
"""

READ = """
import json, os, wandb

api = wandb.Api()
def text(values):  # NaN equals nothing, not even itself
    return {key: json.dumps(value, sort_keys=True, default=dict) for key, value in values.items()}
def read(run):
    rows = [text(row) for row in run.scan_history()]
    summary = text({key: value for key, value in run.summary_metrics.items() if key not in ("_sweeper", "_wandb")})
    files = {file.name for file in run.files()} - {"wandb-metadata.json", "wandb-summary.json", "config.yaml"}
    return [run.id, run.name, run.state, run.config, summary, rows, sorted(files)]

runs = [read(run) for run in api.runs("toys", order="+created_at") if run.state != "pending"]
attached = {sweep.id: [run.id for run in sweep.runs] for sweep in api.project("toys").sweeps()}
print(json.dumps([runs, attached]))
"""


@pytest.fixture
def elsewhere(user):
    """The variables that point the SDK at a second server, with data, users and keys of its own."""
    data = user.folder / "elsewhere"
    user.start("serve", "--data", data)
    user.wait(lambda: (data / "server.json").exists() and (data / "api-key").exists(), "the other server")
    url = json.loads((data / "server.json").read_text())["url"]
    return {"WANDB_BASE_URL": url, "WANDB_API_KEY": (data / "api-key").read_text().strip(), "WANDB_SILENT": "true"}


def create(user) -> str:
    """Create the sweep."""
    user.write("toy.py", TOY)
    return json.loads(user.run("create", "--json", user.write("sweep.yaml", SWEEP)).stdout)["sweep"]


def run_by_hand(user, sweep: str, *kinds: str) -> None:
    """Make runs of the sweep by hand, in the folder where `sweeper launch` has them: that takes no torch."""
    logs = user.home / "sweeps" / sweep / "runs"
    logs.mkdir(exist_ok=True)
    user.python(BY_HAND, SWEEP=sweep, KINDS=" ".join(kinds), WANDB_DIR=str(logs), **user.sdk())


def sync(user, elsewhere, *args, code: int = 0) -> dict:
    """Run `sweeper sync`; the key is the other server's."""
    done = user.run("sync", "--json", "--to", elsewhere["WANDB_BASE_URL"], *args, code=code, **key(elsewhere))
    return {**json.loads(done.stdout), "said": done.stderr}


def key(elsewhere) -> dict:
    return {name: elsewhere[name] for name in ("WANDB_API_KEY", "WANDB_BASE_URL")}


def outcomes(result) -> list[str]:
    return [run["outcome"] for run in result["runs"]]


def read(user, sdk) -> tuple[dict, dict]:
    """Read all there is to know about a server's runs, by id, and the runs of its sweeps."""
    runs, sweeps = json.loads(user.python(READ, **sdk).stdout.splitlines()[-1])
    return {run[0]: run for run in runs}, sweeps


def test_a_sweep_is_sent_once_and_then_what_is_new(user, elsewhere):
    """Values, names and states are the same there, also of a run that was killed and resumed; nothing is doubled."""
    name = create(user)
    late = {"WANDB_X_TRANSACTION_LOG_FLUSH_INTERVAL": "15"}  # the SDK's own: a killed run's log is short of rows
    user.run("launch", "--workers", "1", "--trainer", "toy:train", "--count", "3", code=1, **late)
    first = sync(user, elsewhere)
    assert outcomes(first) == ["sent"] * 3
    assert "rows that its log lacks were read from the server" in first["said"]
    here, there = read(user, user.sdk()), read(user, elsewhere)
    assert there[0] == here[0]
    assert [run[2] for run in here[0].values()] == ["finished", "finished", "failed"]
    assert [len(run[5]) for run in here[0].values()] == [6, 6, 6]
    assert {name: set(runs) for name, runs in there[1].items()} == {first["sweep"].split("/")[-1]: set(here[0])}

    again = sync(user, elsewhere)
    assert (outcomes(again), again["sweep"]) == (["sent before"] * 3, first["sweep"])
    assert read(user, elsewhere) == there

    run_by_hand(user, name, "late")
    later = sync(user, elsewhere, name)
    assert (outcomes(later), later["sweep"]) == (["sent before"] * 3 + ["sent"], first["sweep"])
    here, there = read(user, user.sdk()), read(user, elsewhere)
    assert there[0] == here[0]
    assert [set(runs) for runs in there[1].values()] == [set(here[0])]
    told = json.loads(user.run("status", "--json", "--backend", "wandb", later["sweep"], **elsewhere).stdout)
    assert (told["prior"], told["prior_best"], told["runs"]) == (4, 2.0, [])


@pytest.mark.chaos
def test_a_sync_that_was_killed_goes_on(user, elsewhere):
    """Killed between two runs or within one, it sends the rest and doubles nothing; a stranger's run is left alone."""
    run_by_hand(user, create(user), "plain", "killed", "raises", "late")
    here, _ = read(user, user.sdk())
    planned = sync(user, elsewhere, "--dry-run")
    assert (outcomes(planned), planned["sweep"]) == (["to be sent"] * 4, "")
    ledger = next(user.home.glob("sweeps/local/toys/*")) / "sync" / "sent.jsonl"

    process = user.start("sync", "--to", elsewhere["WANDB_BASE_URL"], **key(elsewhere))
    user.wait(lambda: ledger.exists() and ledger.read_text().count("begun") == 2, "the second run")
    process.send_signal(signal.SIGKILL)
    process.wait()
    first, second, third, fourth = here
    begun = f"""
    import wandb

    with wandb.init(project="toys", id="{third}") as run:  # as far as a sync that was killed came
        for score in {[row["score"] for row in here[third][5][:3]]}:
            run.log({{"score": float(score)}})
    with wandb.init(project="toys", id="{fourth}"):  # and somebody else's
        pass
    """
    user.python(begun, WANDB_DIR=str(user.folder), **elsewhere)
    with ledger.open("a") as file:
        file.write(
            f'{{"run": "{third}", "begun": true, "to": "{elsewhere["WANDB_BASE_URL"]}/local/toys"}}\n{{"to": "ht'
        )

    result = sync(user, elsewhere, code=1)
    assert outcomes(result) == ["sent before", "sent", "sent", "failed"]
    assert f"a run {fourth} is there already and was not sent from here" in result["said"]
    there, sweeps = read(user, elsewhere)
    assert [there[run] for run in (first, second)] == [here[run] for run in (first, second)]
    assert [row["_step"] for row in there[third][5]] == [row["_step"] for row in here[third][5]]
    assert there[third][5][3:] == here[third][5][3:]
    assert there[third][2:5] == here[third][2:5]
    assert [set(runs) for runs in sweeps.values()] == [{first, second, third}]
    assert outcomes(sync(user, elsewhere, code=1)) == ["sent before"] * 3 + ["failed"]


def test_a_sync_that_cannot_be_is_refused_in_words(user):
    """To the same server, or to where nobody is; and without a key of that server's nothing is asked at all."""
    create(user)
    own, nowhere = user.sdk(), "http://127.0.0.1:1"
    assert "is on" in user.run("sync", "--to", own["WANDB_BASE_URL"], code=1, **key(own)).stderr
    there = {**key(own), "WANDB_BASE_URL": nowhere}
    assert f"nobody answers at {nowhere}" in user.run("sync", "--to", nowhere, code=1, **there).stderr
    assert f"no key for {nowhere}" in user.run("sync", "--to", nowhere, code=1, **key(own)).stderr


def test_a_table_is_written_in_every_format(user):
    """The same runs and histories as the server has, to stdout or into a file that is not written over."""
    run_by_hand(user, create(user), "plain", "killed", "raises", "late")
    runs = list(csv.DictReader(io.StringIO(user.run("export").stdout)))
    assert [run["config.kind"] for run in runs] == ["plain", "killed", "raises", "late"]
    assert {(run["state"], run["best"], run["last"], run["config.extra.sizes"]) for run in runs} == {
        ("finished", "2.0", "2.0", "[1, 2]")
    }
    assert {(run["summary.bad"], run["summary.größe"], run["summary.nested.x"]) for run in runs} == {("NaN", "4", "4")}
    rows = json.loads(user.run("export", "--history", "--format", "json").stdout, parse_constant=pytest.fail)
    assert [(row["run"], row["step"], row["größe"]) for row in rows] == [
        (run["run"], step, step) for run in runs for step in range(5)
    ]
    user.run("export", "--history", "-o", "rows.parquet")
    assert (user.folder / "rows.parquet").read_bytes()[:4] == b"PAR1"
    assert "rows.parquet exists" in user.run("export", "-o", "rows.parquet", code=1).stderr
