"""The tutorial's ConvNet made to sweep: `trainer.train:train` is the function every agent calls.

Read `train.py`, which is a whole run on a page, then `config.py` (the knobs) and `loop.py` (steps and epochs).
They stand on `data.py`, `model.py`, `optimizer.py`, `steps.py`, `checkpoint.py`, `report.py`, `export.py`,
`machine.py`, and `graph.py` for GPUs.
"""
