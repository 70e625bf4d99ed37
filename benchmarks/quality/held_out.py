"""Problems of other shapes, for judging an engine on what it was not chosen by.

They add what the ten lack: irrelevant parameters, failing regions, heavy noise, `goal: maximize`, weighted and
nested-looking choices, tiny and purely discrete spaces.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from quality.problems import Params, Problem, choice, fraction, integer, log_uniform, uniform


class Sparse10(Problem):
    """Ten parameters of which three matter."""

    parameters = {f"x{i}": log_uniform(1e-4, 1) if i % 2 else uniform(0, 1) for i in range(10)}

    def true(self, params: Params) -> float:
        """Give a bent bowl of x1, x4 and x7."""
        a, b, c = (fraction(self.parameters[name], params[name]) for name in ("x1", "x4", "x7"))
        return (a - 0.23) ** 2 + 2 * (b - 0.77 + 0.5 * (a - 0.23)) ** 2 + 0.5 * abs(c - 0.4)


class Diverging(Problem):
    """A network: too high a learning rate gives NaN or 1e9, and the best one lies just below."""

    parameters = {
        "lr": log_uniform(1e-6, 10),
        "weight_decay": log_uniform(1e-7, 1e-1),
        "width": integer(16, 512),
        "layers": integer(1, 8),
        "optimizer": choice("sgd", "adam", "lion"),
    }
    edges = {"sgd": -0.3, "adam": -2.2, "lion": -3.0}

    def true(self, params: Params) -> float:
        """Give the loss, as if the edge of stability were no edge."""
        gap = self._gap(params)
        rate = 0.25 * min(gap, 0.0) ** 2 + 4 * max(gap, 0.0)
        decay = 0.05 * (math.log10(params["weight_decay"]) + 4) ** 2
        size = 0.4 * math.exp(-params["width"] / 150) + 0.03 * (params["layers"] - 4) ** 2
        return rate + decay + size + {"sgd": 0.15, "adam": 0.0, "lion": 0.05}[params["optimizer"]]

    best = 0.4 * math.exp(-512 / 150)

    def observe(self, params: Params, rng: np.random.Generator) -> float:
        """Fail beyond the edge; elsewhere add a little noise."""
        gap = self._gap(params)
        if gap > 0.6:
            return math.nan
        return 1e9 * gap if gap > 0.1 else self.true(params) + 0.01 * rng.standard_normal()

    def _gap(self, params: Params) -> float:
        return math.log10(params["lr"]) - self.edges[params["optimizer"]] + 0.1 * (params["layers"] - 4)


class NoisyBowl(Problem):
    """Four dimensions under noise as large as half the spread of random configurations."""

    parameters = {"a": uniform(-1, 3), "b": log_uniform(1e-4, 1e2), "c": uniform(0, 1), "d": integer(1, 64)}

    def true(self, params: Params) -> float:
        """Give a bowl."""
        u = [fraction(form, params[name]) for name, form in self.parameters.items()]
        return float(((np.array(u) - [0.3, 0.65, 0.8, 0.45]) ** 2).sum())

    best = (28 / 63 - 0.45) ** 2

    def observe(self, params: Params, rng: np.random.Generator) -> float:
        """Add the noise."""
        return self.true(params) + 0.1 * rng.standard_normal()


class StyblinskiTang5(Problem):
    """Two basins per dimension, 32 in all."""

    parameters = {name: uniform(-5, 5) for name in "abcde"}
    best = -39.16616570377142 * 5

    def true(self, params: Params) -> float:
        """Give the function."""
        x = np.array(list(params.values()))
        return float(0.5 * (x**4 - 16 * x**2 + 5 * x).sum())


class Michalewicz3(Problem):
    """Flat nearly everywhere, with narrow ravines."""

    parameters = {name: uniform(0, math.pi) for name in "abc"}
    best = -2.7603947

    def true(self, params: Params) -> float:
        """Give the function (m = 10)."""
        x = np.array([params[name] for name in "abc"])
        return float(-(np.sin(x) * np.sin(np.arange(1, 4) * x**2 / math.pi) ** 20).sum())


class ChoiceHeavy(Problem):
    """Eight unordered or boolean choices with interactions, and one rate whose optimum depends on them."""

    parameters = {
        "act": choice("relu", "gelu", "silu", "tanh", "elu"),
        "norm": choice("batch", "layer", "none", "group"),
        "opt": choice("adam", "sgd", "lion"),
        "schedule": choice("cosine", "step", "none", "linear"),
        "skip": choice(True, False),
        "bias": choice(True, False),
        "kernel": choice(3, 5, 7, 9),
        "lr": log_uniform(1e-5, 1),
    }
    costs = {
        "act": dict(zip(("relu", "gelu", "silu", "tanh", "elu"), (0.1, 0.0, 0.03, 0.6, 0.3), strict=True)),
        "norm": {"batch": 0.0, "layer": 0.12, "none": 0.9, "group": 0.2},
        "schedule": {"cosine": 0.0, "step": 0.15, "none": 0.4, "linear": 0.05},
    }

    def true(self, params: Params) -> float:
        """Add up main effects and three interactions."""
        loss = sum(costs[params[name]] for name, costs in self.costs.items())
        loss += 0.5 if params["norm"] == "none" and not params["skip"] else 0.0
        loss += 0.1 * (params["bias"] == (params["norm"] == "batch")) + 0.04 * abs(params["kernel"] - 5)
        peak = {"adam": -3.0, "sgd": -0.8, "lion": -4.0}[params["opt"]]
        return (
            loss + 0.2 * (math.log10(params["lr"]) - peak) ** 2 + {"adam": 0.0, "sgd": 0.05, "lion": 0.1}[params["opt"]]
        )


class Staircase2(Problem):
    """A finite space of 900 points with a diagonal valley."""

    parameters = {"a": integer(0, 29), "b": integer(0, 29)}

    def true(self, params: Params) -> float:
        """Give the valley."""
        return float(abs(params["a"] + params["b"] - 31) + 0.2 * abs(params["a"] - 8))


class Accuracy3(Problem):
    """A saturating score to be maximised, here as its negative; nearly flat around the best."""

    parameters = {"lr": log_uniform(1e-5, 1), "dropout": uniform(0, 0.9), "batch": choice(16, 32, 64, 128, 256)}
    best = -0.97

    def true(self, params: Params) -> float:
        """Give minus the accuracy."""
        rate = math.log10(params["lr"]) - (-2.6 + 0.3 * math.log2(params["batch"] / 64))
        return -0.97 / (1 + 0.1 * rate**2 + 0.05 * rate**4 + 2 * (params["dropout"] - 0.25) ** 2)


HELD_OUT: dict[str, Callable[[], Problem]] = {
    "sparse10": Sparse10,
    "diverging": Diverging,
    "noisy_bowl": NoisyBowl,
    "styblinski5": StyblinskiTang5,
    "michalewicz3": Michalewicz3,
    "choice_heavy": ChoiceHeavy,
    "staircase2": Staircase2,
    "accuracy3": Accuracy3,
}
