"""A study of Optuna's, for the sweep that has a scheduler of its own."""

import optuna


def study(_sweep):
    """Draw at random."""
    return optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))


def space(trial):
    """One parameter."""
    return {"x": trial.suggest_float("x", 0, 10)}
