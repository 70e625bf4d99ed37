"""`sweeper server prune` of real sweeps."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest

from sweeper.backend import own_retention
from sweeper.cli.server.prune import PruneCommand, _age
from sweeper.errors import BackendError, SweeperError, UsageError
from sweeper.journal import leftovers
from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import SweepDir
from tests.documented_json import assert_documented
from tests.unit.foreign_server import foreign_server

AGE = ("--older-than", "0h")


@pytest.fixture
def here(sweeper, apart):
    """Run `sweeper ...` as the user of a server on which nothing else is; it is empty afterwards."""
    run = partial(sweeper, SWEEPER_HOME=str(apart.home))
    yield run
    for sweep in json.loads(run("list", "--json").stdout)["sweeps"]:
        run("cancel", sweep["sweep"])
        for one in json.loads(run("status", sweep["sweep"], "--json").stdout)["runs"]:
            apart.wire.stream(one["id"], complete=True, exitcode=1)
        assert run("delete", sweep["sweep"], "--yes").exit_code == 0


@pytest.fixture
def kept(apart, here):
    """What makes a sweep that is over, and whose runs have left something on this machine."""

    def make(*ends, over=True):
        ref, runs = apart.sweep(*ends)
        directory = SweepDir.of(apart.home, ref)
        for run in runs:
            directory.checkpoints_of(run).mkdir(parents=True)
            (directory.checkpoints_of(run) / "model.pt").write_bytes(b"0" * 1000)
            apart.wire.upload(run, "a.txt", b"12345")
        if over:
            here("stop", ref)
        return ref, runs, directory

    return make


def told(done, code=0):
    assert done.exit_code == code, (done.exception, done.stderr)
    found = json.loads(done.stdout)
    assert_documented("server prune", found)
    return found


def left(here, ref):
    return {run["id"] for run in json.loads(here("status", ref, "--json").stdout)["runs"]}


def test_the_best_run_of_each_sweep_stays_and_the_rest_goes(here, apart, kept):
    """On the server and here; it is said before what goes, and afterwards what the database takes."""
    ref, (best, *others), directory = kept(0, 0, 0)
    running, _, _ = kept(0, 0, over=False)
    done = here("server", "prune", *AGE, "--keep-best", "--yes")
    assert done.exit_code == 0, done.exception
    first, silent, total, database, last, now = done.stdout.splitlines()
    assert re.fullmatch(
        rf"sweep {ref}, ended 20..-..-..: 2 of 3 runs, 2 rows, 2 files \(10 B\), 0 artifacts \(0 B\); "
        r"on this machine 2 checkpoints, 2 KB with logs",
        first,
    )
    assert f"1 sweep that nobody has ended, silent since then: {running.sweep_id}" in silent
    assert total.startswith("in all: 1 sweep, 2 runs, 2 rows, 2 files (10 B)")
    assert database.startswith("  of the database about ")
    assert last == "deleted: 2 runs of 1 sweep"
    assert now.startswith("the database has ")
    assert left(here, ref) == {best}
    assert len(left(here, running)) == 2
    assert [place.name for place in (directory.path / "checkpoints").iterdir()] == [best]
    files = apart.home / "server" / "files" / "local" / "p"
    assert [run for run in (best, *others) if (files / run).exists()] == [best]
    again = here("server", "prune", *AGE, "--keep-best", "--yes")
    assert again.stdout.startswith("nothing to prune: ")
    assert again.exit_code == 0


def test_a_dry_run_says_the_same_and_deletes_nothing(here, kept):
    """In JSON all of it: documented, and for scripts."""
    ref, (best, *others), _ = kept(0, 0, 0)
    found = told(here("server", "prune", *AGE, "--keep-best", "1", "--dry-run", "--json"))
    (one,) = found["sweeps"]
    assert (one["sweep"], one["run_ids"], one["kept"], one["whole"]) == (ref.path, others, [best], False)
    assert (one["rows"], one["files"], one["file_bytes"], one["checkpoints"]) == (2, 2, 10, 2)
    assert not found["deleted"]
    assert found["database"]["bytes"] >= found["database"]["about_bytes"] > 0
    assert left(here, ref) == {best, *others}
    said = here("server", "prune", *AGE, "--dry-run")
    assert said.exit_code == 0
    assert said.stdout.endswith("nothing was deleted\n")
    assert here("server", "prune", "--older-than", "1h", "--dry-run").stdout.startswith("nothing to prune")


def test_without_a_run_to_keep_the_sweep_goes_as_a_whole(here, kept):
    """With `--keep-best 0`, or where no run has done what it was started for: its folder too."""
    ref, _, directory = kept(0, 0)
    failed, _, other = kept(1)
    found = told(here("server", "prune", *AGE, "--keep-best", "0", "--yes", "--json"))
    assert found["deleted"]
    assert {one["sweep"]: one["whole"] for one in found["sweeps"]} == {ref.path: True, failed.path: True}
    assert not directory.path.exists()
    assert not other.path.exists()
    assert json.loads(here("list", "--json").stdout)["sweeps"] == []


def test_a_number_of_the_best_stay_and_one_project_alone_is_looked_at(here, kept):
    """Of another project nothing goes."""
    ref, (one, two, three), _ = kept(0, 0, 0)
    assert told(here("server", "prune", *AGE, "-p", "local/q", "--yes", "--json"))["sweeps"] == []
    assert told(here("server", "prune", *AGE, "-p", "nobody/p", "--yes", "--json"))["sweeps"] == []
    assert told(here("server", "prune", *AGE, "-p", "local/p", "--keep-best", "2", "--yes", "--json"))["deleted"]
    assert left(here, ref) == {one, two}
    assert three


def test_launches_go_of_which_no_run_stays(here, kept):
    """Their logs and notes; another's notes stay, but for the log of a run that went."""
    _, (best, other), directory = kept(0, 0)
    folders = []
    for runs in ((other,), (best, other)):
        launch = directory.new_launch()
        for run in runs:
            log = launch.path / "runs" / f"{run}.log"
            log.write_text("said")
            launch.append(Attempt(run_id=run, slot="cpu0", log=str(log)))
        folders.append(launch.path)
    assert here("server", "prune", *AGE, "--yes").exit_code == 0
    assert not folders[0].exists()
    assert [place.name for place in (folders[1] / "runs").iterdir()] == [f"{best}.log"]
    assert {attempt.run_id for attempt in directory.history()} == {best, other}


