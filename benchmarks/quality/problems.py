"""The ten problems of the search benchmark, as W&B `parameters`: five synthetic ones and five tables of real results.

The tables and their sources: `benchmarks/data/hpo/README.md`.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

TABLES = Path(__file__).parents[1] / "data" / "hpo"
REFERENCE_DRAWS = 4000

Params = Mapping[str, Any]
Parameters = dict[str, dict[str, Any]]


def uniform(low: float, high: float) -> dict[str, Any]:
    """Write a real number."""
    return {"distribution": "uniform", "min": float(low), "max": float(high)}


def log_uniform(low: float, high: float) -> dict[str, Any]:
    """Write a real number with a uniform logarithm."""
    return {"distribution": "log_uniform_values", "min": float(low), "max": float(high)}


def integer(low: int, high: int) -> dict[str, Any]:
    """Write an integer."""
    return {"distribution": "int_uniform", "min": low, "max": high}


def choice(*values: Any) -> dict[str, Any]:
    """Write one of some values."""
    return {"distribution": "categorical", "values": list(values)}


def sample(parameters: Parameters, rng: np.random.Generator) -> dict[str, Any]:
    """Draw a configuration; also the benchmark's random search."""
    return {name: _draw(form, rng) for name, form in parameters.items()}


def _draw(form: Mapping[str, Any], rng: np.random.Generator) -> Any:
    match form["distribution"]:
        case "uniform":
            return rng.uniform(form["min"], form["max"])
        case "log_uniform_values":
            return float(np.exp(rng.uniform(np.log(form["min"]), np.log(form["max"]))))
        case "int_uniform":
            return int(rng.integers(form["min"], form["max"] + 1))
        case _:
            return form["values"][rng.integers(len(form["values"]))]


def fraction(form: Mapping[str, Any], value: float) -> float:
    """Give how far between the limits a number lies, by logarithm where the law is logarithmic."""
    low, high = form["min"], form["max"]
    if form["distribution"] == "log_uniform_values":
        low, high, value = np.log(low), np.log(high), np.log(value)
    return float((value - low) / (high - low))


class Problem:
    """Something to minimise.

    Attributes:
        parameters: The space.
        best: The least noiseless loss.
    """

    parameters: Parameters
    best = 0.0

    def true(self, params: Params) -> float:
        """Give the loss without noise."""
        raise NotImplementedError

    def observe(self, params: Params, rng: np.random.Generator) -> float:
        """Give the loss as a run would log it; NaN for a run that fails."""
        del rng
        return self.true(params)

    def reference(self) -> float:
        """Give the median loss of a random configuration: a regret of 1."""
        rng = np.random.default_rng(12345)
        return float(np.nanmedian([self.true(sample(self.parameters, rng)) for _ in range(REFERENCE_DRAWS)]))


class Branin(Problem):
    """Two dimensions, three equal optima."""

    parameters = {"a": uniform(-5, 10), "b": uniform(0, 15)}
    best = 0.39788735772973816

    def true(self, params: Params) -> float:
        """Give Branin's function."""
        x, y = params["a"], params["b"]
        valley = (y - 5.1 / (4 * np.pi**2) * x * x + 5 / np.pi * x - 6) ** 2
        return float(valley + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)


class Hartmann6(Problem):
    """Six dimensions on mixed scales, one narrow optimum."""

    parameters = {
        "a": uniform(0, 1),
        "b": log_uniform(1e-5, 1e-1),
        "c": uniform(0, 1),
        "d": log_uniform(1e-3, 1e3),
        "e": uniform(-1, 1),
        "f": log_uniform(1e-6, 1),
    }
    best = -3.32236801
    scales = np.array(
        [[10, 3, 17, 3.5, 1.7, 8], [0.05, 10, 17, 0.1, 8, 14], [3, 3.5, 1.7, 10, 17, 8], [17, 8, 0.05, 10, 0.1, 14]]
    )
    centres = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )

    def true(self, params: Params) -> float:
        """Give Hartmann's function."""
        x = np.array([fraction(form, params[name]) for name, form in self.parameters.items()])
        return float(-np.array([1, 1.2, 3, 3.2]) @ np.exp(-(self.scales * (x - self.centres) ** 2).sum(1)))


