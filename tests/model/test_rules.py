"""Random interleavings of everything that happens to a sweep, against a reference: docs/guarantees.md."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.model.machine import SweepMachine

STEPS = 10_000
PARTS = 4
"""So many processes can share the steps."""
QUICK = settings(max_examples=10, stateful_step_count=30, suppress_health_check=[*HealthCheck], database=None)
LONG = settings(QUICK, max_examples=(STEPS // 40 + 60) // PARTS, stateful_step_count=40, print_blob=True)


def test_no_promise_is_broken_in_some_hundred_steps():
    """The same ones each time: what breaks here breaks for everybody who runs the tests."""
    run_state_machine_as_test(SweepMachine, settings=QUICK)


@pytest.mark.model
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("part", range(PARTS))
def test_no_promise_is_broken_in_ten_thousand_steps(pytestconfig, part):
    """The same ones each time, as in every gate; others by hand, with `--hypothesis-seed=random`."""
    machine = type(f"{SweepMachine.__name__}{part}", (SweepMachine,), {})  # its name is what the examples follow from
    before, same = SweepMachine.steps, pytestconfig.getoption("--hypothesis-seed") is None
    run_state_machine_as_test(machine, settings=settings(LONG, derandomize=same))
    assert SweepMachine.steps - before >= STEPS // PARTS
