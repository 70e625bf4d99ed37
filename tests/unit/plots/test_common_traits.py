"""What some runs have in common: named where it is clear, and nowhere else."""

from __future__ import annotations

import random

import pytest

from sweeper.plots.common_traits import LEVEL, chance, common_traits


def drawn(rng: random.Random) -> dict[str, object]:
    return {
        "batch": rng.choice([16, 32, 64, 256]),
        "lr": rng.uniform(0, 1),
        "optimizer": rng.choice(["adam", "sgd"]),
        "shape": rng.choice([[1, 2], [3]]),
        "epochs": 20,
    }


def test_a_value_that_fails_is_named_first():
    """With how many of these runs have it, and how many of the others."""
    rng = random.Random(1)
    others = [drawn(rng) | {"batch": rng.choice([16, 32, 64])} for _ in range(60)]
    failed = [drawn(rng) | {"batch": 256} for _ in range(8)]
    (trait,) = common_traits(failed, others)
    assert (trait.name, trait.relation, trait.value) == ("batch", "=", 256)
    assert (trait.inside, trait.of_inside, trait.outside, trait.of_outside) == (8, 8, 0, 60)
    assert trait.p < 1e-6


@pytest.mark.parametrize(("relation", "low", "high"), [(">=", 0.8, 1.0), ("<=", 0.0, 0.2)])
def test_a_limit_of_numbers_is_named(relation, low, high):
    """Those that fail lie beyond it, and few others do."""
    rng = random.Random(2)
    others, failed = [drawn(rng) for _ in range(60)], [drawn(rng) | {"lr": rng.uniform(low, high)} for _ in range(12)]
    (trait,) = common_traits(failed, others)
    assert (trait.name, trait.relation) == ("lr", relation)
    assert trait.inside > 9
    assert low <= trait.value <= high


def test_chance_names_little():
    """Of a hundred groups drawn at random, about as many are accused as the level says; they are wrong, and rare."""
    rng = random.Random(3)
    accused = sum(
        bool(common_traits([drawn(rng) for _ in range(8)], [drawn(rng) for _ in range(40)])) for _ in range(100)
    )
    assert accused <= 100 * LEVEL + 3


def test_a_parameter_that_only_failed_runs_have_is_named():
    """A branch of conditions that the others did not take."""
    failed, others = [{"x": 1, "depth": 3}] * 6, [{"x": 1}] * 20
    (trait,) = common_traits(failed, others)
    assert (trait.name, trait.value, trait.outside) == ("depth", 3, 0)


@pytest.mark.parametrize(("failed", "others"), [([], [{"x": 1}]), ([{"x": 1}], []), ([{"x": 1}] * 4, [{"x": 1}] * 9)])
def test_nothing_is_named_where_nothing_differs(failed, others):
    """Nor where there is nobody to differ from."""
    assert common_traits(failed, others) == []


def test_chance_is_fishers():
    """As SciPy has it."""
    from scipy.stats import fisher_exact

    for table in ((3, 5, 2, 20), (1, 1, 0, 9), (8, 8, 0, 60), (2, 10, 8, 40)):
        inside, of_inside, outside, of_outside = table
        counts = [[inside, of_inside - inside], [outside, of_outside - outside]]
        assert chance(*table) == pytest.approx(fisher_exact(counts, alternative="greater").pvalue)


def test_many_thousand_runs_are_few():
    """Of very many others every so-manieth is looked at."""
    rng = random.Random(4)
    others = [drawn(rng) for _ in range(9000)]
    (trait, *_) = common_traits([drawn(rng) | {"optimizer": "lion"} for _ in range(30)], others)
    assert (trait.name, trait.of_outside) == ("optimizer", 3000)


def test_a_few_numbers_have_limits_too():
    """What fails from four layers on is told so, and not by a value each."""
    rng = random.Random(5)
    others = [drawn(rng) | {"layers": rng.randint(1, 6)} for _ in range(80)]
    failed = [drawn(rng) | {"layers": rng.randint(4, 6)} for _ in range(24)]
    (trait,) = common_traits(failed, others)
    assert (trait.name, trait.relation, trait.value, trait.inside) == ("layers", ">=", 4, 24)
