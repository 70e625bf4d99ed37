"""The charts whose tables have columns of fixed names."""

from __future__ import annotations

from sweeper.plots.own_columns import OF


def test_axes_are_named_where_the_names_of_columns_say_little():
    """`x2` is for nobody to read."""
    assert OF["wandb/silhouette_/v1"].strings == {"x-axis-title": "silhouette coefficient", "y-axis-title": "sample"}
    assert OF["wandb/pr_curve/v1"].strings == {}
    assert "stroke" not in OF["wandb/elbow/v1"].fields
