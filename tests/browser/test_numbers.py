"""What the pages of a sweep and of a run say is what `wandb.Api()` says, to the last digit that is shown."""

from __future__ import annotations

import re

SWEEP = """
found = api.sweep("{sweep}")
runs = [{{"state": run.state, "loss": run.summary.get("val/loss"), "config": dict(run.config), "id": run.id,
          "rows": len(run.history(pandas=False, samples=10000))}} for run in found.runs]
print(json.dumps({{"state": found.state, "runs": runs, "best": found.best_run().id}}))
"""
RUN = """
run = api.run("{run}")
summary = {{key: value for key, value in run.summary.items() if isinstance(value, (int, float))}}
print(json.dumps({{"config": run.config, "summary": summary, "rows": run.lastHistoryStep + 1, "tags": run.tags,
    "files": [file.name for file in run.files()],
    "artifacts": [one.name for one in run.logged_artifacts() if one.type != "wandb-history"],
    "lines": [line.content for line in run.console_logs()]}}))
"""
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?(?:e-?\d+)?")


def numbers_in(text: str) -> set[float]:
    """Read the numbers of a text."""
    return {float(found) for found in _NUMBER.findall(text.replace("\N{MINUS SIGN}", "-"))}


def rounded(value: float) -> float:
    """Round as pages do: to four digits that count."""
    return float(f"{value:.4g}")


def test_a_sweeps_numbers_are_those_of_the_api(tab, world):
    """Its state, how many runs ended how, and the best run with its value and parameters."""
    told = world.api(SWEEP.format(sweep=f"{world.entity}/{world.project}/{world.sweep}"))
    tab.goto(world.page("sweeps", world.sweep)).settle()
    assert tab.text("[data-live=state]").lower() == told["state"].lower()
    states = [run["state"] for run in told["runs"]]
    progress = tab.text("[data-live=progress]")
    assert f"{len(states)} of {len(states)} runs" in progress
    assert f"{states.count('failed')} failed" in progress
    assert f"{states.count('killed')} stopped" in progress
    (best,) = [run for run in told["runs"] if run["id"] == told["best"]]
    shown = tab.text(".best-card")
    assert rounded(best["loss"]) == float(tab.text(".best-value").split()[0])
    assert {rounded(best["config"][name]) for name in ("lr", "dropout", "units")} <= numbers_in(shown)
    assert best["config"]["optimizer"] in shown


def test_a_runs_numbers_are_those_of_the_api(tab, world):
    """Config, summary, rows, files, artifacts and what it printed, in its tabs."""
    told = world.api(RUN.format(run=f"{world.entity}/{world.project}/{world.run}"))
    page = world.page("runs", world.run)
    tab.goto(f"{page}?tab=overview").settle()
    assert tab.text("[data-fact=rows]") == str(told["rows"])
    shown = tab.text("[data-tab=overview]")
    assert rounded(told["config"]["learning_rate"]) in numbers_in(shown)
    lacking = {name for name, value in told["summary"].items() if not name.startswith("_") and name not in shown}
    assert lacking == set()
    numbers = numbers_in(shown)
    wrong = {name for name, value in told["summary"].items() if name[0] != "_" and rounded(value) not in numbers}
    assert wrong == set()
    tab.goto(f"{page}?tab=files").settle()
    assert "model.onnx" in tab.text("[data-tab=files]")
    assert "read me.txt" in tab.text("[data-tab=files]") or "notes" in tab.text("[data-tab=files]")
    tab.goto(f"{page}?tab=artifacts").settle()
    assert {name for name in told["artifacts"] if name not in tab.text("[data-tab=artifacts]")} == set()
    tab.goto(f"{page}?tab=logs").settle()
    log = tab.text("[data-tab=logs]")
    plain = [re.sub(r"\x1b\[[0-9;]*m", "", line).strip() for line in told["lines"]]
    assert [line for line in plain if line and line not in log] == []
