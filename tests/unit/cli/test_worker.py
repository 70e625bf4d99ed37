"""What `sweeper worker` refuses, and says of what it cannot do; what it does, tests/e2e/test_worker.py has."""

from __future__ import annotations

from pathlib import Path

import pytest

from sweeper.backend import embedded_server
from sweeper.cli.target import Target
from sweeper.errors import SweeperError
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings
from tests.unit.foreign_server import foreign_server

KEY = "local-" + "k" * 40


@pytest.fixture
def key_file(tmp_path) -> Path:
    """A file with a key of no server."""
    file = tmp_path / "key"
    file.write_text(KEY)
    return file


@pytest.fixture
def real_key(embedded) -> Path:
    """The file with the key of the server that the tests share."""
    return embedded_server.key_file(embedded_server.data_dir(embedded.home))


def error(done) -> SweeperError:
    """What a command raised."""
    assert isinstance(done.exception, SweeperError), (done.exception, done.output)
    return done.exception


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["grid.yaml"], "is a sweep file"),
        (
            ["s1", "--gpus", "0", "--workers", "1", "--server", "https://head", "--key-file", "KEY"],
            "exclude each other",
        ),
        (["s1", "--group", "to morrow"], "is no name of a group"),
        (["s1", "--key-file", "-", "--detach"], "exclude each other"),
        (["s1", "--timeout", "soon"], "--timeout"),
        (["s1"], "no W&B server is named"),
        (["s1", "--server", "head:8080", "--key-file", "KEY"], "--server 'head:8080' is no address"),
        (["s1", "--server", "http://head:8080", "--key-file", "KEY"], "in the clear"),
        (["s1", "--server", "https://head", "--key-file", "nowhere"], "cannot read a key from nowhere"),
        (["s1", "--server", "https://head"], "no key for https://head"),
        (["s1", "--server", "https://head", "--key-file", "KEY", "--certificate", "KEY"], "holds no certificate"),
    ],
)
def test_what_cannot_be_meant_asks_nobody(sweeper, home, key_file, words, says):
    """And leaves nothing behind."""
    given = [str(key_file) if word == "KEY" else word for word in words]
    assert says in error(sweeper("worker", *given)).message
    assert not (home / "sweeps").exists()


@pytest.mark.parametrize("named", ["options", "environ"])
def test_nobody_answers(sweeper, key_file, named):
    """Server and key are named by options, or by the environment of a container."""
    url, places = "http://127.0.0.1:9", ["--workers", "1"]
    if named == "options":
        done = sweeper("worker", "s1", "--server", url, "--key-file", key_file, *places)
    else:
        done = sweeper("worker", "s1", *places, SWEEPER_SERVER=url, SWEEPER_KEY_FILE=str(key_file))
    assert f"nobody answers at {url}" in error(done).message


def test_a_wrong_key_and_a_wrong_sweep_are_told(sweeper, embedded, key_file, real_key):
    """With what to give instead; nothing was launched."""
    ref, _ = embedded.sweep(0)
    places = ["--server", embedded.url, "--workers", "1"]
    assert "does not take the key" in error(sweeper("worker", ref, *places, "--key-file", key_file)).message
    wrong = error(sweeper("worker", f"{ref.sweep_id[:-1]}_", *places, "--key-file", real_key))
    assert "no sweep" in wrong.message
    assert ref.path in wrong.hint


def test_a_machine_that_comes_too_late_has_done_no_wrong(sweeper, here, told, embedded, real_key):
    """A pod that is started once more must not have its job fail; a sweep that was canceled is another matter."""
    over, canceled = embedded.sweep(0)[0], embedded.sweep(0)[0]
    here("stop", over.path)
    here("cancel", canceled.path)
    given = ["--server", embedded.url, "--workers", "1", "--key-file", real_key, "--trainer", "os:getpid"]
    said = told("worker", over.path, *given)
    assert (said["ok"], said["runs"], said["ended"]) == (
        True,
        [],
        f"sweep {over.path} was stopped: 1 of its 4 runs are done",
    )
    assert said["url"].endswith(f"/sweeps/{over.sweep_id}")
    assert "no run was left for this machine" in sweeper("worker", over.path, *given).stderr
    assert "is canceled" in error(sweeper("worker", canceled.path, *given)).message


def test_a_count_that_nobody_would_keep_is_refused(sweeper, embedded, real_key):
    """W&B's servers count nothing for a group; what to do instead is said."""
    ref, _ = embedded.sweep(0)
    with foreign_server(embedded.url) as url:
        given = ["--server", url, "--key-file", real_key, "--workers", "1", "--count", "3"]
        refused = error(sweeper("worker", ref, *given))
    assert "takes a server of sweeper's" in refused.message
    assert "sweeper launch --backend wandb --count 3" in refused.hint


def test_the_next_commands_name_the_server():
    """As they can be typed in: it is none that this machine would look at by itself."""
    settings = Settings(home=Path("/home"))
    backend = Backend(kind="wandb", base_url="http://h:1", own=True)
    ref = SweepRef("e", "p", "s")
    target = Target(
        settings, backend, ref, joined="--server http://h:1 --key-file k", environ="WANDB_BASE_URL=http://h:1 "
    )
    assert target.command("launch") == "sweeper worker e/p/s --server http://h:1 --key-file k"
    assert target.command("retry") == "WANDB_BASE_URL=http://h:1 sweeper retry e/p/s"
