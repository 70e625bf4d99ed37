"""Which figures a report has."""

from __future__ import annotations

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.results.report.pictures import pictures
from sweeper.run import RunState
from tests.unit.results.report.conftest import make_report, make_run, many

THREE = SweepDefinition.from_yaml("""
method: bayes
metrics: [{name: loss, goal: minimize}, {name: acc, goal: maximize}, {name: size, goal: minimize}]
parameters: {lr: {min: 0.0, max: 1.0}}
""")


def names(report) -> dict[str, list[str]]:
    return {place: [figure.name for figure in found] for place, found in pictures(report).items()}


def test_a_usual_sweep_has_them_all():
    """All but a front, which needs several metrics."""
    found = names(make_report(*many(60)))
    assert found == {
        "best": ["best-so-far"],
        "parallel": ["parallel-coordinates"],
        "importance": ["importance"],
        "curves": ["learning-curves"],
        "slices": ["slice-1", "slice-2"],
        "front": [],
        "timeline": ["timeline"],
    }


def test_no_runs_no_figures():
    """Nothing is drawn of nothing, and of a run without a value only its time."""
    assert not any(names(make_report()).values())
    assert {place for place, found in names(make_report(make_run(1, RunState.PENDING))).items() if found} == set()


def test_all_failed():
    """Their parameters are drawn: what failed runs have in common may be seen there."""
    found = names(make_report(*(make_run(i, RunState.FAILED) for i in range(5))))
    assert {place for place, drawn in found.items() if drawn} == {"parallel", "timeline"}


def test_several_metrics_have_fronts():
    """One for each pair; the others are axes beside the parameters."""
    runs = [make_run(i, values=(0.1 * i, 0.9 - 0.1 * i, 5.0), params={"lr": 0.1 * i}) for i in range(4)]
    report = make_report(*runs, definition=THREE)
    assert names(report)["front"] == ["front-1-2", "front-1-3", "front-2-3"]
    (parallel,) = pictures(report)["parallel"]
    assert "lr, acc, size, loss" in parallel.description


def test_without_a_metric_there_is_nothing_to_compare_by():
    """Parameters and times are drawn, without colours."""
    plain = SweepDefinition.from_yaml("method: random\nparameters: {lr: {min: 0.0, max: 1.0}}")
    found = names(make_report(make_run(1), make_run(2), definition=plain))
    assert {place for place, drawn in found.items() if drawn} == {"parallel", "timeline"}
