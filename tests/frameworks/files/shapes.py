"""A user's own pictures of squares, eight to learn from and eight to look at; and a model that knows nothing yet."""

from pathlib import Path

import numpy as np
from PIL import Image
from ultralytics import YOLO

NET = """
nc: 2
backbone:
  - [-1, 1, Conv, [8, 3, 2]]
  - [-1, 1, Conv, [16, 3, 2]]
  - [-1, 1, Conv, [32, 3, 2]]
  - [-1, 1, Conv, [32, 3, 2]]
  - [-1, 1, Conv, [32, 3, 2]]
head:
  - [[2, 3, 4], 1, Detect, [nc]]
"""


def data():
    """Draw them; give the file that says where they are."""
    root = Path("shapes").absolute()
    places = np.random.default_rng(0).integers(0, 16, (2, 8, 2))
    for split, at in zip(("train", "val"), places, strict=True):
        images, labels = root / "images" / split, root / "labels" / split
        images.mkdir(parents=True, exist_ok=True)
        labels.mkdir(parents=True, exist_ok=True)
        for i, (x, y) in enumerate(at):
            picture = np.zeros((32, 32, 3), dtype=np.uint8)
            picture[y : y + 16, x : x + 16, i % 2] = 255
            Image.fromarray(picture).save(images / f"{i}.png")
            (labels / f"{i}.txt").write_text(f"{i % 2} {(x + 8) / 32} {(y + 8) / 32} 0.5 0.5\n")
    file = root / "data.yaml"
    file.write_text(f"path: {root}\ntrain: images/train\nval: images/val\nnames: {{0: red, 1: green}}\n")
    return file


def weights():
    """Give a model that knows nothing yet."""
    file = Path("shapes.pt")
    if not file.exists():
        Path("shapes.yaml").write_text(NET)
        YOLO("shapes.yaml").save(file)
    return file
