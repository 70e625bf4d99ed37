"""`sweeper list` against a real server."""

from __future__ import annotations

import json


def test_every_sweep_has_a_line(here, embedded):
    """What was active last comes first; the next command is about it."""
    ref, runs = embedded.sweep(
        0,
        0,
        None,
        text="name: my try\n" + "method: grid\nmetric: {name: loss}\nparameters: {lr: {values: [0.1, 0.2, 0.3, 0.4]}}",
    )
    done = here("list")
    assert done.exit_code == 0
    line = next(line for line in done.stdout.splitlines() if ref.sweep_id in line)
    assert line.split() == [f"p/{ref.sweep_id}", "my", "try", "running", "2/4", "0.1", "loss", "now"]
    assert max(map(len, done.stdout.splitlines())) <= 80
    embedded.wire.stream(runs[2], complete=True, exitcode=0)
    assert here("list", "--top", 1).stdout.splitlines()[-1] == f"next: sweeper status {ref}"


def test_json_tells_all_of_them(told, embedded):
    """How many there are, and of each what it has come to; states in lower case."""
    ref, runs = embedded.sweep(0, 1)
    listed = told("list", "--project", "p", home=embedded.home)
    mine = next(one for one in listed["sweeps"] if one["sweep"] == ref.path)
    assert (mine["state"], mine["done"], mine["total"], mine["best"], mine["best_run"]) == (
        "running",
        2,
        4,
        0.1,
        runs[0],
    )
    assert mine["counts"] == {"finished": 1, "failed": 1}
    assert listed["total"] >= len(listed["sweeps"])
    assert len(told("list", "--top", 1, home=embedded.home)["sweeps"]) == 1


def test_a_project_that_is_not_there_names_the_nearest(here, embedded):
    """Nothing is listed, and nothing is made."""
    embedded.sweep()
    done = here("list", "--project", "pp")
    assert done.exit_code == 1
    assert done.exception.message == "no project pp with a sweep on this server"
    assert done.stdout == ""


def test_nothing_is_started_for_an_empty_list(sweeper, home):
    """Before the first sweep there is no server, and this is no reason for one."""
    done = sweeper("list")
    assert done.exit_code == 0
    assert done.stdout.splitlines() == ["no sweep yet", "next: sweeper create sweeps/quickstart.yaml"]
    assert json.loads(sweeper("list", "--json").stdout) == {"sweeps": [], "total": 0}
    assert not (home / "server").exists()


def test_a_server_of_another_kind_says_what_it_does_not_tell(embedded, capsys):
    """On stderr: the table is data."""
    from datetime import UTC, datetime

    from sweeper.backend.sweep_lists import SweepList
    from sweeper.cli.list import _print
    from tests.unit.results.test_sweep_list import summary

    assert embedded
    from sweeper.results.sweep_list import SweepLine

    line = SweepLine(summary(agents=None), None)
    _print([line], 3, SweepList((), "e", told=False), datetime.now(UTC), as_json=False)
    said = capsys.readouterr()
    assert "does not tell how many runs have ended" in said.err
    assert "… 2 more sweeps" in said.out
