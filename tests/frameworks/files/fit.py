"""A user's own model for Hydra: one number."""

import time


def steps(lr, epochs):
    """Learn that it is 1; give the loss of each epoch. A rate too small takes its time: time to be stopped in."""
    weight = 0.0
    for _ in range(epochs):
        weight -= lr * 2 * (weight - 1)
        time.sleep(0.5 if lr < 0.001 else 0)
        yield (weight - 1) ** 2
