"""What a run logged, sorted into what is drawn of it."""

from __future__ import annotations

import pytest

from sweeper.plots import logged
from sweeper.plots.logged import File


def test_kinds_are_read_out_of_the_statistics():
    """How often each; nothing where nothing is known."""
    assert logged.kinds({"typeCounts": [{"type": "number", "count": 3}]}) == {"number": 3}
    assert logged.kinds({}) == {}


@pytest.mark.parametrize(
    ("defined", "axes"),
    [
        # as wandb 0.31 keeps define_metric("epoch") and define_metric("val/*", step_metric="epoch")
        ([{"1": "epoch", "6": [3]}, {"2": "val/*", "5": 1}], {"val/loss": "epoch", "val/acc": "epoch"}),
        ([{"1": "epoch"}, {"1": "loss", "5": 1}, {"2": "*", "4": "_runtime"}], {"loss": "epoch"}),
        ([{"1": "epoch", "5": 1}], {}),
        ([{"1": "loss", "5": 7}, {"1": "loss", "5": "x"}, {"5": 1}], {}),
        (["epoch"], {}),
        ("m", {}),
        (None, {}),
    ],
)
def test_the_axis_that_was_defined_is_found(defined, axes):
    """By name or pattern, names first; whatever else stands there gives none."""
    found = logged.axes(defined, ["loss", "val/loss", "val/acc", "epoch"])
    assert {key: axis for key, axis in found.items() if axis == "epoch"} == axes


@pytest.mark.parametrize(
    ("value", "files"),
    [
        ({"_type": "image-file", "path": "a.png", "caption": "one"}, [File("a.png", "one")]),
        (
            {"_type": "images/separated", "filenames": ["a.png", "b.png"], "captions": ["one"]},
            [File("a.png", "one"), File("b.png")],
        ),
        ({"_type": "images/separated", "filenames": ["a.png"], "captions": False}, [File("a.png")]),
        ({"_type": "videos", "videos": [{"_type": "video-file", "path": "a.mp4"}]}, [File("a.mp4")]),
        ({"_type": "html-file", "path": "a.html", "caption": 3}, [File("a.html")]),
        ({"_type": "histogram", "bins": [1, 2]}, []),
        ("text", []),
    ],
)
def test_files_of_media_are_found(value, files):
    """However the SDK puts several into one value."""
    assert list(logged.files(value)) == files
