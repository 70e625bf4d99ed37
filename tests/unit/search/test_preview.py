"""What a search would do first, before any run has reported."""

from __future__ import annotations

from pathlib import Path

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.search import suggest
from sweeper.search.preview import first_rungs, first_suggestions, seed_of, shown

GOOD = (Path(__file__).parents[2] / "data" / "good.yaml").read_text()


def test_the_samples_are_what_the_server_will_suggest():
    """With a seed in the file, the five samples are the sweep's first five runs."""
    definition = SweepDefinition.from_yaml(GOOD)
    samples = first_suggestions(definition)
    assert len(samples) == 5
    first = suggest(definition, [], seed=definition.seed)
    assert samples[0] == first.params
    assert all(definition.space.contains(sample) for sample in samples)


def test_the_seed_that_is_asked_for_comes_before_the_files():
    """Nought is a seed, too; without any it is nought."""
    seeded = SweepDefinition.from_yaml("method: random\nparameters: {a: {min: 0.0, max: 1.0}}\nsweeper: {seed: 7}")
    bare = SweepDefinition.from_yaml("method: random\nparameters: {a: {min: 0.0, max: 1.0}}")
    assert (seed_of(seeded), seed_of(seeded, 3), seed_of(seeded, 0), seed_of(bare), seed_of(bare, 5)) == (7, 3, 0, 0, 5)
    assert first_suggestions(seeded, 1, seed=0) == first_suggestions(bare, 1) != first_suggestions(seeded, 1)
    assert len(first_suggestions(seeded, 3)) == 3


def test_what_is_the_same_in_all_is_not_shown():
    """Unless there is nothing else."""
    mixed = SweepDefinition.from_yaml("method: random\nparameters: {a: {values: [1, 2]}, b: {value: 3}}")
    assert shown(mixed, {"a": 1, "b": 3}) == {"a": 1}
    fixed = SweepDefinition.from_yaml("method: random\nparameters: {b: {value: 3}}")
    assert shown(fixed, {"b": 3}) == {"b": 3}


def test_a_small_grid_has_fewer_samples_than_five():
    """A sweep of two runs shows two."""
    definition = SweepDefinition.from_yaml("method: grid\nparameters: {a: {values: [1, 2]}}")
    assert [sample["a"] for sample in first_suggestions(definition)] == [1, 2]


def test_the_rungs_are_shown():
    """Early termination says where it will look."""
    assert first_rungs(SweepDefinition.from_yaml(GOOD)) == (2, 6, 18, 54, 162)


def test_a_rule_without_rungs_and_a_sweep_without_a_rule_show_none():
    """The median judges at every value."""
    text = GOOD.replace("early_terminate: {type: hyperband, min_iter: 2, eta: 3, strict: true}\n", "")
    assert first_rungs(SweepDefinition.from_yaml(text)) == ()
    assert first_rungs(SweepDefinition.from_yaml(f"{text}  early_terminate: {{type: median}}\n")) == ()


def test_a_search_of_the_users_own_is_not_asked():
    """Only its scheduler knows what comes first."""
    text = "method: custom\nscheduler: {engine: ax}\nparameters: {a: {values: [1, 2]}}"
    assert first_suggestions(SweepDefinition.from_yaml(text)) == ()
