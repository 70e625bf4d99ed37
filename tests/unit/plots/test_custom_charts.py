"""The charts of `wandb.plot` and `wandb.sklearn`: what each draws of its table."""

from __future__ import annotations

import pytest

from sweeper.plots import custom_charts, own_columns
from sweeper.plots.custom_charts import MOST, Line, LoggedTable


def panel(preset: str, fields: dict, strings: dict | None = None) -> dict:
    """A chart as the SDK notes it in a run's config."""
    asked = {"name": "summaryTable", "args": [{"name": "tableKey", "value": "t"}]}
    query = {"queryFields": [{"name": "runSets", "fields": [{"name": "id"}, asked]}]}
    return {
        "panel_type": "Vega2",
        "panel_config": {
            "panelDefId": preset,
            "fieldSettings": fields,
            "stringSettings": strings or {"title": "A"},
            "userQuery": query,
        },
    }


def drawn(preset: str, fields: dict, columns: list, data: list, strings: dict | None = None):
    """What such a chart draws of a table."""
    asked = custom_charts.read({"visualize": {"k": panel(preset, fields, strings)}})["k"]
    assert asked.table == "t"
    return custom_charts.drawing(asked, LoggedTable(columns, data))


def visualized(name: str, columns: list, data: list):
    """What a chart that `wandb.visualize` names draws of a table."""
    asked = custom_charts.read({"viz": {"k": {"id": name, "historyFieldSettings": {"x-axis": "_step", "key": "k"}}}})[
        "k"
    ]
    assert asked.table == "k"
    return custom_charts.drawing(asked, LoggedTable(columns, data))


def test_lines_are_told_apart_by_their_column():
    """ROC and precision-recall by class, `line` by stroke; points without numbers are left out."""
    data = [["a", 0, 0], ["b", 0, 1], ["a", 1, 2], ["a", None, 3], ["a", 1, float("nan")]]
    roc = drawn("wandb/area-under-curve/v0", {"x": "fpr", "y": "tpr", "class": "c"}, ["c", "fpr", "tpr"], data)
    assert roc.lines == [Line("a", [0, 1], [0, 2]), Line("b", [0], [1])]
    assert (roc.kind, roc.title, roc.x, roc.y, roc.total) == ("lines", "A", "fpr", "tpr", 5)
    line = drawn("wandb/line/v0", {"x": "fpr", "y": "tpr", "stroke": None}, ["c", "fpr", "tpr"], data)
    assert line.lines == [Line("", [0, 0, 1], [0, 1, 2])]


def test_a_series_has_the_title_of_its_axis():
    """`line_series(xname=...)` names what lies to the right."""
    fields = {"step": "step", "lineKey": "lineKey", "lineVal": "lineVal"}
    found = drawn("wandb/lineseries/v0", fields, ["step", "lineKey", "lineVal"], [[0, "a", 1]], {"xname": "t"})
    assert (found.x, found.lines) == ("t", [Line("a", [0], [1])])


