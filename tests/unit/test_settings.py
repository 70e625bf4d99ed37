"""What the environment says, and what children get."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from sweeper.errors import SweeperError
from sweeper.settings import Backend, Settings, asks_for_tracebacks, private_setting, read_private

KEY = "k" * 40


def test_the_state_directory_follows_sweeper_home(tmp_path):
    """SWEEPER_HOME wins over the platform's directory."""
    assert Settings.from_env({"SWEEPER_HOME": str(tmp_path)}).home == tmp_path
    assert Settings.from_env({}).home.name == "sweeper"


@pytest.mark.parametrize(("host", "found"), [("wandb.acme.org", True), ("other.org", False)])
def test_a_login_is_found_for_its_server_only(tmp_path, host, found):
    """The netrc file is read, never written."""
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine wandb.acme.org\n  login user\n  password {KEY}\n")
    netrc.chmod(0o600)
    settings = Settings.from_env({"NETRC": str(netrc)})
    assert settings.login_key(f"https://{host}:8080") == (KEY if found else None)


@pytest.mark.parametrize(
    ("variable", "field"),
    [
        ("WANDB_BASE_URL", "base_url"),
        ("WANDB_API_KEY", "api_key"),
        ("WANDB_ENTITY", "entity"),
        ("WANDB_PROJECT", "project"),
    ],
)
def test_each_variable_is_read_and_an_empty_one_is_none(variable, field):
    """`export WANDB_ENTITY=` takes a setting back."""
    assert getattr(Settings.from_env({variable: "x"}), field) == "x"
    assert getattr(Settings.from_env({variable: ""}), field) is None
    assert getattr(Settings.from_env({}), field) is None
    assert Settings.from_env({variable: "x"}).environ == {variable: "x"}


@pytest.mark.parametrize(("said", "asks"), [("1", True), ("0", False), ("", False), ("true", False)])
def test_tracebacks_are_asked_for_with_a_one(said, asks):
    """And with nothing else."""
    assert asks_for_tracebacks({"SWEEPER_DEBUG": said}) is asks
    assert Settings.from_env({"SWEEPER_DEBUG": said}).debug is asks
    assert asks_for_tracebacks({}) is False


def test_the_state_directory_is_absolute(tmp_path, monkeypatch):
    """Children stand elsewhere; an empty name is none, `~` is the user's home."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "me"))
    assert Settings.from_env({"SWEEPER_HOME": "state"}).home == tmp_path / "state"
    assert Settings.from_env({"SWEEPER_HOME": "~/state"}).home == tmp_path / "me" / "state"
    assert Settings.from_env({"SWEEPER_HOME": ""}).home.is_relative_to(tmp_path / "me")


def test_the_netrc_file_is_looked_for_where_the_sdk_does(tmp_path, monkeypatch):
    """NETRC, then ~/.netrc, then ~/_netrc; the `default` of a file is no login of a W&B server."""
    monkeypatch.setenv("HOME", str(tmp_path))
    places = [tmp_path / "named", tmp_path / ".netrc", tmp_path / "_netrc"]
    settings = Settings.from_env({"NETRC": str(places[0])})
    assert settings.netrc_path is None
    for place in reversed(places):
        place.write_text(f"machine w.org login user password {place.name}\ndefault login user password other\n")
        place.chmod(0o600)
        assert settings.netrc_path == place
        assert settings.login_key("https://w.org") == place.name
    assert settings.login_key("https://x.org") is None
    assert settings.login_key("no address") is None
    assert Settings.from_env({}).netrc_path == places[1]


def test_a_secret_is_in_no_repr():
    """Keys do not reach logs by way of repr."""
    shown = repr(Settings.from_env({"WANDB_API_KEY": KEY})), repr(Backend(kind="wandb", base_url="", api_key=KEY))
    assert KEY not in "".join(shown)


def test_children_talk_to_the_embedded_server_whatever_the_shell_says():
    """A W&B key, entity or offline mode of the user's does not reach a local run; speed settings of theirs do."""
    user = {
        "WANDB_API_KEY": "x" * 40,
        "WANDB_BASE_URL": "https://example.org",
        "WANDB_ENTITY": "acme",
        "WANDB_MODE": "offline",
        "WANDB_RUN_ID": "mine",
        "WANDB_SERVICE": "3-1-tcp",
        "WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL": "5",
        "PATH": "/bin",
    }
    env = Backend(kind="local", base_url="http://127.0.0.1:1", api_key=KEY).environ(user)
    assert env["WANDB_BASE_URL"] == "http://127.0.0.1:1"
    assert env["WANDB_API_KEY"] == KEY
    assert env["WANDB_MODE"] == "online"
    assert (env["WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL"], env["WANDB__FILE_STREAM_TRANSMIT_INTERVAL"]) == ("5", "5")
    assert env["NO_PROXY"] == env["no_proxy"] == "127.0.0.1,localhost"
    assert env["WANDB_ERROR_REPORTING"] == "false"
    assert env["PATH"] == "/bin"
    assert not {"WANDB_ENTITY", "WANDB_PROJECT", "WANDB_RUN_ID", "WANDB_SERVICE"} & env.keys()


