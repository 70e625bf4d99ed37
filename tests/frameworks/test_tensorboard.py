"""TensorBoard's files, read by the SDK, as docs/frameworks.md shows it."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(400)]


def test_what_a_writer_writes_is_the_runs(bench):
    """Scalars and histograms are in the history; the sweep's metric is among them, and stops the bad run."""
    bench.type_in("TensorBoard", "line.py")
    sweep = bench.create("board.yaml")
    assert "stopped 1 run early" in bench.launch()
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert (len(good.logged("val/loss")), good.logged("global_step")) == (60, list(range(60)))
    assert good["summary"]["val/loss"] == good.logged("val/loss")[-1] < 1e-3
    assert good.logged("weight")[0]["_type"] == "histogram"
    assert 2 <= len(bad.logged("val/loss")) < 60
