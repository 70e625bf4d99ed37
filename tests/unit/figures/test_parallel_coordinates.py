"""Parallel coordinates: a line per run over what varies."""

from __future__ import annotations

import math

from sweeper.figures.parallel_coordinates import MOST_AXES, MOST_RUNS, NONE_Y, parallel_coordinates
from sweeper.figures.scales import ParameterAxis
from tests.unit.figures.conftest import HOSTILE, drawn, make_run, texts

AXES = [ParameterAxis("lr", log=True), ParameterAxis("kind", ("a", "b", [1, 2], True))]


def test_each_run_is_a_line_and_the_best_are_above():
    """Lines are drawn from the worst to the best, ten of them strongly; each says what it is."""
    runs = [make_run(i, float(i), params={"lr": 10.0**-i, "kind": "a"}) for i in range(1, 13)]
    body = parallel_coordinates(runs, AXES, "acc", "maximize").body
    assert body.index("r1 ·") < body.index("r2 ·") < body.index("r12 ·")
    assert body.count('class="top') == 10


def test_failed_and_stopped_runs_are_marked(read):
    """Dashed for stopped, red for failed; a run without a value goes to `none`."""
    runs = [make_run(1, 0.5), make_run(2, 0.4, "stopped"), make_run(3, None, "failed"), make_run(4, None, "waiting")]
    root = read(parallel_coordinates(runs, [ParameterAxis("lr")], "acc", "maximize"))
    assert len(drawn(root, "early")) == 1
    (lost,) = drawn(root, "lost")
    assert lost.get("d").endswith(f" {NONE_Y}")
    assert "none" in texts(root)


def test_a_parameter_that_was_not_active_has_a_place_of_its_own(read):
    """Conditional parameters and hostile names are drawn like all others."""
    runs = [make_run(1, 0.5, params={"kind": HOSTILE}), make_run(2, 0.6, params={"kind": "b", "lr": 0.1})]
    root = read(parallel_coordinates(runs, [*AXES, ParameterAxis(HOSTILE)], HOSTILE, "minimize"))
    assert texts(root).count("none") == 2


def test_nothing_is_drawn_of_nothing(read):
    """No runs, or nothing that varies: no figure. Without a metric lines have no colour."""
    assert parallel_coordinates([], AXES, "acc", "maximize") is None
    assert parallel_coordinates([make_run(1, 0.5)], [], "acc", "maximize") is None
    plain = read(parallel_coordinates([make_run(1), make_run(2)], [ParameterAxis("lr")], "", "minimize"))
    assert len(drawn(plain, "bare")) == 2
    assert "best" not in texts(plain)


def test_odd_values_break_nothing(read):
    """NaN, infinities, huge integers and lists among numbers."""
    odd = (math.nan, math.inf, 10**400, -1, 0, None, [1], "x")
    runs = [make_run(i, value if i % 2 else 0.5, params={"lr": value}) for i, value in enumerate(odd, start=1)]
    runs = [
        run if isinstance(run.value, float | None) else make_run(run.number, 1.0, params=run.params) for run in runs
    ]
    read(parallel_coordinates(runs, [ParameterAxis("lr", log=True)], "acc", "maximize"))


def test_many_runs_and_many_parameters_are_bounded():
    """A sweep of 10,000 runs and 40 parameters has a picture that can be sent."""
    params = {f"p{i}": i for i in range(40)}
    runs = [make_run(i, float(i), params=params) for i in range(1, 3001)]
    figure = parallel_coordinates(runs, [ParameterAxis(name) for name in params], "acc", "maximize")
    assert f"best {MOST_RUNS} of 3000" in figure.note
    assert f"first {MOST_AXES} of 40" in figure.note
    assert len(figure.body) < 500_000