class Ackley5(Problem):
    """Real, logarithmic and integer; many local optima, the best one off the centre."""

    parameters = {
        "a": uniform(-20, 44),
        "b": uniform(-40, 24),
        "c": log_uniform(1e-5, 1),
        "d": uniform(-30, 34),
        "e": integer(0, 32),
    }

    def true(self, params: Params) -> float:
        """Give Ackley's function."""
        c = 64 * (fraction(self.parameters["c"], params["c"]) - 0.4)
        z = np.array([params["a"], params["b"], c, params["d"], 2.0 * (params["e"] - 11)])
        return float(-20 * np.exp(-0.2 * np.sqrt((z**2).mean())) - np.exp(np.cos(2 * np.pi * z).mean()) + 20 + np.e)


class Rosenbrock4(Problem):
    """A curved valley whose walls are a thousand times higher than its floor."""

    parameters = {name: uniform(-2, 3) for name in "abcd"}

    def true(self, params: Params) -> float:
        """Give Rosenbrock's function."""
        x = np.array([params[name] for name in "abcd"])
        return float((100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum())


class Levy5Mixed(Problem):
    """Real, logarithmic, integer, and an unordered choice that moves the optimum."""

    parameters = {
        "a": uniform(-10, 10),
        "b": uniform(-10, 10),
        "lr": log_uniform(1e-5, 1e-1),
        "n": integer(1, 21),
        "opt": choice("adam", "sgd", "rmsprop", "lion"),
    }
    moves = {"adam": (0.0, 0.0), "sgd": (3.0, 4.0), "rmsprop": (-4.0, 2.0), "lion": (5.0, 8.0)}

    def true(self, params: Params) -> float:
        """Give Levy's function, moved and lifted by the choice."""
        shift, lift = self.moves[params["opt"]]
        lr = 20 * (fraction(self.parameters["lr"], params["lr"]) - 0.45)
        w = 1 + (np.array([params["a"] - shift, params["b"] + shift, lr, float(params["n"] - 8)]) - 1) / 4
        waves = ((w[:-1] - 1) ** 2 * (1 + 10 * np.sin(np.pi * w[:-1] + 1) ** 2)).sum()
        last = (w[-1] - 1) ** 2 * (1 + np.sin(2 * np.pi * w[-1]) ** 2)
        return float(np.sin(np.pi * w[0]) ** 2 + waves + last + lift)


class Table(Problem):
    """Real results: a run logs the loss of one stored training seed; the true loss is their mean."""

    def __init__(self, file: str, *, log: bool = False) -> None:
        self.table = np.load(TABLES / f"{file}.npz", allow_pickle=False)
        losses = self.table["y"].astype(float)
        losses = np.where(np.isnan(losses), np.nanmean(losses, -1, keepdims=True), losses)
        self.losses = np.log(losses) if log else losses
        self.mean = self.losses.mean(-1)
        self.best = float(self.mean.min())

    def look_up(self, table: np.ndarray, params: Params) -> float:
        """Find the configuration's loss in a table without seeds."""
        raise NotImplementedError

    def true(self, params: Params) -> float:
        """Give the mean over the seeds."""
        return float(self.look_up(self.mean, params))

    def observe(self, params: Params, rng: np.random.Generator) -> float:
        """Give one seed's loss."""
        return float(self.look_up(self.losses[..., rng.integers(self.losses.shape[-1])], params))

    def grid(self) -> dict[str, list[Any]]:
        """Read the table's axes."""
        return {
            str(name): ast.literal_eval(str(axis))
            for name, axis in zip(self.table["names"], self.table["grid"], strict=True)
        }


class HPOBenchMLP(Table):
    """A small network on tabular data."""

    def __init__(self, data_set: str) -> None:
        super().__init__(f"hpobench_{data_set}")
        self.alphas, _, _, self.rates, _ = (np.array(axis) for axis in self.grid().values())
        self.parameters = {
            "alpha": log_uniform(1e-8, 1),
            "batch_size": integer(0, 9),
            "depth": integer(1, 3),
            "learning_rate_init": log_uniform(1e-5, 1),
            "width": integer(0, 9),
        }

    def look_up(self, table: np.ndarray, params: Params) -> float:
        """Take the nearest grid point."""
        alpha = np.abs(np.log(self.alphas) - np.log(params["alpha"])).argmin()
        rate = np.abs(np.log(self.rates) - np.log(params["learning_rate_init"])).argmin()
        return float(table[alpha, params["batch_size"], params["depth"] - 1, rate, params["width"]])


class FCNet(Table):
    """A fully connected network on tabular data; numeric axes by index, the rest unordered."""

    def __init__(self, data_set: str) -> None:
        super().__init__(f"hpolib_{data_set}", log=True)
        self.parameters = {
            name: choice(*axis) if isinstance(axis[0], str) else integer(0, len(axis) - 1)
            for name, axis in self.grid().items()
        }

    def look_up(self, table: np.ndarray, params: Params) -> float:
        """Take the grid point."""
        forms = self.parameters.items()
        return float(table[tuple(f["values"].index(params[n]) if "values" in f else params[n] for n, f in forms)])


class NASBench201(Table):
    """Six unordered choices of an operation each."""

    operations = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")

    def __init__(self, data_set: str) -> None:
        super().__init__(f"nb201_{data_set}")
        self.parameters = {f"Op{i}": choice(*self.operations) for i in range(6)}

    def look_up(self, table: np.ndarray, params: Params) -> float:
        """Take the architecture."""
        return float(table[tuple(self.operations.index(params[name]) for name in self.parameters)])


class SVMDigits(Table):
    """A support vector machine; C and gamma interpolated between the trained points."""

    kernels = ("rbf", "poly", "sigmoid")

    def __init__(self) -> None:
        super().__init__("svm_digits")
        self.parameters = {
            "kernel": choice(*self.kernels),
            "C": log_uniform(1e-3, 1e3),
            "gamma": log_uniform(1e-5, 1e1),
        }

    def look_up(self, table: np.ndarray, params: Params) -> float:
        """Interpolate between four trained points."""
        a, b = (np.log10(params["C"]) + 3) * 2, (np.log10(params["gamma"]) + 5) * 2
        i, j = (int(np.clip(int(x), 0, 11)) for x in (a, b))
        near = table[self.kernels.index(params["kernel"]), i : i + 2, j : j + 2]
        return float(np.array([1 - (a - i), a - i]) @ near @ np.array([1 - (b - j), b - j]))


class GBMDiabetes(Table):
    """Gradient boosting; the learning rate interpolated between the trained points."""

    def __init__(self) -> None:
        super().__init__("gbm_diabetes")
        self.parameters = {
            "learning_rate": log_uniform(10**-2.5, 1),
            "max_depth": integer(0, 4),
            "subsample": integer(0, 3),
            "min_samples_leaf": integer(0, 3),
            "n_estimators": integer(0, 7),
        }

    def look_up(self, table: np.ndarray, params: Params) -> float:
        """Interpolate between two trained points."""
        a = (np.log10(params["learning_rate"]) + 2.5) / 2.5 * 7
        i = int(np.clip(int(a), 0, 6))
        rest = tuple(params[name] for name in list(self.parameters)[1:])
        return float((1 - (a - i)) * table[(i, *rest)] + (a - i) * table[(i + 1, *rest)])


PROBLEMS: dict[str, Callable[[], Problem]] = {
    "branin": Branin,
    "hartmann6": Hartmann6,
    "ackley5": Ackley5,
    "rosenbrock4": Rosenbrock4,
    "levy5mixed": Levy5Mixed,
    "mlp_vehicle": lambda: HPOBenchMLP("vehicle"),
    "fcnet_protein_structure": lambda: FCNet("protein_structure"),
    "nb201_cifar100": lambda: NASBench201("cifar100"),
    "svm_digits": SVMDigits,
    "gbm_diabetes": GBMDiabetes,
}
