"""The page of a sweep as it comes: what it says before any script runs, and the places that scripts fill."""

from __future__ import annotations

import json

from sweeper.run import RunState
from sweeper.server.pages import sweep_view
from sweeper.server.pages.assets import has
from sweeper.server.store import runs, sweeps

SWEEP = {
    "method": "grid",
    "name": "first <b>sweep</b>",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}},
}


def test_a_sweeps_page_says_where_nobody_works_on_it(client):
    """With the command that does; a run at work says enough."""
    sweep = client.sweep(SWEEP)
    assert f"sweeper launch local/p/{sweep}" in client.http.get(f"/local/p/sweeps/{sweep}").text
    (command,) = client.beat(client.agent(sweep))
    client.init(command["run_id"])
    assert "sweeper launch" not in client.http.get(f"/local/p/sweeps/{sweep}").text


def test_the_page_of_several_metrics_gives_each_runs_values(client):
    """Every run's row has its value of every metric, as far as it has one, and lists name all metrics."""
    metrics = [{"name": "loss", "goal": "minimize"}, {"name": "speed", "goal": "maximize"}]
    sweep = client.sweep({"method": "bayes", "metrics": metrics, "parameters": {"lr": {"min": 0.0, "max": 1.0}}})
    for row in ({"loss": 0.25, "speed": 7.5}, None):
        (command,) = client.beat(client.agent(sweep))
        client.init(command["run_id"])
        if row:
            summary = {"wandb-summary.json": {"offset": 0, "content": [json.dumps(row)]}}
            client.stream(command["run_id"], files=summary, complete=True, exitcode=0)
    runs = client.http.get(f"/local/p/sweeps/{sweep}").text.partition("<h2>Runs</h2>")[2]
    assert '<th class="number">loss</th><th class="number">speed</th>' in runs
    assert '<td class="number">0.25</td><td class="number">7.5</td>' in runs
    assert '<td class="number"></td><td class="number"></td>' in runs
    assert "minimize loss, maximize speed" in client.http.get("/local/p").text


def test_the_page_tells_of_a_metric_that_nobody_logs_and_stars_no_run_that_failed(client):
    """What was logged instead, and each such run's reason, on its own page too; the first value ends the warning."""
    sweep = client.sweep({**SWEEP, "parameters": {"lr": {"values": [1, 2, 3]}}})
    path = f"/local/p/sweeps/{sweep}"
    names = []
    for row, code in (({"los": 1.0}, 0), ({"loss": 0.1}, 1), ({"loss": 0.5}, 0)):
        (command,) = client.beat(client.agent(sweep))
        names.append(name := command["run_id"])
        client.init(name)
        client.log(name, {"_step": 0, **row})
        client.stream(name, complete=True, exitcode=code)
        if len(names) == 1:
            told = f"run {name} never logged `loss`; it logged `los`: did you mean `los`?"
            assert told in client.http.get(path).text
            for page in (path, f"/local/p/runs/{name}"):
                assert "finished without a value of `loss`" in client.http.get(page).text
    page = client.http.get(path).text
    assert "never logged" not in page
    best = page.partition("<h2>Best so far</h2>")[2].partition("</section>")[0]
    assert '<p class="best-value">0.5</p>' in best
    assert f'<a href="/local/p/runs/{names[2]}">' in best
    assert page.count('<tr class="best">') == 1


def test_the_page_of_a_large_sweep_has_the_latest_runs_in_it(client):
    """A script puts all of them there; whoever runs none reads how many there are and what lists them."""
    sweep = client.sweep({"method": "random", "parameters": {"rate": {"min": 0.0, "max": 1.0}}})
    with client.http.app.state.store.write() as db:
        found = sweeps.find(db, sweep)
        for number in range(sweep_view.LATEST_RUNS + 3):
            about = {"display_name": f"made-{number}-th", "sweep_id": found.id}
            runs.create(db, found.project_id, f"r{number}", state=RunState.FINISHED, now=1.0, **about)
    page = client.http.get(f"/local/p/sweeps/{sweep}").text
    assert "made-2-th" not in page
    assert page.index("made-22-th") < page.index("made-3-th")
    assert "The latest 20 of 23." in page
    assert f"sweeper status local/p/{sweep}" in page


def test_places_for_scripts_are_there_and_named_for_those_who_hear_the_page(client):
    """A band for each module that is there; a tab names its panel, and a panel its tab."""
    sweep = client.sweep(SWEEP)
    page = client.http.get(f"/local/p/sweeps/{sweep}").text
    assert f'data-page="sweep" data-entity="local" data-project="p" data-sweep="{sweep}"' in page
    for band in ("overview", "filter", "parallel"):
        assert f'data-band="{band}"' in page
        assert has(f"sweep/{band}.js")
    for name, _ in sweep_view.TABS:
        assert page.count(f'aria-controls="panel-{name}"') == page.count(f'id="panel-{name}"')
