"""How a confirmation looks in a terminal."""

from __future__ import annotations

from sweeper.cli.confirmation_view import lines_of, show_confirmation
from sweeper.search.confirmation import Confirmation, Contender

FOUND = Confirmation(
    sweep="s1",
    sweeps=("c1", "c2"),
    seed_parameter="seed",
    metric="acc",
    goal="maximize",
    planned=7,
    ended=6,
    contenders=(
        Contender(
            params={"lr": 0.1, "b": 1}, in_sweep=0.95, planned=3, n=3, mean=0.9, low=0.88, high=0.92, verdict="first"
        ),
        Contender(params={"lr": 0.2, "b": 1}, in_sweep=0.94, planned=3, n=2, failed=1, mean=0.89, verdict="noise"),
        Contender(params={"lr": "[red]x", "b": 1}, planned=1),
    ),
    findings=("[bold]what[/] it means",),
)


def test_a_row_for_each_configuration_fits_80_columns(capsys, monkeypatch):
    """Only what differs names them; texts of others are text."""
    monkeypatch.setenv("COLUMNS", "80")
    show_confirmation(FOUND)
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert [" ".join(line.split()) for line in lines] == [
        "",
        "confirmed with other values of seed: 6 of 7 runs",
        "configuration in sweep mean 95% interval seeds verdict",
        "1 lr=0.1 0.95 0.9 0.88 to 0.92 3 best mean",
        "2 lr=0.2 0.94 0.89 - 2 of 3 may be noise",
        "3 lr=[red]x - - - 0 of 1 too few seeds",
        "[bold]what[/] it means",
        "runs: sweeper status c1 or c2",
    ]


def test_what_was_not_confirmed_is_not_shown(capsys):
    """A sweep nobody has confirmed says nothing of it."""
    show_confirmation(None)
    assert capsys.readouterr().out == ""


def test_the_lines_that_it_takes_are_known_before(capsys, monkeypatch):
    """So that a status above it leaves room for them."""
    monkeypatch.setenv("COLUMNS", "80")
    show_confirmation(FOUND)
    assert lines_of(FOUND) == len(capsys.readouterr().out.splitlines())
    assert lines_of(None) == 0
