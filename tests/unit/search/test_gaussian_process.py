"""The Gaussian process: what it believes at and between its points."""

from __future__ import annotations

import numpy as np
import pytest

from sweeper.search import gaussian_process
from sweeper.search.gaussian_process import KERNELS, OPEN, Kernel, Posterior, _Evidence

ORDERED = np.array([False])
SMOOTH = Kernel(ORDERED, np.array([0.3]), 1.0, 1e-6)
ROWS = np.array([[0.0], [0.5], [1.0]])
VALUES = np.array([1.0, -1.0, 0.5])


def test_the_mean_goes_through_the_observations_and_is_sure_there():
    """Without noise; away from them it falls back to the prior."""
    posterior = Posterior(SMOOTH, ROWS, VALUES)
    mean, sigma = posterior.mean_and_sigma(ROWS)
    assert mean == pytest.approx(VALUES, abs=1e-3)
    assert sigma.max() < 0.01
    far, unsure = posterior.mean_and_sigma(np.array([[30.0]]))
    assert (far[0], unsure[0]) == pytest.approx((0.0, 1.0), abs=1e-3)


def test_an_unordered_axis_knows_only_same_and_other():
    """Category 2 is no nearer to 1 than to 0."""
    kernel = Kernel(np.array([True]), np.array([1.0]), 1.0, 1e-6)
    [[same, one, two]] = kernel(np.array([[0.0]]), np.array([[0.0], [1.0], [2.0]]))
    assert same == pytest.approx(1.0)
    assert one == two < same


def test_believing_changes_no_mean_but_takes_the_doubt_away():
    """Where a run is under way there is nothing left to learn."""
    before = Posterior(SMOOTH, ROWS, VALUES)
    place = np.array([[0.25]])
    after = before.believing(place)
    assert after.mean(place) == pytest.approx(before.mean(place), abs=1e-3)
    assert after.mean_and_sigma(place)[1] < before.mean_and_sigma(place)[1] / 5


def test_the_gradient_of_the_evidence_is_that_of_its_value():
    """Against differences, for ordered and unordered axes, signal and noise."""
    rng = np.random.default_rng(1)
    rows = np.column_stack([rng.random(8), rng.integers(0, 2, 8)])
    evidence = _Evidence(rows, rng.standard_normal(8), np.array([False, True]))
    vector, step = np.array([0.1, -0.2, 0.3, -0.4]), 1e-5
    _, gradient = evidence(vector)
    sides = [(evidence(vector + d)[0] - evidence(vector - d)[0]) / (2 * step) for d in np.eye(4) * step]
    assert gradient == pytest.approx(sides, rel=1e-3, abs=1e-5)


@pytest.mark.parametrize(("count", "kernels"), [(10, KERNELS), (2 * OPEN, KERNELS // 2), (KERNELS * OPEN + 1, 1)])
def test_many_observations_need_few_kernels(count, kernels):
    """They leave less open, and each kernel costs the cube of their number."""
    rng = np.random.default_rng(1)
    rows = rng.random((count, 1))
    assert len(gaussian_process.fit(rows, np.sin(6 * rows[:, 0]), ORDERED, rng)) == kernels


def test_the_fit_finds_which_axis_matters():
    """The one without effect gets the longer length."""
    rng = np.random.default_rng(1)
    rows = rng.random((30, 2))
    best, *_ = gaussian_process.fit(rows, np.sin(6 * rows[:, 0]), np.array([False, False]), rng)
    assert best.lengths[1] > 3 * best.lengths[0]
