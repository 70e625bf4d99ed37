"""A cell of a notebook, as docs/frameworks.md shows it."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.frameworks, pytest.mark.timeout(400)]

PLAY = """
import json, nbclient, nbformat
cells = [open("cell.py").read(), "print('run', wandb.run)"]
book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
nbclient.NotebookClient(book, timeout=200, kernel_name="python3").execute()
print(json.dumps(book.cells[1].outputs[0]["text"]))
"""


def test_an_agent_in_a_cell(bench):
    """It works through the sweep, stops the bad run, and gives the cell back without a run left open."""
    bench.type_in("A notebook", "line.py")
    bench.user.serve()
    assert bench.says(PLAY) == "run None\n"
    (sweep,) = bench.sweeps("notebook")
    good, bad = bench.runs(sweep)
    assert (good["state"], bad["state"]) == ("finished", "killed")
    assert len(good.logged("val_loss")) == 30 > len(bad.logged("val_loss")) >= 2
