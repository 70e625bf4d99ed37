"""What somebody may have meant."""

from __future__ import annotations

import pytest

from sweeper.nearest import nearest


@pytest.mark.parametrize(
    ("word", "known", "meant"),
    [
        ("loss", ["los", "epoch"], "los"),
        ("test_acc_avg", ["test_acc_avg ", "test_loss"], "test_acc_avg "),
        ("loss ", ["loss", "lr"], "loss"),
        ("Loss", ["loss", "acc"], "loss"),
        ("loss", ["epoch", "class", "val/loss"], "val/loss"),
        ("loss", ["train/loss", "val/loss"], "val/loss"),
        ("val/loss", ["loss", "val/acc"], "loss"),
        ("val_loss", ["loss_val", "lossy"], "loss_val"),
        ("val_loss", ["val.loss", "loss"], "val.loss"),
        ("valLoss", ["val_loss"], "val_loss"),
        ("val_accuracy", ["val/acc", "val/loss"], "val/acc"),
        ("validation/losses", ["val/loss", "train/loss"], "val/loss"),
        ("loss", ["epoch", "lr"], ""),
        ("loss", [], ""),
        ("x" * 100_000, ["xx", "y"], ""),
        ("", ["a"], ""),
    ],
)
def test_the_nearest_name_is_the_one_that_was_meant(word, known, meant):
    """Another case, separator or order, a synonym, a prefix, a typo; nothing rather than something unlike it."""
    assert nearest(word, known) == meant
