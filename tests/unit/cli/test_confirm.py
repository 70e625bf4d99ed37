"""What `sweeper confirm` says and refuses; what it runs, tests/e2e/test_confirm.py has."""

from __future__ import annotations

import json

import pytest

from sweeper.errors import LaunchError, ResultError, TrainerError

pytestmark = pytest.mark.filterwarnings("ignore:Read the `app_url`:DeprecationWarning")  # the SDK warns of itself
TEXT = """
program: my_trainer:train
method: grid
metric: {name: loss}
parameters: {lr: {values: [0.1, 0.2, 0.3]}, seed: {value: 0}}
"""


def test_the_runs_are_registered_and_named(embedded, here):
    """What will run and why stands on stderr; the next command starts it. `status` of both sweeps has the table."""
    ref, _ = embedded.sweep(0, 0, text=TEXT)
    done = here("confirm", ref, "--no-launch", "--seeds", 2)
    assert done.exit_code == 0, done.exception
    assert "its 2 best configurations with 2 other seeds each" in done.stderr
    assert "seed: seed (a parameter of the sweep)" in done.stderr
    assert "--top 3: the sweep has 2 with a value" in done.stderr
    assert "registered 4 runs" in done.stderr
    confirming = done.stdout.split()[-1]
    assert f"next: sweeper launch {confirming}" in done.stdout
    for sweep in (ref, confirming):
        assert "confirmed with other values of seed: 0 of 4 runs" in here("status", sweep).stdout
    told = json.loads(here("status", ref, "--json").stdout)["confirmation"]
    assert (told["sweeps"], told["planned"]) == ([confirming.rpartition("/")[2]], 4)


def test_scripts_get_json_alone(embedded, here, told):
    """The same keys whether runs were registered or not, and in `status` the same of what came of it."""
    ref, _ = embedded.sweep(0, text=TEXT)
    for registered in (2, 0):
        found = told("confirm", ref, "--no-launch", "--top", 1, "--seeds", 2, home=embedded.home)
        assert (found["sweep"], found["registered"], len(found["confirming"])) == (ref.path, registered, 1)
        assert (found["seed_parameter"], found["confirmation"]["planned"]) == ("seed", 2)
        assert json.loads(here("status", ref, "--json").stdout)["confirmation"] == found["confirmation"]


@pytest.mark.parametrize("options", [["--seeds", 1], ["--top", 0], ["--seeds", "many"]])
def test_options_that_mean_nothing_are_a_usage_error(here, options):
    """One seed shows no spread."""
    assert here("confirm", *options).exit_code == 2


def test_what_cannot_be_confirmed_registers_nothing(embedded, here):
    """A sweep without a value, a trainer without the parameter, a machine without the GPU."""
    ref, _ = embedded.sweep(text=TEXT)
    empty = here("confirm", ref, "--no-launch").exception
    assert isinstance(empty, ResultError)
    assert "no run of sweep" in empty.message
    ref, _ = embedded.sweep(0, text=TEXT)
    unknown = here(
        "confirm", ref, "--no-launch", "--trainer", "trainer.train:train", "--seed-parameter", "sed"
    ).exception
    assert isinstance(unknown, TrainerError)
    assert ("has no parameter 'sed'" in unknown.message, "seed" in unknown.hint) == (True, True)
    no_gpu = here("confirm", ref, "--gpus", "77").exception
    assert isinstance(no_gpu, LaunchError)
    assert json.loads(here("status", ref, "--json").stdout)["confirmation"] is None


def test_a_configuration_that_the_trainer_refuses_is_not_registered(embedded, here):
    """It is asked before, as `create` asks it."""
    ref, _ = embedded.sweep(0, text=TEXT)  # `lr` is no parameter of the shipped trainer
    refused = here("confirm", ref, "--no-launch", "--trainer", "trainer.train:train").exception
    assert isinstance(refused, TrainerError)
    assert "lr" in refused.message
    assert json.loads(here("status", ref, "--json").stdout)["confirmation"] is None
