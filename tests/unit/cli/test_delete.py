"""`sweeper delete` of real sweeps and runs."""

from __future__ import annotations

import json

import pytest

from sweeper.errors import LaunchError, ResultError, SweeperError, SweepNotFoundError
from sweeper.journal import leftovers
from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import SweepDir
from tests.documented_json import assert_documented


def told(done):
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert_documented("delete", found)
    assert found["deleted"]
    return found["sweeps"]


@pytest.fixture
def kept(embedded):
    """What makes a sweep whose runs have left something on this machine."""

    def make(*ends):
        ref, runs = embedded.sweep(*ends)
        directory = SweepDir.of(embedded.home, ref)
        for run in runs:
            directory.checkpoints_of(run).mkdir(parents=True)
            (directory.checkpoints_of(run) / "model.pt").write_bytes(b"0" * 1000)
            embedded.wire.upload(run, "a.txt", b"12345")
        return ref, runs, directory

    return make


def states(here, ref):
    return {run["id"]: run["state"] for run in json.loads(here("status", ref, "--json").stdout)["runs"]}


def test_a_sweep_goes_with_all_that_is_its(here, embedded, kept):
    """On the server and here; it is said what goes, and afterwards it is not there for any command."""
    ref, runs, directory = kept(0, 1)
    here("cancel", ref)
    done = here("delete", ref, "--yes")
    assert done.stdout.splitlines() == [
        f"sweep {ref}: 2 runs, 2 files (10 B), 0 artifacts (0 B)",
        "  on this machine: 2 checkpoints, 2 KB in all with logs",
        f"deleted: sweep {ref}",
    ], done.exception
    assert not directory.path.exists()
    assert not (embedded.home / "server" / "files" / "local" / "p" / runs[0]).exists()
    assert isinstance(here("status", ref).exception, SweepNotFoundError)
    assert isinstance(here("delete", ref, "--yes").exception, SweepNotFoundError)


def test_runs_go_and_their_sweep_stays(here, kept):
    """By their ids here, by id or name with the sweep; in JSON what went."""
    ref, (first, second, third), directory = kept(0, 0, 0)
    name = json.loads(here("status", ref, "--json").stdout)["runs"][1]["name"]
    (found,) = told(here("delete", name, "--sweep", ref, "--yes", "--json"))
    assert (found["run_ids"], found["whole"], found["checkpoints"]) == ([second], False, 1)
    assert states(here, ref) == {first: "finished", third: "finished"}
    assert not directory.checkpoints_of(second).exists()
    launch = directory.new_launch()
    log = launch.path / "runs" / "cpu0-0001.log"
    log.write_text("said")
    launch.append(Attempt(run_id=third, slot="cpu0", log=str(log)))
    (found,) = told(here("delete", third, "--yes", "--json"))
    assert (found["sweep"], found["run_ids"]) == (ref.path, [third])
    assert not log.exists()
    assert states(here, ref) == {first: "finished"}


def test_what_is_at_work_is_refused_with_what_to_do(here, embedded, kept):
    """A running sweep, a run under way, a launch of this machine; nothing is half done, of several sweeps neither."""
    ref, (done, working), directory = kept(0, None)
    other, _, _ = kept(0)
    here("cancel", other)
    refused = here("delete", other, ref, "--yes").exception
    assert isinstance(refused, LaunchError)
    assert (f"{ref}: it is running" in refused.message, f"sweeper cancel {ref}" in refused.hint) == (True, True)
    assert json.loads(here("status", other, "--json").stdout)["runs"]
    single = here("delete", done, working, "--sweep", ref, "--yes").exception
    assert f"sweeper stop {ref} --run {working}" in single.hint
    here("stop", ref)
    assert f"under way: {working}" in here("delete", ref, "--yes").exception.message
    embedded.wire.stream(working, complete=True, exitcode=0)
    launch = directory.new_launch()
    with launch.held():
        assert "a launch of this machine" in here("delete", ref, "--yes").exception.message
    assert set(states(here, ref)) == {done, working}
    assert here("delete", ref, "--yes").exit_code == 0


def test_an_interrupted_deletion_is_finished_by_the_same_command(here, embedded, kept):
    """Killed between server and disk: the mark says that what is here may go. Without it nobody's folder is touched."""
    ref, _, directory = kept(0)
    here("cancel", ref)
    id_ = embedded.wire.graphql(
        'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { id } } }', s=ref.sweep_id
    )
    given = {"id": id_["project"]["sweep"]["id"]}
    embedded.wire.graphql("mutation($i: JSON!) { deleteSweep(input: $i) { left } }", i=given)
    assert isinstance(here("delete", ref, "--yes").exception, SweepNotFoundError)
    assert directory.path.exists()
    leftovers.mark(directory, "local")
    assert here("delete", ref, "--yes").stdout.endswith(f"deleted: sweep {ref}\n")
    assert not directory.path.exists()


def test_an_interrupted_deletion_of_a_run_is_finished_likewise(here, embedded, kept):
    """It is gone on the server, and what it left here goes; a third time there is no such run."""
    ref, (gone, _), directory = kept(0, 0)
    id_ = embedded.wire.run(gone, "id")["id"]
    embedded.wire.graphql("mutation($i: JSON!) { deleteRun(input: $i) { clientMutationId } }", i={"id": id_})
    assert here("delete", gone, "--sweep", ref, "--yes").exit_code == 0
    assert not directory.checkpoints_of(gone).exists()
    assert isinstance(here("delete", gone, "--sweep", ref, "--yes").exception, ResultError)


def test_several_are_deleted_on_one_server(here, kept):
    """Which is said once; a sweep that is named twice is one."""
    first, second = kept(0)[0], kept(0)[0]
    here("cancel", first)
    here("cancel", second)
    done = here("delete", first, second.sweep_id, second, "--yes")
    assert done.stdout.splitlines()[-2:] == [f"deleted: sweep {first}", f"deleted: sweep {second}"], done.exception
    assert done.stderr.count("server: ") == 1


def test_the_sweep_created_last_is_said_to_be_deleted(here, embedded, kept):
    """The next command that goes without a name says so, and follows nothing that is not there."""
    ref, _, _ = kept(0)
    note = embedded.home / "last-sweep.json"
    before = note.read_text() if note.exists() else None
    note.write_text(json.dumps({"sweep": ref.path, "backend": "local", "base_url": embedded.url}))
    here("cancel", ref)
    here("delete", ref, "--yes")
    error = here("status").exception
    assert isinstance(error, SweepNotFoundError)
    assert f"the sweep created last, {ref}, was deleted" in error.message
    note.unlink() if before is None else note.write_text(before)


def test_wrong_input_is_an_error_and_deletes_nothing(here, kept):
    """Nobody to ask, a run that is not there (the nearest is named), and no id at all."""
    ref, (run,), _ = kept(0)
    here("cancel", ref)
    unasked = here("delete", ref)
    assert isinstance(unasked.exception, SweeperError)
    assert "--yes" in unasked.exception.hint
    wrong = here("delete", run[:-1] + ("1" if run.endswith("0") else "0"), "--sweep", ref, "--yes").exception
    assert isinstance(wrong, ResultError)
    assert "did you mean" in wrong.hint
    assert here("delete").exit_code == 2
    assert set(states(here, ref)) == {run}
