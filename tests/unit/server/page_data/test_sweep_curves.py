"""Learning curves: some points of each, of the runs that are asked for."""

from __future__ import annotations

import base64

from sweeper.server.page_data import sweep_curves


def test_every_run_has_its_points(ask, swept):
    """Iterations from 1, the last value among them."""
    told = ask("curves")
    assert told["ids"] == swept[2]
    assert set(map(tuple, told["at"])) == {(1, 2, 3, 4)}
    assert told["values"][0] == sorted(told["values"][0], reverse=True)


def test_a_selection_has_its_own(ask, swept):
    """In as many points as are asked for, but for a few."""
    bits = base64.urlsafe_b64encode(bytes([0b01000000, 0, 0, 0])).decode()
    told = ask("curves", runs=bits, points=1)
    assert told["ids"] == [swept[2][1]]
    assert told["at"][0][-1] == 4


def test_what_is_no_number_is_refused(ask):
    """In words."""
    assert "is no number" in str(ask("curves", points="-1", status=400))
    assert ask("curves", points="99999")["ids"]


def test_any_logged_number_has_its_curves(ask, swept):
    """Over its steps, of the runs that logged it; as few points as are asked for, and none of what is no number."""
    told = ask("curves", key="other")
    assert told["ids"] == swept[2]
    assert set(map(tuple, told["at"])) == {(0, 1, 2, 3)}
    assert all(value < 0 for values in told["values"] for value in values)
    assert ask("curves", key="nope") == {"ids": [], "at": [], "values": []}


def test_only_so_many_runs_are_looked_up(ask, swept, monkeypatch):
    """The rest of them would keep the server from its agents."""
    monkeypatch.setattr(sweep_curves, "MOST_LOOKED_UP", 2)
    assert ask("curves", key="other")["ids"] == swept[2][:2]
