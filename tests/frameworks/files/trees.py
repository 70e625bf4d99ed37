"""A user's own data, and what they judge a forest by."""

import time

from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

DATA = load_breast_cancer()


def data():
    """Split tumours into those to learn from and those to look at: x, x_val, y, y_val."""
    return train_test_split(DATA.data, DATA.target, random_state=0)


def accuracy(model, x, y):
    """Judge a forest; that of one tree each takes the time that a larger one takes: time to be stopped in."""
    score = model.score(x, y)
    time.sleep(0.5 if model.max_depth == 1 else 0)
    return score
