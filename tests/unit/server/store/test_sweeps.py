"""Sweeps and their agents as rows."""

from __future__ import annotations

import pytest
import yaml

from sweeper.errors import DefinitionError
from sweeper.run import SweepState
from sweeper.server.store import projects, sweeps
from tests.unit.server.store.conftest import DEFINITION


def test_a_sweep_begins_pending_with_what_its_file_says(db, make_sweep):
    """Name and description come from the file; the id is drawn, and finds it anywhere or in its project alone."""
    sweep = make_sweep(name="mine", description="why")
    assert (sweep.state, sweep.display_name, sweep.description, sweep.exhausted) == ("PENDING", "mine", "why", False)
    assert sweeps.get(db, sweep.id) == sweep
    assert sweeps.find(db, sweep.name) == sweep
    assert sweeps.find(db, sweep.name, sweep.project_id) == sweep
    assert sweeps.find(db, sweep.name, projects.ensure(db, "local", "q", now=0).id) is None


def test_a_text_that_is_no_definition_is_not_stored(db, project):
    """Nothing is left of it."""
    with pytest.raises(DefinitionError):
        sweeps.create(db, project.id, "method: gird", user_id=1, seed=0, display_name=None, now=0)
    assert sweeps.of_project(db, project.id) == []


def test_the_files_own_seed_wins(make_sweep):
    """A file that names a seed gives the same suggestions on every server."""
    assert make_sweep().search_seed == 7
    assert make_sweep(sweeper={"seed": 5}).search_seed == 5


def test_a_sweep_that_runs_again_may_propose_again(db, make_sweep):
    """Resuming clears the note that the search has nothing left; no other state does."""
    sweep = make_sweep()
    sweeps.set_exhausted(db, sweep.id)
    for state, exhausted in ((SweepState.PAUSED, True), (SweepState.RUNNING, False)):
        sweeps.set_state(db, sweep.id, state, now=9)
        found = sweeps.get(db, sweep.id)
        assert (found.state, found.exhausted, found.updated_at) == (state, exhausted, 9)
    assert [running.id for running in sweeps.running(db)] == [sweep.id]


def test_another_definition_forgets_what_was_computed_ahead(db, make_sweep):
    """Suggestions of the old space are none of the new one."""
    sweep = make_sweep()
    db.execute("INSERT INTO suggestions VALUES (?, 1, '{}', x'00', 'random', 1, 0)", (sweep.id,))
    text = yaml.safe_dump({**DEFINITION, "name": "new", "method": "grid", "parameters": {"x": {"values": [1]}}})
    sweeps.replace_definition(db, sweep, text, now=3)
    found = sweeps.get(db, sweep.id)
    assert (found.definition.method, found.display_name, found.updated_at) == ("grid", "new", 3)
    assert db.execute("SELECT count(*) FROM suggestions").fetchone()[0] == 0


def test_what_a_person_calls_a_sweep_stays(db, make_sweep):
    """Another definition brings its own name only where nobody has given one; an empty name takes it away."""
    sweep = make_sweep()
    sweeps.describe(db, sweep.id, "mine", None, now=2)
    text = yaml.safe_dump({**DEFINITION, "name": "new", "description": "of the file"})
    sweeps.replace_definition(db, sweeps.get(db, sweep.id), text, now=3)
    found = sweeps.get(db, sweep.id)
    assert (found.display_name, found.description, found.updated_at) == ("mine", "of the file", 3)
    sweeps.describe(db, sweep.id, "", "by hand", now=4)
    found = sweeps.get(db, sweep.id)
    assert (found.display_name, found.description, found.updated_at) == (None, "by hand", 4)


def test_a_run_is_seen_by_its_own_sweep_and_those_it_is_attached_to(db, make_sweep, make_run):
    """These are the sweeps that learn from what it logs."""
    own, other, _ = make_sweep(), make_sweep(), make_sweep()
    run, loose = make_run("r", sweep_id=own.id), make_run("s")
    db.execute("INSERT INTO prior_runs VALUES (?, ?)", (other.id, run.id))
    assert {sweep.id for sweep in sweeps.seeing(db, run.id)} == {own.id, other.id}
    assert sweeps.seeing(db, loose.id) == []


