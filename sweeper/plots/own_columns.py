"""The charts that `wandb.visualize` names: their tables have columns of fixed names, which are the SDK's own.

They are what `wandb.sklearn` logs (wandb 0.15 to 0.31), and what the old `wandb.plots` did (to 0.16).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Columns:
    """Which columns such a chart draws, and as what.

    Attributes:
        kind: `lines`, `points`, `bars`, `matrix` or `heatmap`.
        fields: The column of each field.
        strings: Titles of its axes, where the columns' names do not say what they are.
    """

    kind: str
    fields: Mapping[str, str]
    strings: Mapping[str, str] = field(default_factory=dict)


def _curves(kind: str, x: str, y: str, stroke: str = "", titles: Sequence[str] = ()) -> Columns:
    fields = {"x": x, "y": y} | ({"stroke": stroke} if stroke else {})
    return Columns(kind, fields, dict(zip(("x-axis-title", "y-axis-title"), titles, strict=False)))


_CELLS = Columns("heatmap", {"x": "x_axis", "y": "y_axis", "value": "values"})

OF: Mapping[str, Columns] = {
    "wandb/roc/v1": _curves("lines", "fpr", "tpr", "class", titles=("false positive rate", "true positive rate")),
    "wandb/pr_curve/v1": _curves("lines", "recall", "precision", "class"),
    "wandb/learning_curve/v1": _curves("lines", "train_size", "score", "dataset"),
    "wandb/calibration/v1": _curves("lines", "mean_predicted_value", "fraction_of_positives", "model"),
    "wandb/elbow/v1": _curves("lines", "cluster_ranges", "errors", titles=("clusters", "error")),
    "wandb/residuals_plot/v1": _curves("points", "y_pred", "residuals", "dataset", titles=("predicted", "residual")),
    "wandb/outliers/v1": _curves("points", "instance_indicies", "distance", titles=("instance", "Cook's distance")),
    "wandb/silhouette_/v1": _curves("points", "x2", "y_sil", "color_sil", titles=("silhouette coefficient", "sample")),
    "wandb/decision_boundaries/v1": _curves("points", "x", "y", "color"),
    "wandb/feature_importances/v1": Columns("bars", {"label": "feature_names", "value": "importances"}),
    "wandb/metrics/v1": Columns("bars", {"label": "metric_name", "value": "metric_value"}),
    "wandb/class_proportions/v1": Columns("bars", {"label": "class", "value": "count", "group": "dataset"}),
    "wandb/confusion_matrix/v1": Columns("matrix", {"nPredictions": "Count"}),
    "wandb/heatmap/v1": _CELLS,
    "wandb/heatmap_no_text/v1": _CELLS,
}
