"""Faults have names of their own, and heavy ones are drawn more often."""

from __future__ import annotations

import random
from collections import Counter

from tests.chaos.faults import MOODS, every_fault, in_any_order, in_the_mood


def test_each_fault_has_a_name_of_its_own():
    """What a round tells is what was done."""
    names = [fault.name for fault in every_fault()]
    assert len(names) == len(set(names))


def test_every_fault_comes_first_sometimes_and_the_heavy_ones_more_often():
    """By their weights."""
    dice, faults = random.Random(1), every_fault()
    first = Counter(in_any_order(faults, dice)[0] for _ in range(5000))
    total = sum(faults.values())
    for fault, weight in faults.items():
        assert 0.5 < first[fault] / 5000 / (weight / total) < 1.6, fault.name


def test_every_mood_has_faults_and_each_word_of_it_means_one():
    """A name that changed would leave a mood without it, and nobody would notice."""
    names = [fault.name for fault in every_fault()]
    for words in MOODS.values():
        assert [word for word in words if not any(name.startswith(word) for name in names)] == []
    assert len(in_the_mood("anything")) == len(names) > len(in_the_mood("runs die")) > 3


def test_a_seed_draws_the_same_order_again():
    """So that a finding can be looked for."""
    orders = [[fault.name for fault in in_any_order(every_fault(), random.Random(7))] for _ in range(2)]
    assert orders[0] == orders[1]