def test_of_many_points_some_are_drawn():
    """A browser draws no million dots; the number of all is told."""
    found = drawn("wandb/scatter/v0", {"x": "x", "y": "y"}, ["x", "y"], [[i, i] for i in range(2 * MOST + 1)])
    assert (found.kind, found.total, len(found.lines[0].x)) == ("points", 2 * MOST + 1, MOST * 2 // 3 + 1)


def test_bars_and_histograms():
    """A bar for each label; a histogram counts a column."""
    bars = drawn("wandb/bar/v0", {"label": "l", "value": "v"}, ["l", "v"], [["<b>", 3], ["b", "x"]])
    assert (bars.labels, bars.values) == (["<b>"], [3])
    histogram = drawn("wandb/histogram/v0", {"value": "v"}, ["v"], [[1], [1], [2], [None]])
    assert (histogram.kind, sum(histogram.values), histogram.y) == ("bars", 3, "count")
    assert drawn("wandb/histogram/v0", {"value": "v"}, ["v"], []).values == [0]


def test_a_confusion_matrix_has_a_row_for_what_is_true():
    """Counts of the same pair are added up; what is no number counts nothing."""
    names = ["Actual", "Predicted", "nPredictions"]
    data = [["a", "a", 5], ["a", "b", 1], ["b", "a", 2], ["b", "a", 2], ["b", "b", None]]
    found = drawn("wandb/confusion_matrix/v1", {name: name for name in names}, names, data)
    assert (found.rows, found.labels, found.values) == (["a", "b"], ["a", "b"], [5, 1, 4, 0])
    assert (found.kind, found.y, found.x) == ("matrix", "actual", "predicted")
    sklearn = visualized("wandb/confusion_matrix/v1", ["Predicted", "Actual", "Count"], [["a", "b", 3], ["b", "b", 4]])
    assert (sklearn.rows, sklearn.labels, sklearn.values) == (["b", "a"], ["b", "a"], [4, 3, 0, 0])


@pytest.mark.parametrize(
    ("name", "columns", "kind"),
    [
        ("learning_curve", ["dataset", "score", "train_size"], "lines"),
        ("calibration", ["model", "fraction_of_positives", "mean_predicted_value", "hist_dict", "edge_dict"], "lines"),
        ("roc", ["class", "fpr", "tpr"], "lines"),
        ("pr_curve", ["class", "precision", "recall"], "lines"),
        ("residuals_plot", ["dataset", "y_pred", "residuals", "train_score", "test_score"], "points"),
        ("decision_boundaries", ["color", "x", "y"], "points"),
        ("silhouette_", ["color_sil", "x2", "y_sil", "x", "y", "colors", "centerx", "centery", "x1"], "points"),
    ],
)
def test_curves_of_sklearn_have_a_line_for_each_group(name, columns, kind):
    """Their columns have names of their own, of which the first here tells groups apart."""
    rows = [["a", 1, 2, 5, 5, 5, 5, 5, 5], ["b", 3, 4, 5, 5, 5, 5, 5, 5]]
    found = visualized(f"wandb/{name}/v1", columns, [row[: len(columns)] for row in rows])
    assert (found.kind, [line.name for line in found.lines], found.total) == (kind, ["a", "b"], 2)
    points = {(line.x[0], line.y[0]) for line in found.lines}
    assert points in ({(1, 2), (3, 4)}, {(2, 1), (4, 3)})
    assert found.x
    assert found.y


@pytest.mark.parametrize(
    ("name", "columns", "x", "y"),
    [
        ("elbow", ["cluster_ranges", "errors", "clustering_time"], "clusters", "error"),
        ("outliers", ["instance_indicies", "distance", "outlier_percentage"], "instance", "Cook's distance"),
    ],
)
def test_a_curve_without_groups_has_one_line(name, columns, x, y):
    """Its axes say what they are."""
    found = visualized(f"wandb/{name}/v1", columns, [[0, 3, 9], [1, 4, 9]])
    assert (found.lines, found.x, found.y) == ([Line("", [0, 1], [3, 4])], x, y)


def test_bars_of_sklearn():
    """One for each feature or metric; of proportions one for each class and set of data."""
    for name, columns in (
        ("feature_importances", ["feature_names", "importances"]),
        ("metrics", ["metric_name", "metric_value"]),
    ):
        found = visualized(f"wandb/{name}/v1", columns, [["a", 0.5], ["b", 0.25]])
        assert (found.kind, found.labels, found.values) == ("bars", ["a", "b"], [0.5, 0.25])
    found = visualized(
        "wandb/class_proportions/v1", ["class", "dataset", "count"], [["a", "train", 3], ["a", "test", 1]]
    )
    assert (found.labels, found.values) == (["a, train", "a, test"], [3, 1])


@pytest.mark.parametrize("name", ["heatmap", "heatmap_no_text"])
def test_a_heatmap_has_a_cell_where_its_labels_meet(name):
    """Rows and columns have labels of their own; a cell that was not logged is empty, and no 0."""
    found = visualized(
        f"wandb/{name}/v1", ["x_axis", "y_axis", "values"], [["a", "u", -1], ["b", "u", 2], ["b", "v", 0]]
    )
    assert (found.kind, found.labels, found.rows, found.values) == ("heatmap", ["a", "b"], ["u", "v"], [-1, 2, None, 0])


def test_every_chart_with_columns_of_its_own_can_be_drawn():
    """Each of its columns is one that its kind draws: of a table that has them, something is drawn."""
    for name, own in own_columns.OF.items():
        columns = [*own.fields.values(), "Actual", "Predicted"]
        assert visualized(name, columns, [[1] * len(columns)]).kind == own.kind


@pytest.mark.parametrize(
    ("preset", "fields"),
    [
        ("me/mine", {}),
        ("wandb/line/v0", {"x": "gone", "y": "v"}),
        ("wandb/bar/v0", {}),
        ("wandb/histogram/v0", {}),
        ("wandb/confusion_matrix/v1", {}),
    ],
)
def test_what_is_not_known_is_not_drawn(preset, fields):
    """A preset of somebody's own, or a column that is not there: the table is shown instead."""
    assert drawn(preset, fields, ["v"], [[1]]) is None
    assert visualized(preset, ["v"], [[1]]) is None


@pytest.mark.parametrize(
    "value", [None, [], {"k": 3}, {"k": {"panel_config": 3}}, {"k": {"panel_config": {"userQuery": []}}}]
)
def test_a_config_that_a_client_made_up_asks_for_no_chart(value):
    """It is the user's, and may hold anything."""
    assert custom_charts.read({"visualize": value, "viz": value}) == {}
    assert custom_charts.read({"viz": {"k": {"id": 3, "historyFieldSettings": value}}}) == {}


@pytest.mark.parametrize("value", [None, {"columns": 1, "data": []}, {"columns": ["a"], "data": [1]}])
def test_what_is_no_table_is_none(value):
    """The file of a table may hold anything as well."""
    assert LoggedTable.read(value) is None
    assert LoggedTable.read({"columns": ["a", 1], "data": [[2]]}).column("1") == [None]
