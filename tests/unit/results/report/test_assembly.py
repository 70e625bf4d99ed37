"""A report, put together: with gaps named, whatever the sweep is like."""

from __future__ import annotations

import yaml

from sweeper.run import RunState
from tests.unit.results.report.conftest import PLAIN, make_report, make_run, many


def test_it_has_all_that_is_known():
    """Definition, runs, axes by importance, curves, rungs, weights, failures, and the best run's commands."""
    report = make_report(*many(60), made_on=(("GPU", "x"),), made_by=(("sweeper", "1"),))
    assert yaml.safe_load(report.definition) == PLAIN.to_dict()
    assert [axis.name for axis in report.axes] == [weight.name for weight in report.weights]
    assert report.rungs[:2] == (2, 6)
    assert len(report.curves) == 60
    assert len(report.rerun) == 1 + (not isinstance(report.status.standing.best.params["kind"], list))
    assert report.status.failures
    assert report.made_on == (("GPU", "x"),)


def test_no_runs_yet():
    """A sweep without runs has a report, without claims."""
    report = make_report()
    assert (report.runs, report.axes, report.rerun, report.unknown) == ((), (), (), ())


def test_what_is_not_known_is_said():
    """On a server that tells no reasons, and on a machine that ran nothing, the gaps are named."""
    killed, crashed = make_run(1, RunState.KILLED, 0.5), make_run(2, RunState.CRASHED)
    said = " ".join(make_report(killed, crashed, make_run(3, RunState.FINISHED, 0.6), local=False).unknown)
    for part in ("Where runs ran", "Why runs were stopped", "Why some runs failed", "Which versions and machine"):
        assert part in said
    assert "Why runs were stopped" not in " ".join(make_report(killed).unknown)