ONE_RUN = ["WANDB_RUN_ID", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH", "WANDB_RESUME", "WANDB_SERVICE", "WANDB_NAME"]


@pytest.mark.parametrize("kind", ["local", "wandb"])
def test_no_child_takes_itself_for_the_run_around_it(kind):
    """What names one run or one SDK process is left out on every server."""
    env = Backend(kind=kind, base_url="http://127.0.0.1:1").environ({**dict.fromkeys(ONE_RUN, "x"), "A": "1"})
    assert not set(ONE_RUN) & env.keys()
    assert env["A"] == "1"


@pytest.mark.parametrize(
    ("user", "direct"),
    [
        ({}, "127.0.0.1,localhost"),
        ({"NO_PROXY": "a.org"}, "127.0.0.1,localhost,a.org"),
        ({"no_proxy": "b.org"}, "127.0.0.1,localhost,b.org"),
        ({"NO_PROXY": "a.org", "no_proxy": "b.org"}, "127.0.0.1,localhost,a.org"),
        ({"NO_PROXY": "", "no_proxy": "b.org"}, "127.0.0.1,localhost,b.org"),
    ],
)
def test_the_server_on_this_machine_is_behind_no_proxy(user, direct):
    """Whatever else is reached directly still is; another server follows the user's settings."""
    env = Backend(kind="local", base_url="http://127.0.0.1:1").environ(user)
    assert (env["NO_PROXY"], env["no_proxy"]) == (direct, direct)
    there = Backend(kind="wandb", base_url="https://w.org").environ(user)
    assert {name: there[name] for name in there if "PROXY" in name.upper()} == user


@pytest.mark.parametrize(
    ("user", "read"),
    [({}, None), ({"WANDB_X_A": "1"}, "1"), ({"WANDB__A": "2"}, "2"), ({"WANDB_X_A": "", "WANDB__A": "2"}, "2")],
)
def test_a_private_setting_of_the_sdk_has_two_names(user, read):
    """SDKs before 0.19 read the second one alone; what the user has set under either is theirs."""
    assert read_private(user, "A") == read
    assert private_setting("A", "3") == {"WANDB_X_A": "3", "WANDB__A": "3"}


def test_what_the_user_says_of_pace_and_reports_wins():
    """Ours are defaults; the address and the key are no matter of taste."""
    user = {"WANDB_ERROR_REPORTING": "true", "WANDB_API_KEY": "theirs", "WANDB_PROJECT": "p"}
    local = Backend(kind="local", base_url="http://127.0.0.1:1").environ(user)
    assert (local["WANDB_ERROR_REPORTING"], local["WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL"]) == ("true", "1")
    assert local["WANDB_API_KEY"] == "theirs"
    assert Backend(kind="wandb", base_url="https://w.org", api_key=KEY).environ(user)["WANDB_API_KEY"] == KEY
    assert user["WANDB_API_KEY"] == "theirs"


def test_children_keep_the_users_wandb_settings_on_wandb():
    """On a W&B server the user's entity, mode and pace stay as they are."""
    user = {"WANDB_ENTITY": "acme", "WANDB_MODE": "offline"}
    env = Backend(kind="wandb", base_url="https://example.org").environ(user)
    assert env == {**user, "WANDB_BASE_URL": "https://example.org"}


@pytest.mark.parametrize(("home", "said"), [("/b\udcff", "no UTF-8"), ("~nobody-of-this-name/x", "no such user")])
def test_a_state_directory_that_cannot_be_is_refused_in_words(home, said):
    """A name in another encoding, a user who is not there."""
    with pytest.raises(SweeperError, match=said) as caught:
        Settings.from_env({"SWEEPER_HOME": home})
    assert "set SWEEPER_HOME" in caught.value.hint


def test_a_relative_state_directory_needs_a_current_one(tmp_path, monkeypatch):
    """Which may be deleted."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    with pytest.raises(SweeperError, match="was deleted"):
        Settings.from_env({"SWEEPER_HOME": "home"})


@pytest.mark.parametrize(
    ("content", "said"), [(b"\xff\xfe\x00", "not text in UTF-8"), (b"hello my friend", "bad toplevel token"), (b"", "")]
)
def test_a_netrc_file_that_cannot_be_read_has_no_logins_and_says_why(tmp_path, content, said):
    """Others write it: whatever stands in it, commands go on without it."""
    (tmp_path / "netrc").write_bytes(content)
    settings = Settings.from_env({"NETRC": str(tmp_path / "netrc")})
    assert settings.login_key("https://api.wandb.ai") is None
    assert said in settings.netrc_trouble
    assert bool(settings.netrc_trouble) is bool(said)


def test_a_netrc_file_of_somebody_else_says_whose_it_is():
    """Its owner, its mode, and who asks."""
    if os.geteuid() != 0:
        pytest.skip("only root can become somebody else")
    with tempfile.TemporaryDirectory() as folder:  # not tmp_path, which nobody else may enter
        Path(folder).chmod(0o755)
        (Path(folder) / "netrc").touch(mode=0o600)
        settings = Settings.from_env({"NETRC": f"{folder}/netrc"})
        os.seteuid(65534)
        try:
            trouble, key = settings.netrc_trouble, settings.login_key("https://api.wandb.ai")
        finally:
            os.seteuid(0)
    assert "netrc belongs to root (mode 600), and you are nobody" in trouble
    assert key is None


@pytest.mark.parametrize("place", ["~nobody-of-this-name/x", "/", "x" * 5000, "/dev/null/x"])
def test_a_netrc_file_that_cannot_be_is_none(tmp_path, place):
    """A directory, a user who is not there, a name too long."""
    settings = Settings.from_env({"NETRC": place, "HOME": str(tmp_path)})
    assert settings.netrc_path is None or settings.netrc_path.name.endswith("netrc")
