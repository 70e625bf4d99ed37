"""`sweeper status` of a real sweep."""

from __future__ import annotations

import json

from sweeper.cli.status import _print_json
from sweeper.errors import BackendError, SweepNotFoundError
from sweeper.results.status import JSON_KEYS, RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState


def test_a_script_reads_what_a_person_sees(here, embedded):
    """The counts and the best run, as JSON alone on stdout and as words."""
    ref, runs = embedded.sweep(0, 1, None)
    told = json.loads(here("status", ref, "--json").stdout)
    assert (told["done"], told["total"], told["counts"]) == (2, 4, {"finished": 1, "failed": 1, "running": 1})
    assert (told["best"]["id"], told["best"]["best"]) == (runs[0], 0.1)
    shown = here("status", ref)
    assert shown.exit_code == 0, shown.exception
    assert "runs 2/4" in " ".join(shown.stdout.split())
    assert shown.stderr == f"server: {embedded.url} (embedded server)\n"


def test_importance_is_weighed_when_it_is_asked_for(here, embedded):
    """It may take seconds, so it is left out otherwise."""
    ref, _ = embedded.sweep(0)
    assert json.loads(here("status", ref, "--json").stdout)["importance"] is None
    assert json.loads(here("status", ref, "--json", "--importance").stdout)["importance"] is not None


def test_watching_ends_with_the_sweep(here, embedded):
    """A sweep that has ended is printed once."""
    ref, _ = embedded.sweep(0, 0, 0, 0)
    embedded.wire.beat(embedded.wire.agent(ref.sweep_id))  # who asks for a run after the last one ends the sweep
    told = json.loads(here("status", ref, "--json", "--watch").stdout)
    assert (told["state"], told["done"]) == ("finished", 4)


def test_a_sweep_that_is_not_there_is_no_fault_of_sweeper(here):
    """The error names it."""
    error = here("status", "local/p/nowhere").exception
    assert isinstance(error, SweepNotFoundError)
    assert "local/p/nowhere" in error.message


def test_wandb_without_credentials_is_refused_before_a_server_is_started(sweeper, home):
    """`--backend wandb` never means the embedded server."""
    error = sweeper("status", "--backend", "wandb").exception
    assert isinstance(error, BackendError)
    assert "no W&B credentials" in error.message
    assert not (home / "server").exists()


def test_of_many_runs_json_has_each_on_its_line(capsys):
    """All of them, with all keys: one JSON object, as of few runs."""
    run = RunStatus(
        id="r", name="\x1b[31mred", state=RunState.FINISHED, params={"lr": 0.1}, best=1.0, last=2.0, duration_s=3.0,
        slot="", reason="", log="",
    )  # fmt: skip
    facts = SweepFacts(
        sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="grid", metric="loss", goal="minimize"
    )
    many = SweepStatus(
        facts=facts, progress=RunCounts(done=60, total=60, counts={"finished": 60}, elapsed_s=1.0), runs=(run,) * 60
    )
    _print_json(many)
    printed = capsys.readouterr().out
    assert json.loads(printed) == json.loads(json.dumps(many.to_json()))
    assert set(json.loads(printed)) == set(JSON_KEYS)
    assert "\x1b" not in printed
    assert sum(line.startswith('{"id"') for line in printed.splitlines()) == 60
