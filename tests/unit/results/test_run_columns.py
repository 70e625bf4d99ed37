"""What a table of runs may show, be sorted by and be filtered by."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from sweeper.backend.run_reader import ServerRun
from sweeper.errors import ResultError
from sweeper.results.run_columns import RunColumns, best_first, cells, ordered
from sweeper.results.run_filter import parse
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState

BEGAN = datetime(2026, 1, 1, tzinfo=UTC)


def run(id_, best, state=RunState.FINISHED, **params):
    return RunStatus(
        id=id_,
        name=f"run {id_}",
        state=state,
        params={"opt.lr": 0.1, **params},
        best=best,
        last=best,
        duration_s=float(len(id_)),
        slot="gpu0" if id_ == "a" else "",
        reason="",
        log="",
    )


RUNS = (run("a", 0.5), run("bb", 0.9, n=4), run("ccc", 0.99, RunState.FAILED), run("dddd", None))


@pytest.fixture
def columns():
    """Four runs of one sweep, and a count of how often they were read whole."""
    asked = []

    def read():
        asked.append(1)
        for one in RUNS:
            yield ServerRun(
                id=one.id,
                name=one.name,
                state=one.state,
                sweep="s",
                config={"opt": {"lr": 0.1}, "seed": 7, "both": 1},
                summary={"loss": len(one.id) / 10, "acc": 0.1, "both": 2, "_wandb": {}},
                created_at=BEGAN,
            )

    facts = SweepFacts(
        sweep="e/p/s", name="", url="", state=SweepState.RUNNING, method="random", metric="acc", goal="maximize"
    )
    status = SweepStatus(facts=facts, progress=RunCounts(done=3, total=None, counts={}, elapsed_s=None), runs=RUNS)
    made = RunColumns(status, {one.id: BEGAN + timedelta(days=at) for at, one in enumerate(RUNS)}, read)
    made.asked = asked
    return made


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("acc", [0.5, 0.9, 0.99, None]),  # the metric: its best value
        ("summary.acc", [0.1] * 4),
        ("opt.lr", [0.1] * 4),
        ("lr", [0.1] * 4),  # as tables write it
        ("n", [None, 4, None, None]),
        ("run", ["a", "bb", "ccc", "dddd"]),
        ("duration", [1.0, 2.0, 3.0, 4.0]),
        ("slot", ["gpu0", None, None, None]),
        ("loss", [0.1, 0.2, 0.3, 0.4]),
        ("seed", [7] * 4),
        ("config.seed", [7] * 4),
        ("both", [2] * 4),  # what was logged, before what was given
        ("config.both", [1] * 4),
        ("summary.both", [2] * 4),
    ],
)
def test_a_name_is_found_where_it_is(columns, name, values):
    """In what every run has, the metric, the parameters, what was logged, what was given."""
    assert [columns.find(name).get(one) for one in RUNS] == values


def test_runs_are_read_whole_only_for_what_a_status_lacks(columns):
    """Once: of ten thousand runs that takes a while."""
    assert columns.get("lr", "--sort")
    assert columns.asked == []
    columns.find("loss")
    columns.find("seed")
    assert columns.asked == [1]


def test_a_name_that_is_none_names_the_nearest(columns):
    """And what there is."""
    with pytest.raises(ResultError) as raised:
        columns.get("los", "--columns")
    assert raised.value.message == "--columns: no run has a column 'los'"
    assert raised.value.hint.startswith("did you mean loss? There are: acc, opt.lr, n, id, name, state")
    with pytest.raises(ResultError, match=r"\n    acc>0 los<1\n          \^$"):
        columns.filtered(parse("acc>0 los<1"))
    with pytest.raises(ResultError) as raised:
        columns.get("zzz", "--sort")
    assert raised.value.hint.startswith("there are: acc")


def test_all_conditions_must_hold(columns):
    """Over whatever columns they name."""
    found = columns.filtered(parse("acc>0.4 state=finished created>=2026-01-02"))
    assert [one.id for one in found] == ["bb"]
    assert columns.filtered([]) == [*RUNS]
    with pytest.raises(ResultError, match="is no time"):
        columns.filtered(parse("created>yesterday"))


def test_a_metric_is_sorted_with_the_best_first(columns):
    """Whatever its goal; anything else upwards; what has no value comes last, whichever way."""
    acc, duration = columns.find("acc"), columns.find("duration")
    assert [one.id for one in ordered(RUNS, acc)] == ["ccc", "bb", "a", "dddd"]
    assert [one.id for one in ordered(RUNS, acc, "+")] == ["a", "bb", "ccc", "dddd"]
    assert [one.id for one in ordered(RUNS, acc, "-")] == [
        "ccc",
        "bb",
        "a",
        "dddd",
    ]  # the highest first
    assert [one.id for one in ordered(RUNS, duration, "-")] == ["dddd", "ccc", "bb", "a"]
    assert [one.id for one in ordered(RUNS, columns.find("created"), "-")] == ["dddd", "ccc", "bb", "a"]
    odd = (run("x", math.nan), run("y", 0.1))
    assert [one.id for one in ordered(odd, acc)] == ["y", "x"]
    mixed = (run("x", 0, n="text"), run("y", 0, n=2), run("z", 0, n=True))
    assert [one.id for one in ordered(mixed, columns.find("n"))] == ["z", "y", "x"]


def test_a_failed_run_is_none_of_the_best(columns):
    """Whatever it had logged by then."""
    assert [one.id for one in best_first(RUNS, columns.find("acc"))] == ["bb", "a", "dddd", "ccc"]


def test_cells_are_as_a_table_is_written(columns):
    """Numbers as they are, moments as text."""
    (cell, *_) = cells(RUNS, [columns.find("id"), columns.find("created"), columns.find("acc")])
    assert cell == {"id": "a", "created_at": "2026-01-01T00:00:00+00:00", "acc": 0.5}
