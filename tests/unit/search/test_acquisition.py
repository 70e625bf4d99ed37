"""Where to look next: expected improvement, and where it is largest."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import norm

from sweeper.search.acquisition import _log_improvement, log_expected_improvement, maximise
from sweeper.search.encoding import Axes
from sweeper.search.gaussian_process import Kernel, Posterior
from sweeper.space.distributions import Categorical, Uniform


def test_the_log_of_the_improvement_is_exact_and_never_underflows():
    """Against the formula where floats hold it; far below, where they give 0, it still falls."""
    z = np.array([-8.0, -1.5, -1.0, 0.0, 2.0])
    assert _log_improvement(z) == pytest.approx(np.log(norm.pdf(z) + z * norm.cdf(z)), rel=1e-6)
    low, lower = _log_improvement(np.array([-100.0, -200.0]))
    assert -math.inf < lower < low < -4000


def test_most_is_expected_where_the_mean_is_low_or_unknown():
    """More than at a point that is known, and more beside the best than beside the worst."""
    kernel = Kernel(np.array([False]), np.array([0.2]), 1.0, 1e-6)
    posterior = Posterior(kernel, np.array([[0.1], [0.9]]), np.array([-1.0, 1.0]))
    known, beside_best, beside_worst = log_expected_improvement([posterior], np.array([[0.1], [0.2], [0.8]]))
    assert beside_best > beside_worst
    assert beside_best > known


def test_the_search_finds_the_top_and_puts_it_first():
    """Of a smooth hill, to a hundredth."""
    axes = Axes.of({"x": Uniform(0.0, 1.0), "y": Uniform(0.0, 1.0)})
    top = np.array([0.31, 0.72])
    rows = maximise(lambda rows: -((rows - top) ** 2).sum(1), axes, np.array([[0.5, 0.5]]), np.random.default_rng(1))
    assert rows[0] == pytest.approx(top, abs=0.01)


def test_a_row_that_must_not_be_is_not_found():
    """Minus infinity keeps it away while there is another."""
    axes = Axes.of({"x": Categorical(("a", "b", "c"))})
    rows = maximise(
        lambda rows: np.where(rows[:, 0] == 1, -math.inf, rows[:, 0]), axes, np.array([[1.0]]), np.random.default_rng(1)
    )
    assert rows[0, 0] == 2
