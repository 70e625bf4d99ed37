"""What a finished net leaves with its run."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from trainer.config import TrainConfig
from trainer.data import Data, Split
from trainer.loop import Training, predict, score
from trainer.report import WORST, report_test, worst, worst_mistakes

CONFIG = TrainConfig(dataset="digits", kernels=(4, 8), epochs=1)


def _split(labels: list[int]) -> Split:
    return Split(torch.zeros(len(labels), 28, 28, 1, dtype=torch.uint8), torch.tensor(labels))


def test_the_worst_mistake_comes_first() -> None:
    """Of two wrong names the surer one leads, with its place and its probability; what was right is not listed."""
    logits = torch.tensor([[9.0, 0.0], [0.0, 1.0], [0.0, 8.0], [0.0, 5.0]])
    found = worst(logits, _split([0, 0, 0, 1]))
    assert [place for place, _, _ in found] == [2, 1]
    assert [share for _, _, share in found] == pytest.approx([0.99966, 0.73106], abs=1e-5)


def test_no_more_mistakes_are_shown_than_a_person_looks_at() -> None:
    """A net that knows nothing has hundreds."""
    assert len(worst(torch.zeros(100, 2), _split([1] * 100))) == WORST


def test_a_faultless_net_has_a_table_without_rows_and_no_pictures(digits: Data) -> None:
    """There is nothing to show, so nothing is logged under the name of the pictures."""
    logits = torch.nn.functional.one_hot(digits.test.labels, 10).float() * 20
    media: dict[str, Any] = worst_mistakes(logits, digits)
    assert list(media) == ["worst_mistakes"]
    assert media["worst_mistakes"].data == []


def test_the_test_is_reported_in_the_last_row(run: Any, digits: Data) -> None:
    """Loss and accuracy on the test images, the confusion and the worst mistakes, where the training ended."""
    training = Training(CONFIG, digits)
    training.at.examples = 500
    report_test(run, training)
    loss, accuracy = score(predict(training.model, digits.test, CONFIG), digits.test)
    row = run.rows[500]
    assert (row["test_loss"], row["test_accuracy"]) == (pytest.approx(loss), pytest.approx(accuracy))
    assert {"confusion_matrix", "worst_mistakes", "worst_images"} <= row.keys()


@pytest.mark.parametrize(
    ("starting_step", "summary", "at"),
    [
        (0, {}, 500),  # a run that was never interrupted
        (500, {"test_accuracy": 0.5}, 500),  # a summary without its row
        (501, {}, 501),  # the last pass's row is there, without the test
        (501, {"test_accuracy": 0.5}, None),  # all is there
    ],
)
def test_the_test_is_logged_once(
    run: Any, digits: Data, starting_step: int, summary: dict[str, Any], at: int | None
) -> None:
    """A process that was killed near the end leaves a row too few, or the same twice, to nobody."""
    training = Training(CONFIG, digits)
    training.at.examples = 500
    run.starting_step, run.summary = starting_step, summary
    report_test(run, training)
    assert {step: "test_accuracy" in row for step, row in run.rows.items()} == ({} if at is None else {at: True})
