"""`sweeper compare` against a real server."""

from __future__ import annotations


def test_runs_stand_side_by_side(here, embedded):
    """What differs first, then what came of it."""
    ref, (a, b, c) = embedded.sweep(0, 0, 1)
    lines = here("compare", a, b, c, "--sweep", ref).stdout.splitlines()
    assert lines[0].split() == ["config", a, b, c]
    assert lines[1].split() == ["lr", "0.1", "0.2", "0.3"]
    told = {line.split()[0]: line.split()[1:] for line in lines if line.strip()}
    assert told["state"] == ["finished", "finished", "failed"]
    assert told["best"] == ["loss", "0.1", "0.2", "0.3"]
    assert max(map(len, lines)) <= 80


def test_a_run_of_another_sweep_needs_its_whole_name(here, told, embedded):
    """Then both metrics are told."""
    ref, (a,) = embedded.sweep(0)
    other, (b,) = embedded.sweep(0)
    done = here("compare", a, b, "--sweep", ref)
    assert done.exit_code == 1
    assert done.exception.hint == f"it is a run of {other}: name that sweep ({other}), or the run as local/p/{b}"
    found = told("compare", a, f"local/p/{b}", "--sweep", ref, home=embedded.home)
    assert [run["sweep"] for run in found["runs"]] == [ref.path, other.path]
    assert found["config"]["lr"] == {"values": [0.1, 0.1], "same": True}
    assert found["course"]["state"]["values"] == ["finished", "finished"]


def test_one_run_is_not_compared(here, embedded):
    """Nor is one with itself, nor more than can be read."""
    ref, (a,) = embedded.sweep(0)
    assert "alone cannot be compared" in here("compare", a).exception.message
    assert here("compare", a, f"local/p/{a}", "--sweep", ref).exception.message == f"these are one run: {a}"
    assert here("compare", a, a, "--sweep", ref).exception.message == f"these are one run: {a}"
    assert "more than 20" in here("compare", *map(str, range(21))).exception.message
    assert here("compare").exit_code == 2