def test_what_a_launch_of_this_machine_works_on_stays(here, kept):
    """And it is said why; the rest goes all the same."""
    ref, runs, directory = kept(0, 0)
    other, _, _ = kept(0, 0)
    launch = directory.new_launch()
    with launch.held():
        done = here("server", "prune", *AGE, "--yes")
    assert f"stays: {ref}: a launch of this machine" in done.stderr
    assert left(here, ref) == set(runs)
    assert len(left(here, other)) == 1


def test_what_others_need_stays_and_is_named(here, apart, kept):
    """A run that a sweep learns from which goes on."""
    ref, (best, other, _), _ = kept(0, 0, 0)
    query = """mutation($c: String, $f: JSONString) { upsertSweep(input: {config: $c, projectName: "p",
        priorRunsFilters: $f}) { sweep { name } } }"""
    config = json.dumps({"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"values": [0.1, 0.2]}}})
    filters = json.dumps({"$or": [{"name": other}]})
    learner = apart.wire.graphql(query, c=config, f=filters)["upsertSweep"]["sweep"]["name"]
    done = here("server", "prune", *AGE, "--yes")
    assert f"  stays: run {other} of {ref.path}: a sweep learns from it: {learner}" in done.stdout.splitlines()
    assert left(here, ref) == {best, other}
    found = told(here("server", "prune", *AGE, "--yes", "--json"))
    assert found["needed"] == [{"sweep": ref.path, "run": other, "why": "prior", "by": learner}]


def test_a_sweep_that_begins_anew_meanwhile_stays(here, kept, monkeypatch):
    """It is looked at again in the moment of deletion; what this machine keeps of it stays as well."""
    ref, runs, directory = kept(0, 0)

    def late(*arguments, **more):
        here("resume", ref)
        return delete(*arguments, **more)

    delete = own_retention.delete
    monkeypatch.setattr(own_retention, "delete", late)
    found = told(here("server", "prune", *AGE, "--yes", "--json"))
    assert [(one["sweep"], "begun anew" in one["why"]) for one in found["stayed"]] == [(ref.path, True)]
    assert left(here, ref) == set(runs)
    assert all(directory.checkpoints_of(run).exists() for run in runs)
    assert not (directory.path / leftovers.RUNS_MARK).exists()


@pytest.mark.parametrize("keep", ["0", "1"])
@pytest.mark.parametrize("step", range(4))
def test_interrupted_at_any_step_the_same_command_goes_on(here, kept, monkeypatch, keep, step):
    """Before the server is asked, between two of its transactions, before this machine, and in the middle of that."""
    ref, runs, directory = kept(*[0] * 4)
    monkeypatch.setattr("sweeper.results.prune.AT_ONCE", 2)
    asked = iter(range(100))

    def killed(*arguments, **more):
        if next(asked) == step:
            raise KeyboardInterrupt
        return delete(*arguments, **more)

    def killed_here(*arguments, **more):
        if step == 2:
            raise KeyboardInterrupt
        if step == 3:
            assert arguments[0].path == directory.path
            leftovers._remove(directory.checkpoints_of(runs[-1]))
            raise KeyboardInterrupt
        return remove(*arguments, **more)

    delete, remove = own_retention.delete, leftovers.remove
    with monkeypatch.context() as patch:
        if step < 2:
            patch.setattr(own_retention, "delete", killed)
        else:
            patch.setattr("sweeper.results.prune.leftovers.remove", killed_here)
        first = here("server", "prune", *AGE, "--keep-best", keep, "--yes")
        if not (keep == "0" and step == 1):  # a whole sweep of four runs is one request
            assert first.exit_code != 0
    second = here("server", "prune", *AGE, "--keep-best", keep, "--yes")
    assert second.exit_code == 0, (second.exception, second.stdout)
    if keep == "0":
        assert not directory.path.exists()
    else:
        assert left(here, ref) == {runs[0]}
        assert [place.name for place in (directory.path / "checkpoints").iterdir()] == [runs[0]]
        assert not (directory.path / leftovers.RUNS_MARK).exists()
    assert here("server", "prune", *AGE, "--keep-best", keep, "--yes").stdout.startswith("nothing to prune")


def test_a_sweep_that_the_server_has_deleted_leaves_nothing_here(here, apart, kept):
    """Its deletion was begun here; another folder of this machine is nobody's business."""
    ref, _, directory = kept(0)
    _, _, other = kept(0)
    stranger = SweepDir(other.path.with_name("none of ours:"))
    stranger.path.mkdir()
    leftovers.mark(stranger, "local")
    leftovers.mark(directory, "local")
    id_ = apart.wire.graphql(
        'query($s: String!) { project(name: "p") { sweep(sweepName: $s) { id } } }', s=ref.sweep_id
    )
    given = {"id": id_["project"]["sweep"]["id"]}
    apart.wire.graphql("mutation($i: JSON!) { deleteSweep(input: $i) { left } }", i=given)
    done = here("server", "prune", *AGE, "--yes")
    assert f"sweep {ref.path}: what an interrupted command has left here, 1 checkpoint, 1 KB with logs" in done.stdout
    assert (directory.path.exists(), other.path.exists(), stranger.path.exists()) == (False, True, True)
    stranger.path.joinpath(leftovers.MARK).unlink()
    stranger.path.rmdir()


def test_nobody_is_asked_without_a_terminal_and_nothing_goes(here, kept):
    """It is an error, which says what to do."""
    ref, runs, _ = kept(0, 0)
    unasked = here("server", "prune", *AGE)
    assert isinstance(unasked.exception, SweeperError)
    assert "--yes" in unasked.exception.hint
    assert left(here, ref) == set(runs)


def test_where_no_server_ever_was_there_is_nothing_to_prune(sweeper):
    """And none is started for it."""
    assert told(sweeper("server", "prune", *AGE, "--json"))["sweeps"] == []
    assert sweeper("server", "prune", *AGE).stdout == "nothing to prune: there is no server yet\n"


def test_another_server_is_not_pruned(sweeper, apart):
    """It says what deletes there."""
    with foreign_server(apart.url) as url:
        done = sweeper("server", "prune", *AGE, "--yes", WANDB_BASE_URL=url, WANDB_API_KEY=apart.wire.key)
    assert isinstance(done.exception, BackendError)
    assert "no server of sweeper's" in done.exception.message


@pytest.mark.parametrize(("text", "hours"), [("90d", 2160), ("2w", 336), ("48h", 48), ("0.5d", 12), ("0h", 0)])
def test_an_age_is_read(text, hours):
    """In hours, days or weeks."""
    assert _age(text).total_seconds() == hours * 3600


@pytest.mark.parametrize("text", ["90", "d", "-1d", "90 d", "90m", "1e3d", "", "90d\n", "9999999d"])
def test_what_is_no_age_is_refused(text):
    """With what to write instead."""
    with pytest.raises(UsageError, match="is no age"):
        _age(text)


@pytest.mark.parametrize(
    ("args", "keep"),
    [(["--keep-best"], 1), (["--keep-best", "3"], 3), ([], 1), (["--keep-best", "--yes"], 1), (["--keep-best=2"], 2)],
)
def test_the_number_behind_keep_best_may_be_left_out(args, keep):
    """It is 1 then."""
    from typer.main import get_command

    from sweeper.cli.server import app

    command = get_command(app).commands["prune"]
    assert isinstance(command, PruneCommand)
    context = command.make_context("prune", ["--older-than", "1d", *args])
    assert (context.params["keep_best"], context.params["older_than"]) == (keep, "1d")
