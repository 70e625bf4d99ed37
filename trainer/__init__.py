"""The tutorial's ConvNet made to sweep: `trainer.train:train` is the function every agent calls.

Read `config.py` (the knobs), `model.py`, `data.py`, then `train.py`; `export.py` writes the ONNX file.
"""
