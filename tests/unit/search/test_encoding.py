"""The space as coordinates."""

from __future__ import annotations

import numpy as np
import pytest

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.search.encoding import Axes

TEXT = """
method: bayes
metric: {name: m}
parameters:
  size: {values: [64, 16, 32]}
  flag: {values: [true, false]}
  mixed: {values: [0, "", 1]}
  lr: {distribution: log_uniform_values, min: 0.001, max: 10.0}
  steps: {distribution: q_log_uniform_values, min: 10, max: 1000, q: 10}
"""
DISTRIBUTIONS = SweepDefinition.from_yaml(TEXT).space.searched


def test_numbers_are_ordered_by_size_and_others_not_at_all():
    """A list of numbers is a scale however it is written; booleans, text and mixtures are not."""
    axes = Axes.of(DISTRIBUTIONS)
    assert [name for name, axis in axes.by_name.items() if axis.ordered] == ["size", "lr", "steps"]
    assert [axes.by_name["size"].encode(value) for value in (16, 32, 64)] == [0.0, 0.5, 1.0]


def test_a_distribution_bends_its_axis():
    """Logarithmic distributions give each decade the same room, on a grid too."""
    axes = Axes.of(DISTRIBUTIONS)
    assert axes.by_name["lr"].encode(0.1) == pytest.approx(0.5)
    assert axes.by_name["steps"].encode(100) == pytest.approx(0.5, abs=0.05)


def test_a_false_value_is_a_value():
    """W&B's engine takes 0, false and the empty text for missing; here each has its own coordinate."""
    axes = Axes.of(DISTRIBUTIONS)
    assert axes.by_name["flag"].encode(False) != axes.by_name["flag"].encode(True)
    assert len({axes.by_name["mixed"].encode(value) for value in (0, "", 1)}) == 3
    assert np.isnan(axes.by_name["mixed"].encode(False))


@pytest.mark.parametrize("seed", range(3))
def test_what_is_decoded_is_encoded_again(seed):
    """A row stands for parameters, and they for the row."""
    axes = Axes.of(DISTRIBUTIONS)
    rows = axes.move(axes.draw(np.random.default_rng(seed), 50), np.random.default_rng(seed), 0.3)
    assert axes.encode([axes.decode(row) for row in rows]) == pytest.approx(rows)


def test_a_step_leads_to_another_value():
    """A neighbour on a listed axis is never the value itself."""
    axis = Axes.of(DISTRIBUTIONS).by_name["size"]
    rng = np.random.default_rng(0)
    start = axis.draw(rng, 200)
    assert (axis.move(start, 0.01 * rng.standard_normal(200), rng) != start).all()


def test_parameters_whose_condition_fails_do_not_tell_rows_apart():
    """An inactive parameter has one coordinate, also where what it depends on is inactive itself."""
    conditions = {"size": {"flag": [True]}, "lr": {"size": [32]}}
    axes = Axes.of(DISTRIBUTIONS, conditions)
    rows = axes.draw(np.random.default_rng(0), 500)
    active = [axes.decode(row)["flag"] for row in rows]
    size, flag, lr = (list(DISTRIBUTIONS).index(name) for name in ("size", "flag", "lr"))
    assert {row[size] for row, on in zip(rows, active, strict=True) if not on} == {0.5}
    assert {row[lr] for row, on in zip(rows, active, strict=True) if not on} == {0.5}
    assert len({row[lr] for row in rows if row[flag] == 0.0 and row[size] == 0.5}) > 10
    assert axes.encode([{"flag": False, "mixed": 1, "steps": 10}])[0, [size, lr]].tolist() == [0.5, 0.5]
