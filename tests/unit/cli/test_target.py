"""What a command begins with: the server that is meant, and the sweep on it."""

from __future__ import annotations

import os
import socket
from dataclasses import replace

import pytest

from sweeper.backend.choose import LastSweep, remember
from sweeper.cli.target import Target, find_server, find_target
from sweeper.errors import BackendError, ServerError, SweepNotFoundError
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings


@pytest.fixture
def server(environ, home):
    """A W&B server that the environment names; here nobody needs to hear more of it than that it listens."""
    home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        os.environ.update(environ | {"WANDB_BASE_URL": url, "WANDB_API_KEY": "k" * 40, "WANDB_ENTITY": "acme"})
        yield url


def test_a_command_is_about_the_sweep_created_last(server, capsys):
    """On the server that it is on, which is named on stderr: stdout is for data."""
    remember(Settings.from_env(), LastSweep("acme/mnist/s1", "wandb", server))
    target = find_target(None, "auto")
    assert (target.ref.path, target.backend.kind, target.backend.base_url) == ("acme/mnist/s1", "wandb", server)
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", f"server: {server} (W&B server)\n")


@pytest.mark.usefixtures("server")
def test_a_name_is_filled_up_from_the_environment():
    """PROJECT/ID is enough where WANDB_ENTITY says whose."""
    assert find_target("mnist/s1", "wandb").ref.path == "acme/mnist/s1"


@pytest.mark.usefixtures("server")
def test_the_sdk_is_pointed_there_and_the_settings_are_those_before():
    """Workers get the user's environment, and not what was put there for this process's SDK."""
    target = find_target("mnist/s1", "auto")
    assert os.environ["WANDB_SILENT"] == "true"
    assert "WANDB_SILENT" not in target.settings.environ


@pytest.mark.usefixtures("server")
def test_without_a_sweep_the_first_step_is_named():
    """Not a traceback of a file that is missing."""
    with pytest.raises(SweepNotFoundError) as caught:
        find_target(None, "wandb")
    assert "sweeper create" in caught.value.hint


def test_a_server_that_is_not_there_is_named(environ):
    """At once, where the SDK would try for minutes."""
    os.environ.update(environ | {"WANDB_BASE_URL": "http://127.0.0.1:1", "WANDB_API_KEY": "k" * 40})
    with pytest.raises(BackendError, match=r"nobody answers at http://127\.0\.0\.1:1"):
        find_target("p/s1", "wandb")


def test_a_netrc_file_that_cannot_be_read_is_told_where_a_login_would_count(here, tmp_path):
    """The sweep goes to the embedded server, and not in silence: `--backend wandb` says why it cannot be had."""
    (tmp_path / "netrc").write_bytes(b"\xff")
    (tmp_path / "sweep.yaml").write_text("method: grid\nparameters: {dropout: {values: [0.1]}}\n")
    made = here("create", tmp_path / "sweep.yaml", "--trainer", "trainer.train:train")
    assert "netrc is no netrc file: it is not text in UTF-8: so there is no login" in made.stderr
    assert "no W&B credentials (" in str(here("status", "--backend", "wandb").exception)


@pytest.mark.parametrize(
    ("text", "says", "fix"),
    [
        ("grid.yaml", "is a sweep file", "sweeper create grid.yaml, then: sweeper launch"),
        ("sweeps/Bayes.YML", "is a sweep file", "sweeper create sweeps/Bayes.YML"),
        ("train.py", "is a script", "program: train.py"),
        ("http://127.0.0.1:80/local/my/sweeps/ab12", "is the address of a page", "local/my/ab12"),
        ("https://wandb.ai/e/p/sweeps/ab12?nw=1", "is the address of a page", "e/p/ab12"),
        ("e/p/sweeps/ab12", "is the address of a page", "e/p/ab12"),
    ],
)
@pytest.mark.usefixtures("environ")
def test_what_is_no_sweeps_name_is_told_before_a_server_is_asked(home, text, says, fix):
    """A newcomer gives the file or the address instead of the id."""
    with pytest.raises(SweepNotFoundError) as caught:
        find_target(text, "auto")
    assert says in caught.value.message
    assert fix in caught.value.hint
    assert not (home / "server").exists()


@pytest.mark.usefixtures("server")
def test_the_next_command_names_a_sweep_that_was_named():
    """Without its name it would be about the sweep created last."""
    target = find_target("mnist/s1", "auto")
    assert target.command("resume") == "sweeper resume acme/mnist/s1"
    spaced = replace(target, ref=SweepRef("acme", "my project", "s1"))
    assert spaced.command("stop") == "sweeper stop 'acme/my project/s1'"
    assert replace(spaced, named=False).command("stop") == "sweeper stop"
    target.check()


def test_room_is_asked_of_the_disk_of_the_embedded_server_alone(home):
    """Another server has its own."""
    settings, ref = Settings(home=home), SweepRef("e", "p", "s")
    Target(settings, Backend(kind="wandb", base_url="http://elsewhere"), ref).check_room(2**62)
    with pytest.raises(ServerError, match="MiB left, and the server needs"):
        Target(settings, Backend(kind="local", base_url="http://127.0.0.1:1"), ref).check_room(2**62)


@pytest.mark.usefixtures("environ")
def test_a_command_about_all_sweeps_starts_no_server_for_nothing(home):
    """None before the first sweep; that its data were deleted is said."""
    settings, backend = find_server("auto")
    assert (settings.home, backend) == (home, None)
    assert not home.exists()
    (home / "server").mkdir(parents=True)
    (home / "server" / "last-port").write_text("5000")
    with pytest.raises(SweepNotFoundError, match="data were deleted"):
        find_server("auto")


def test_a_command_about_all_sweeps_opens_the_server_that_is_meant(server, capsys):
    """Not that of the sweep created last, whose sweeps the next command could not name."""
    remember(Settings.from_env(), LastSweep("local/p/s1", "local", "http://127.0.0.1:1"))
    _, backend = find_server("auto")
    assert backend.base_url == server
    assert capsys.readouterr().err == f"server: {server} (W&B server)\n"
