"""An exact Gaussian process for a few hundred points: Matern 5/2 with a length scale per axis.

Ordered axes enter the distance by their difference, unordered ones by whether they differ. A few observations leave the
length scales open, so `fit` gives several kernels that explain them: the most probable one and draws around it.
See Rasmussen & Williams, Gaussian Processes for Machine Learning (2006), chapters 2 and 5.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.linalg.lapack import dpotri
from scipy.optimize import OptimizeResult, minimize
from scipy.spatial.distance import cdist

Array = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

LENGTH, SIGNAL, NOISE = 0.5, 1.0, 1e-3
"""Medians of the log-normal priors of a length scale (times the root of the dimension, Hvarfner et al., arXiv
2402.02229) and of the variances of the function and of its noise."""
LENGTH_SIGMA, SIGNAL_SIGMA, NOISE_SIGMA = 1.0, 1.0, 2.0
LENGTH_LIMITS, SIGNAL_LIMITS, NOISE_LIMITS = (0.03, 100.0), (0.05, 20.0), (1e-6, 1.0)
JITTER = 1e-6
"""Added to the noise: keeps the covariance of coinciding points positive definite."""
KERNELS = 4
"""How many kernels explain up to `OPEN` observations; more observations leave less open, and need fewer."""
OPEN = 60
STEPS = 40


@dataclass(frozen=True)
class Kernel:
    """What the process believes about smoothness.

    Attributes:
        unordered: Which axes are unordered.
        lengths: A length scale per axis.
        signal: The variance of the function.
        noise: The variance of an observation around it.
    """

    unordered: Mask
    lengths: Array
    signal: float
    noise: float

    def __call__(self, left: Array, right: Array) -> Array:
        """Give the covariance of the function between two sets of rows."""
        ordered = ~self.unordered
        squares = np.zeros((len(left), len(right)))
        if ordered.any():
            lengths = self.lengths[ordered]
            squares = cdist(left[:, ordered] / lengths, right[:, ordered] / lengths, "sqeuclidean")
        for axis in np.flatnonzero(self.unordered):
            squares += (left[:, axis, None] != right[:, axis]) / self.lengths[axis] ** 2
        r = np.sqrt(5 * squares)
        return np.asarray(self.signal * (1 + r + r * r / 3) * np.exp(-r))


class _Evidence:
    """How improbable a kernel is, given observations.

    A kernel is a vector here: the logarithms of lengths, signal and noise, each minus the median of its prior and over
    the prior's sigma. So the prior is standard normal, and what the observations say nothing about stays so.
    """

    def __init__(self, rows: Array, values: Array, unordered: Mask) -> None:
        self.values, self.unordered = values, unordered
        differ = (rows.T[:, :, None] != rows.T[:, None, :]).astype(float)
        squares = (rows.T[:, :, None] - rows.T[:, None, :]) ** 2
        self.squares = np.where(unordered[:, None, None], differ, squares).reshape(len(unordered), -1)
        axes = len(unordered)
        self.median = np.log([*[LENGTH * math.sqrt(axes)] * axes, SIGNAL, NOISE])
        self.sigma = np.array([*[LENGTH_SIGMA] * axes, SIGNAL_SIGMA, NOISE_SIGMA])
        limits = np.log([*[LENGTH_LIMITS] * axes, SIGNAL_LIMITS, NOISE_LIMITS])
        self.low, self.high = ((limits - self.median[:, None]) / self.sigma[:, None]).T

    def kernel(self, vector: Array) -> Kernel:
        """Read a vector."""
        *lengths, signal, noise = np.exp(self.median + self.sigma * vector)
        return Kernel(self.unordered, np.array(lengths), float(signal), float(noise))

    def __call__(self, vector: Array) -> tuple[float, Array]:
        """Give minus the log posterior of a vector, and the gradient."""
        kernel, size = self.kernel(vector), len(self.values)
        weights = kernel.lengths**-2
        r = np.sqrt(5 * (weights @ self.squares))
        decay = np.exp(-r)
        matern = (1 + r + r * r / 3) * decay
        covariance = (kernel.signal * matern).reshape(size, size)
        covariance[np.diag_indices(size)] += kernel.noise + JITTER
        factor = cho_factor(covariance, lower=True, check_finite=False)
        solved = cho_solve(factor, self.values, check_finite=False)
        # the gradient by hand: by differences, each axis would cost another factorization
        inner = (_inverse(factor[0]) - np.outer(solved, solved)).ravel() / 2
        by_length = (5 / 3) * kernel.signal * weights * (self.squares @ (inner * decay * (1 + r)))
        gradient = [*by_length, kernel.signal * (inner @ matern), kernel.noise * inner[:: size + 1].sum()]
        loss = self.values @ solved / 2 + np.log(np.diag(factor[0])).sum() + vector @ vector / 2
        return float(loss), self.sigma * gradient + vector

    def minimum(self, start: Array) -> OptimizeResult:
        """Descend from a vector."""
        limits = list(zip(self.low, self.high, strict=True))
        return minimize(self, start, jac=True, method="L-BFGS-B", bounds=limits, options={"maxiter": STEPS})


def _inverse(lower: Array) -> Array:
    """Invert a matrix given its Cholesky factor; LAPACK fills the lower half, in a third of the time of solving."""
    half = np.tril(dpotri(lower, lower=True)[0])
    return np.asarray(half + np.tril(half, -1).T)


def fit(rows: Array, values: Array, unordered: Mask, rng: np.random.Generator) -> list[Kernel]:
    """Find kernels that explain observations, the most probable one first.

    Args:
        rows: One point a row.
        values: The observations, about standard normal.
        unordered: Which axes are unordered.
        rng: Draws the kernels after the first.
    """
    evidence = _Evidence(rows, values, unordered)
    rough = np.array([*[-1.0] * len(unordered), 0.0, -1.5])  # short lengths, no noise: often another valley
    # from two starts, since the evidence often has two valleys: smooth with noise, and rough without
    found = [evidence.minimum(start) for start in (np.zeros(len(rough)), rough)]
    best = min(found, key=lambda result: float(result.fun))
    return [evidence.kernel(vector) for vector in [best.x, *_others(evidence, best, rng)]]


def _others(evidence: _Evidence, best: OptimizeResult, rng: np.random.Generator) -> Array:
    """Draw vectors by Laplace's approximation at the best one, the more probable ones rather."""
    count = min(KERNELS, KERNELS * OPEN // len(evidence.values)) - 1
    if count < 1:
        return np.empty((0, len(best.x)))
    # the curvature that L-BFGS-B leaves behind is rough; the weights below make up for it
    scale, turn = np.linalg.eigh(best.hess_inv.todense())
    steps = rng.standard_normal((3 * KERNELS, len(scale)))
    vectors = best.x + (steps * np.sqrt(np.clip(scale, 1e-4, 1.0))) @ turn.T
    vectors = np.clip(vectors, evidence.low, evidence.high)
    losses = np.array([evidence(vector)[0] for vector in vectors])
    surprise = losses - (steps**2).sum(1) / 2
    weights = np.exp((surprise.min() - surprise) / 2)
    return np.asarray(vectors[rng.choice(len(vectors), count, p=weights / weights.sum())])


@dataclass(frozen=True)
class Posterior:
    """The process given observations.

    Attributes:
        kernel: The prior.
        rows: The points.
        values: The observations.
    """

    kernel: Kernel
    rows: Array
    values: Array

    @cached_property
    def _factor(self) -> Array:
        covariance = self.kernel(self.rows, self.rows)
        covariance[np.diag_indices(len(covariance))] += self.kernel.noise + JITTER
        return np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)

    @cached_property
    def _solved(self) -> Array:
        return np.asarray(cho_solve((self._factor, True), self.values, check_finite=False))

    @cached_property
    def least(self) -> float:
        """The least mean at the points."""
        return float(self.mean(self.rows).min())

    def mean(self, rows: Array) -> Array:
        """Give the function's mean at rows."""
        return np.asarray(self.kernel(rows, self.rows) @ self._solved)

    def mean_and_sigma(self, rows: Array) -> tuple[Array, Array]:
        """Give the function's mean and standard deviation at rows."""
        cross = self.kernel(rows, self.rows)
        known = solve_triangular(self._factor, cross.T, lower=True, check_finite=False)
        variance = self.kernel.signal - (known**2).sum(0)
        return cross @ self._solved, np.sqrt(np.maximum(variance, 1e-12))

    def believing(self, rows: Array) -> Posterior:
        """Take the means at rows for observations: nothing is learned there, but nothing is left to learn either."""
        values = np.concatenate([self.values, self.mean(rows)])
        return Posterior(self.kernel, np.concatenate([self.rows, rows]), values)
