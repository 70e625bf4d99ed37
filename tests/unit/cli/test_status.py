"""`sweeper status` of a real sweep."""

from __future__ import annotations

import json

from sweeper.errors import BackendError, SweepNotFoundError


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
    assert (told["state"], told["done"]) == ("FINISHED", 4)


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
