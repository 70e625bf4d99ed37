"""The charts of `wandb.plot`: what each draws of its table."""

from __future__ import annotations

import pytest

from sweeper.plots import custom_charts
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
    asked = custom_charts.read({"k": panel(preset, fields, strings)})["k"]
    assert asked.table == "t"
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


@pytest.mark.parametrize(
    "value", [None, [], {"k": 3}, {"k": {"panel_config": 3}}, {"k": {"panel_config": {"userQuery": []}}}]
)
def test_a_config_that_a_client_made_up_asks_for_no_chart(value):
    """It is the user's, and may hold anything."""
    assert custom_charts.read(value) == {}


@pytest.mark.parametrize("value", [None, {"columns": 1, "data": []}, {"columns": ["a"], "data": [1]}])
def test_what_is_no_table_is_none(value):
    """The file of a table may hold anything as well."""
    assert LoggedTable.read(value) is None
    assert LoggedTable.read({"columns": ["a", 1], "data": [[2]]}).column("1") == [None]
