"""What the unmodified SDK needs of the embedded server, asked by the SDK itself, without any command of ours."""

from __future__ import annotations

import json

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.fixture
def sdk(user, tmp_path):
    """The variables that point the SDK at a server of this test's own."""
    return {**user.serve(), "WANDB_DIR": str(tmp_path), "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "1"}


def script(user, sdk, code: str) -> dict:
    """Run a script that prints one JSON document last."""
    return json.loads(user.python(code, **sdk).stdout.splitlines()[-1])


TRAIN = """
import json, math, pathlib, torch, wandb

def train():
    with wandb.init() as run:
        torch.manual_seed(0)
        model = torch.nn.Linear(4, 1)
        wandb.watch(model, torch.nn.functional.mse_loss, log="all", log_freq=1)
        optimizer = torch.optim.SGD(model.parameters(), lr=run.config.lr)
        for step in range(1, 6):
            loss = torch.nn.functional.mse_loss(model(torch.ones(8, 4)), torch.zeros(8, 1))
            optimizer.zero_grad(); loss.backward(); optimizer.step()
            wandb.log({"loss": loss.item(), "bad": math.nan, "nested": {"a": step}}, step=step * 8)
        pathlib.Path(run.dir, "model.txt").write_text("weights of " + run.id)
        wandb.save(str(pathlib.Path(run.dir, "model.txt")), base_path=run.dir, policy="now")
        print("hello from", run.id)

sweep = wandb.sweep({
    "method": "grid", "name": "mine", "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.01, 0.1]}, "net": {"parameters": {"depth": {"value": 2}}}},
}, project="p")
wandb.agent(sweep, function=train, project="p")
print(json.dumps(sweep))
"""


@pytest.mark.long
def test_the_stock_agent_runs_a_sweep_and_the_api_reads_it(user, sdk, tmp_path):
    """wandb.sweep, a plain function agent, watch, log, save, finish; then everything wandb.Api() reads of it."""
    sweep = script(user, sdk, TRAIN)
    read = script(
        user,
        sdk,
        f"""
        import json, wandb
        api = wandb.Api()
        sweep = api.sweep("p/{sweep}")
        runs = api.runs("p", filters={{"sweep": "{sweep}"}}, order="-summary_metrics.loss")
        best = sweep.best_run()
        history = [row for row in best.history(pandas=False) if "loss" in row]
        file = best.file("model.txt").download(root={str(tmp_path)!r}, exist_ok=True)
        print(json.dumps({{
            "sweep": [sweep.name, sweep.state, sweep.config["method"], sweep.expected_run_count, len(sweep.runs)],
            "sweeps": [s.id for s in api.project("p").sweeps()],
            "order": [run.config["lr"] for run in runs],
            "filtered": len(api.runs("p", filters={{"config.lr": 0.1, "state": "finished"}})),
            "best": [best.state, best.config["lr"], best.config["net"], best.sweep.id],
            "summary": best.summary["loss"] == history[-1]["loss"],
            "steps": [row["_step"] for row in history],
            "watched": sorted({{key.split("/")[0] for row in history for key in row if key.endswith("weight")}}),
            "nan": str(history[0]["bad"]),
            "nested": history[0]["nested"],
            "keys": [row["loss"] for row in best.history(keys=["loss"], pandas=False)],
            "scan": [row["loss"] for row in best.scan_history(keys=["loss"])],
            "files": sorted(file.name for file in best.files()),
            "content": file.read() == "weights of " + best.id,
            "path": "/".join(best.path),
        }}))
        """,
    )
    assert read["sweep"] == ["mine", "FINISHED", "grid", 2, 2]
    assert read["sweeps"] == [sweep]
    assert read["order"] == [0.01, 0.1]
    assert read["filtered"] == 1
    assert read["best"] == ["finished", 0.1, {"depth": 2}, sweep]
    assert read["summary"]
    assert read["steps"] == [8, 16, 24, 32, 40]
    assert read["watched"] == ["gradients", "parameters"]
    assert read["nan"] == "nan" or read["nan"] == "NaN"
    assert read["nested"] == {"a": 1}
    assert read["keys"] == read["scan"]
    assert len(read["scan"]) == 5
    assert {"model.txt", "config.yaml", "wandb-summary.json", "wandb-metadata.json"} <= set(read["files"])
    assert read["content"]
    assert read["path"].startswith("local/p/")


def test_a_run_without_a_sweep_is_kept(user, sdk):
    """Plain tracking works: init, config, log, summary, tags, finish; a raised error makes it failed."""
    read = script(
        user,
        sdk,
        """
        import json, wandb
        with wandb.init(project="plain", name="first", tags=["a"], config={"x": 1}) as run:
            run.log({"y": 2})
            run.summary["z"] = 3
        try:
            with wandb.init(project="plain", name="second"):
                raise ValueError("no")
        except ValueError:
            pass
        api = wandb.Api()
        runs = {r.name: r for r in api.runs("plain")}
        print(json.dumps({
            "states": {name: r.state for name, r in runs.items()},
            "first": [runs["first"].config, runs["first"].tags, runs["first"].summary["z"], runs["first"].summary["y"]],
        }))
        """,
    )
    assert read["states"] == {"first": "finished", "second": "failed"}
    assert read["first"] == [{"x": 1}, ["a"], 3, 2]


def test_a_wrong_key_is_refused_in_words(user, sdk):
    """The SDK shows the server's own sentence, at once."""
    code = """
    import wandb, json
    try:
        wandb.sweep({"method": "random", "parameters": {"a": {"value": 1}}}, project="p")
    except Exception as error:
        print(json.dumps(str(error)))
    """
    said = script(user, {**sdk, "WANDB_API_KEY": "x" * 40}, code)
    assert "key" in said.lower()


def test_an_invalid_sweep_is_refused_in_words(user, sdk):
    """The server's answer names the parameter and the fix."""
    code = """
    import wandb, json
    try:
        wandb.sweep({"method": "random", "parameters": {"lr": {"vales": [1]}}}, project="p")
    except Exception as error:
        print(json.dumps(str(error)))
    """
    said = script(user, sdk, code)
    assert "parameters.lr.vales" in said
    assert "did you mean `values`?" in said


@pytest.mark.long
def test_the_sweep_page_is_served_to_its_owner(user, sdk):
    """The address the SDK prints shows the sweep and its runs to the key's owner, and to nobody else."""
    sweep = script(user, sdk, TRAIN)
    code = f"""
    import base64, json, urllib.error, urllib.request
    url = "{sdk["WANDB_BASE_URL"]}/local/p/sweeps/{sweep}"
    try:
        urllib.request.urlopen(url)
    except urllib.error.HTTPError as error:
        refused = error.code
    basic = base64.b64encode(b"api:{sdk["WANDB_API_KEY"]}").decode()
    page = urllib.request.urlopen(urllib.request.Request(url, headers={{"Authorization": "Basic " + basic}}))
    print(json.dumps([refused, page.read().decode()]))
    """
    refused, page = script(user, sdk, code)
    assert refused == 401
    assert "mine" in page
    assert "0.01" in page
