"""A sweep with several metrics on the server: what is searched, and what its page shows."""

from __future__ import annotations

import json

TWO = {
    "method": "custom",
    "metrics": [{"name": "loss"}, {"name": "val.acc", "goal": "maximize"}],
    "parameters": {"x": {"min": 0.0, "max": 1.0}},
}


def finish(client, agent: str, *rows: dict, summary: dict | None = None, exit_code: int = 0) -> str:
    """Let an agent do a run that logs some rows; give its name."""
    (command,) = client.beat(agent)
    run = command["run_id"]
    client.init(run, config="{}")
    client.log(run, *rows)
    text = json.dumps(rows[-1] if summary is None else summary)
    files = {"wandb-summary.json": {"offset": 0, "content": [text]}}
    client.stream(run, files=files, complete=True, exitcode=exit_code)
    return run


def page(client, sweep: str) -> str:
    answer = client.http.get(f"/local/p/sweeps/{sweep}")
    assert answer.status_code == 200
    return answer.text


def test_runs_come_from_the_servers_own_search(client):
    """`method: custom` with `metrics:` and no scheduler is searched here; the run says what proposed it."""
    agent = client.agent(sweep := client.sweep(TWO))
    run = ""
    for n in range(6):
        run = finish(client, agent, {"_step": 0, "loss": n, "val": {"acc": n / 10}})
    told = json.loads(client.run(run, "summaryMetrics")["summaryMetrics"])["_sweeper"]["suggestion"]
    assert (told["engine"], told["runs"]) == ("ehvi/1", 5)
    assert "no other beats" in page(client, sweep)


def test_the_page_shows_the_front(client):
    """Beaten runs are not on it, nor are failed ones and those that lack a finite value at their end."""
    agent = client.agent(sweep := client.sweep(TWO))
    good = finish(client, agent, {"_step": 0, "loss": 9, "val.acc": 0.9}, {"_step": 1, "loss": 1, "val.acc": 0.5})
    beaten = finish(client, agent, {"_step": 0, "loss": 0, "val.acc": 0.9}, {"_step": 1, "loss": 2, "val.acc": 0.4})
    failed = finish(client, agent, {"_step": 0, "loss": 0, "val.acc": 1.0}, exit_code=1)
    lacking = finish(client, agent, {"_step": 0, "loss": 0}, summary={"loss": 0})
    bad = finish(client, agent, {"_step": 0, "loss": 0}, summary={"loss": 0, "val.acc": "NaN"})
    front = page(client, sweep).split("<h2>Runs that no other beats</h2>")[1].split("</section>")[0]
    assert [run for run in (good, beaten, failed, lacking, bad) if run in front] == [good]


def test_a_summary_that_the_trainer_chose_counts(client):
    """`run.define_metric(..., summary="max")` writes the best value, and then that is the run's."""
    agent = client.agent(sweep := client.sweep(TWO))
    run = finish(client, agent, {"_step": 0, "loss": 1}, summary={"loss": 1, "val.acc": {"max": 0.75}})
    assert run in page(client, sweep).split("<h2>Runs that no other beats</h2>")[1].split("</section>")[0]
    assert "0.75" in page(client, sweep)
