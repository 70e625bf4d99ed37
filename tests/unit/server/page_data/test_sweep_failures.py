"""Why runs failed, and what they have in common."""

from __future__ import annotations

import base64


def test_failures_are_grouped_by_cause(ask, swept):
    """With the runs, the latest first; one in nine failed, whatever its parameters."""
    told = ask("failures")
    (cause,) = told["causes"]
    assert (told["ended"], cause["cause"]) == (27, "exit code 1")
    assert cause["runs"] == [swept[2][place] for place in (26, 17, 8)]
    assert isinstance(cause["traits"], list)


def test_a_selection_has_its_own_failures(ask):
    """Here none."""
    bits = base64.urlsafe_b64encode(bytes([255])).decode()
    assert ask("failures", runs=bits) == {"ended": 8, "causes": []}
