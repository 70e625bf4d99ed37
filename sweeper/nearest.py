"""What somebody may have meant by a name that is not there: a key of a sweep file, a parameter, a metric."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable

_SAME = {
    **dict.fromkeys(("accuracy", "accuracies"), "acc"),
    **dict.fromkeys(("valid", "validation", "eval", "evaluation", "dev"), "val"),
    **dict.fromkeys(("training",), "train"),
    **dict.fromkeys(("testing",), "test"),
    **dict.fromkeys(("average", "mean"), "avg"),
    **dict.fromkeys(("error", "err", "cost"), "loss"),
    **dict.fromkeys(("perplexity",), "ppl"),
}
"""Words that people use for one another in the names of metrics."""
_LONGEST = 100
"""Longer words are cut: comparing takes time, and a file may hold anything."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Find the known name that was meant; empty if none is near.

    In this order: the same but for case, spaces and separators; the same words, be it in another order; one that ends
    with the other, as `val/loss` does with `loss`; the one with the most letters in common.
    """
    names = sorted(known, key=_is_of_training)  # of two that are as near, that of the validation is rarely wrong
    parts = {name: _parts(name) for name in names}
    own = _parts(word)
    same = [name for name in names if "".join(parts[name]) == "".join(own)]
    same += [name for name in names if sorted(map(_plain, parts[name])) == sorted(map(_plain, own))]
    same += [name for name in names if _ends_with(parts[name], own) or _ends_with(own, parts[name])]
    if same:
        return same[0]
    lower = {name.lower(): name for name in reversed(names)}
    close = difflib.get_close_matches(word[:_LONGEST].strip().lower(), lower, n=1, cutoff=0.6)
    return lower[close[0]] if close else ""


def _is_of_training(name: str) -> bool:
    return "train" in name.lower()


def _parts(name: str) -> list[str]:
    """Cut a name into its words: `val/AvgLoss`, `val_avg_loss` and `val.avg-loss` have the same."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name[:_LONGEST])
    return re.findall(r"[^\W_]+", spaced.lower())


def _plain(part: str) -> str:
    return _SAME.get(part, _SAME.get(part.rstrip("s"), part.rstrip("s") or part))


def _ends_with(whole: list[str], end: list[str]) -> bool:
    return bool(end) and list(map(_plain, whole[-len(end) :])) == list(map(_plain, end))
