"""What a sweep has left on this machine, weighed and removed."""

from __future__ import annotations

import pytest

from sweeper.journal import leftovers
from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef


@pytest.fixture
def directory(tmp_path):
    """A sweep with two runs."""
    made = SweepDir.of(tmp_path, SweepRef("e", "p", "s"))
    for run in ("one", "two"):
        for place in (made.checkpoints_of(run), made.best_of(run), made.wandb / "wandb" / f"run-20260101_000000-{run}"):
            place.mkdir(parents=True)
            (place / "x").write_bytes(b"12345")
    return made


def test_nothing_is_left_of_a_sweep(directory):
    """Its folder goes; a second time does no harm."""
    assert leftovers.found(directory) == leftovers.Leftovers(2, 30)
    leftovers.mark(directory, "local")
    leftovers.remove(directory)
    assert not directory.path.exists()
    leftovers.remove(directory)
    assert leftovers.found(directory) == leftovers.Leftovers(0, 0)


def test_only_what_is_a_runs_goes_with_it(directory, tmp_path):
    """Its log too, if it lies here: a note may name any file of this machine."""
    launch = directory.new_launch()
    log, foreign = launch.path / "runs" / "a.log", tmp_path / "mine"
    for place in (log, foreign):
        place.write_text("x")
        launch.append(Attempt(run_id="one", slot="cpu0", log=str(place)))
    assert leftovers.found(directory, ["one"]) == leftovers.Leftovers(1, 16)
    leftovers.remove(directory, ["one"])
    assert (log.exists(), foreign.exists()) == (False, True)
    assert leftovers.found(directory, ["one"]) == leftovers.Leftovers(0, 0)
    assert leftovers.found(directory, ["two"]) == leftovers.Leftovers(1, 15)


def test_a_mark_is_of_one_server(directory, tmp_path):
    """Another server's sweep of the same name is not meant, and where there is no folder there is no mark."""
    leftovers.mark(directory, "https://one")
    assert leftovers.is_marked(directory, "https://one")
    assert not leftovers.is_marked(directory, "local")
    nowhere = SweepDir(tmp_path / "nowhere")
    leftovers.mark(nowhere, "local")
    assert not leftovers.is_marked(nowhere, "local")


def test_a_link_goes_and_not_what_it_leads_to(directory, tmp_path):
    """A trainer may have linked its data."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x").write_text("x")
    (directory.checkpoints_of("one") / "link").symlink_to(tmp_path / "data")
    (directory.path / "link").symlink_to(tmp_path / "data")
    leftovers.remove(directory)
    assert (tmp_path / "data" / "x").exists()


def test_runs_that_are_going_are_marked_for_one_server(directory, tmp_path):
    """Until they are removed, or stay after all; what is no such note marks nothing."""
    leftovers.mark_runs(directory, "local", ["one"])
    assert leftovers.marked_runs(directory, "local") == ("one",)
    assert leftovers.marked_runs(directory, "https://one") == ()
    leftovers.remove(directory, ["one"], staying=["two"])
    assert leftovers.marked_runs(directory, "local") == ()
    for text in ("[]", "{", '{"server": "local"}', '{"server": "local", "runs": 5}'):
        (directory.path / leftovers.RUNS_MARK).write_text(text)
        assert leftovers.marked_runs(directory, "local") == ()
    leftovers.mark(directory, "local")
    leftovers.unmark(directory)
    assert not leftovers.is_marked(directory, "local")
    assert not (directory.path / leftovers.RUNS_MARK).exists()
    nowhere = SweepDir(tmp_path / "nowhere")
    leftovers.mark_runs(nowhere, "local", ["one"])
    assert leftovers.marked_runs(nowhere, "local") == ()


def test_a_launch_goes_of_which_no_run_stays_if_it_has_ended(directory):
    """One that had none of the runs stays, and so does one at work; without a word about the others none goes."""
    made = {}
    for name, runs in (("gone", ["one"]), ("older", ["one", "long gone"]), ("both", ["one", "two"]), ("none", [])):
        made[name] = directory.new_launch()
        for run in runs:
            made[name].append(Attempt(run_id=run, slot="cpu0"))
    busy = directory.new_launch()
    busy.append(Attempt(run_id="one", slot="cpu0"))
    with busy.held():
        assert leftovers.found(directory, ["one"]).size < leftovers.found(directory, ["one"], staying=["two"]).size
        leftovers.remove(directory, ["one"])
        assert all(launch.path.exists() for launch in made.values())
        leftovers.remove(directory, ["one"], staying=["two"])
        assert {name for name, launch in made.items() if launch.path.exists()} == {"both", "none"}
        assert busy.path.exists()