def test_the_first_sign_of_life_tells_whether_an_agent_is_eager(db, make_sweep):
    """A shell's `wandb agent` waits 5 s before it asks; later heartbeats say nothing of that."""
    sweep = make_sweep()
    agent = sweeps.add_agent(db, sweep.id, "host", now=0)
    assert agent.eager is None
    sweeps.touch(db, agent, sweep, eager=True, now=5)
    sweeps.touch(db, agent, sweeps.get(db, sweep.id), eager=False, now=10)
    found = sweeps.find_agent(db, agent.name)
    assert (found.eager, found.heartbeat_at, sweeps.get(db, sweep.id).heartbeat_at) == (1, 10, 10)
    assert [known.id for known in sweeps.agents_of(db, sweep.id)] == [agent.id]
    assert sweeps.find_agent(db, "nobody") is None


def test_a_definition_is_parsed_once(make_sweep):
    """Every heartbeat asks for it."""
    sweep = make_sweep()
    assert sweep.definition is sweep.definition


@pytest.mark.parametrize(
    "more",
    [
        {"command": ["python", "x.py", "hydra.run.dir=out/${now:%H-%M-%S}", "a.lr=${lr}", "${args_no_hyphens}"]},
        {"command": [], "program": "x.py"},
        {"parameters": {"lr": {"values": ["1e-5", "1e-4"]}, "b": {"value": None}}},
        {"program": "gone.py"},
    ],
)
def test_what_wandb_sweep_may_send_is_stored(make_sweep, more):
    """The SDK has written the file anew, and nobody here looks for the trainer."""
    sweep = make_sweep(**more)
    assert sweep.definition.to_dict().items() >= more.items()


def test_the_sdk_is_told_what_was_probably_not_meant():
    """As W&B's warnings about a file, which `wandb sweep` prints."""
    text = yaml.safe_dump({**DEFINITION, "parameters": {"lr": {"values": ["1e-5", 0.1]}}})
    [warning] = sweeps.warnings(text)
    assert "YAML reads 1e-5 as text, not as a number: write 1.0e-5" in warning


@pytest.mark.parametrize(
    ("more", "seeks"),
    [
        ({}, False),
        ({"metric": {"name": "loss", "target": 0.1}}, True),
        ({"early_terminate": {"type": "hyperband", "min_iter": 3}}, True),
        ({"metric": None}, False),
    ],
)
def test_values_are_looked_up_over_all_runs_for_a_target_and_for_early_termination(make_sweep, more, seeks):
    """Others need no index of them."""
    assert make_sweep(**more).seeks_values is seeks


def test_the_sweeps_that_confirm_one_are_found_by_what_their_files_say(db, make_sweep):
    """Those of its project, the oldest first; a description that a person changes makes no difference."""
    sweep, other = make_sweep(), make_sweep()
    assert sweeps.confirming(db, sweep) == []
    first, second = (make_sweep(description=f"confirms {sweep.name} with other values of seed") for _ in range(2))
    make_sweep(description=f"confirms {sweep.name} and much more")
    make_sweep(name=f"confirms {sweep.name} with other values of seed")
    sweeps.describe(db, first.id, None, "mine", now=1)
    assert [found.name for found in sweeps.confirming(db, sweep)] == [first.name, second.name]
    assert sweeps.confirming(db, other) == []


@pytest.mark.parametrize(("later_s", "beats"), [(0.5, False), (0.999, False), (1.0, True), (-0.5, False), (-1.0, True)])
def test_a_sweep_beats_once_a_second_whatever_the_clock(db, make_sweep, later_s, beats):
    """A thousand agents tell no more than one; a clock that is set back keeps no sweep silent."""
    sweep = make_sweep()
    agent = sweeps.add_agent(db, sweep.id, "h", now=1000)
    sweeps.touch(db, agent, sweep, eager=False, now=1000)
    sweeps.touch(db, agent, sweeps.get(db, sweep.id), eager=False, now=1000 + later_s)
    assert sweeps.get(db, sweep.id).heartbeat_at == (1000 + later_s if beats else 1000)
    assert sweeps.find_agent(db, agent.name).heartbeat_at == 1000 + later_s


def test_a_file_is_summed_up_once(make_sweep, monkeypatch):
    """What a list shows of ten thousand sweeps that are over is remembered; another text is another file."""
    text = make_sweep(run_cap=7, description="summed up once").definition_text
    found = sweeps.gist(text)
    assert (found.outline.method, found.outline.run_cap, found.expected) == ("random", 7, 7)
    monkeypatch.setattr(sweeps, "parse_definition", None)
    assert sweeps.gist(text) is found
    with pytest.raises(TypeError):
        sweeps.gist(text + "\n# another")
