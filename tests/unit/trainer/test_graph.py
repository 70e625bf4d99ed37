"""A training step as one CUDA graph; there is nothing to record on a machine without a GPU."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from trainer.graph import WARM_UP, GraphedStep

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def test_a_replayed_step_does_what_the_step_does() -> None:
    """Steps taken one by one and steps replayed end at the same numbers; a short batch is taken as it is."""
    device = torch.device("cuda")
    values = torch.arange(8.0, device=device)
    total = torch.zeros((), device=device)

    def step(index: Tensor) -> Tensor:
        total.add_(values.index_select(0, index).sum())
        return total * 1

    graphed = GraphedStep(step, 4, device)
    batches = [torch.tensor(places, device=device) for places in [[0, 1, 2, 3], [4, 5, 6, 7]] * WARM_UP]
    for batch in [*batches, torch.tensor([7], device=device)]:
        loss = graphed(batch)
    assert loss.item() == WARM_UP * values.sum().item() + 7
    assert graphed.recording is not None
