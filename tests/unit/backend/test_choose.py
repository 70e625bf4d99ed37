"""Which server a command talks to, and which sweep it means."""

from __future__ import annotations

import pytest

from sweeper.backend.choose import (
    LastSweep,
    _only_one,
    check_sweep,
    chosen_backend,
    follow_last,
    forget,
    has_key,
    last_sweep,
    lost_data,
    other_backend,
    remember,
    resolve,
    wandb_backend,
)
from sweeper.backend.sweep_names import KnownNames, NamedSweep
from sweeper.errors import BackendError, SweeperError, SweepNotFoundError
from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings

LOCAL = Backend(kind="local", base_url="http://127.0.0.1:1")
CLOUD = Backend(kind="wandb", base_url="https://wandb.acme.org")


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings.from_env({"SWEEPER_HOME": str(tmp_path), "NETRC": str(tmp_path / "none"), "HOME": str(tmp_path)})


def test_the_last_sweep_is_the_default(settings):
    """What `create` noted is what `launch` takes."""
    remember(settings, LastSweep("local/p/s1", "local", LOCAL.base_url))
    assert resolve(settings, LOCAL, None).path == "local/p/s1"


def test_the_embedded_server_may_move(settings):
    """A new port is the same server; another W&B server is not."""
    remember(settings, LastSweep("local/p/s1", "local", "http://127.0.0.1:2"))
    assert resolve(settings, LOCAL, None).sweep_id == "s1"
    remember(settings, LastSweep("acme/p/s1", "wandb", "https://elsewhere.org"))
    with pytest.raises(SweeperError, match=r"elsewhere\.org"):
        resolve(settings, CLOUD, None)


def test_a_sweep_on_the_other_server_is_not_taken_by_mistake(settings):
    """The hint names the way to it."""
    remember(settings, LastSweep("local/p/s1", "local", LOCAL.base_url))
    with pytest.raises(SweeperError) as caught:
        resolve(settings, CLOUD, None)
    assert "--backend local" in caught.value.hint


def test_a_bare_id_is_looked_up_among_the_sweeps_of_this_machine(settings):
    """Nobody types entity and project of a sweep made here."""
    (settings.home / "sweeps" / "local" / "mnist" / "ab12cd34").mkdir(parents=True)
    assert resolve(settings, LOCAL, "ab12cd34").path == "local/mnist/ab12cd34"


def test_an_id_is_found_on_our_server_in_whichever_project(embedded, backend, settings):
    """What `sweeper list` prints can be typed, whoever made the sweep, and without the SDK."""
    ref, _ = embedded.sweep()
    assert resolve(settings, backend, ref.sweep_id) == resolve(settings, backend, f"p/{ref.sweep_id}") == ref
    assert resolve(settings, backend, f"q/{ref.sweep_id}").path == f"local/q/{ref.sweep_id}"
    assert resolve(settings, backend, "nowhere0").path == "local/sweeper/nowhere0"


def test_an_id_that_two_sweeps_have_needs_its_project(backend, settings):
    """On this machine and on the server: none of them is taken for the other."""
    for project in ("mnist", "cifar"):
        (settings.home / "sweeps" / "local" / project / "ab12cd34").mkdir(parents=True)
    assert resolve(settings, backend, "ab12cd34").path == "local/sweeper/ab12cd34"
    assert resolve(settings, backend, "mnist/ab12cd34").path == "local/mnist/ab12cd34"
    ref, other = SweepRef("local", "p", "twice"), SweepRef("local", "q", "twice")
    assert _only_one(KnownNames((NamedSweep(ref), NamedSweep(other))), "twice") is None
    assert _only_one(KnownNames((NamedSweep(ref), NamedSweep(other))), "q/twice") == other
    assert _only_one(KnownNames((NamedSweep(ref),)), " /twice/ ") == ref
    assert _only_one(KnownNames((NamedSweep(ref),)), "q/twice") is None


def test_only_the_sweep_created_last_is_forgotten_with_it(settings):
    """Another one that is deleted leaves it the default."""
    remember(settings, LastSweep("local/p/s1", "local", LOCAL.base_url))
    forget(settings, SweepRef("local", "p", "s2"))
    assert resolve(settings, LOCAL, None).sweep_id == "s1"
    forget(settings, SweepRef("local", "p", "s1"))
    with pytest.raises(SweepNotFoundError, match="the sweep created last, local/p/s1, was deleted"):
        resolve(settings, LOCAL, None)


def test_a_name_is_no_pattern(tmp_path):
    """`sweeper cancel '*'` names a sweep called `*`, not the one sweep there is."""
    (tmp_path / "sweeps" / "acme" / "mnist" / "ab12cd34").mkdir(parents=True)
    settings = Settings.from_env({"SWEEPER_HOME": str(tmp_path), "WANDB_ENTITY": "acme"})
    assert resolve(settings, CLOUD, "*").path == "acme/sweeper/*"


@pytest.mark.parametrize(
    ("choice", "sweep", "followed"),
    [("auto", None, "local"), ("auto", "e/p/s", "auto"), ("wandb", None, "wandb")],
)
def test_auto_follows_the_last_sweep_where_none_is_named(settings, choice, sweep, followed):
    """After `create --backend local`, a plain `launch` goes there too, whatever credentials there are."""
    assert follow_last(settings, choice, sweep) == choice
    remember(settings, LastSweep("local/p/s1", "local", LOCAL.base_url))
    assert follow_last(settings, choice, sweep) == followed


@pytest.mark.parametrize(
    "text",
    ['{"sweep": "x"', "[]", "", '{"sweep": 5, "backend": "local", "base_url": "x"}', '{"sweep": "a", "more": 1}', "\0"],
)
def test_a_damaged_note_is_no_note(settings, text):
    """A half-written file is as good as none, and the error names it."""
    settings.home.mkdir(exist_ok=True)
    (settings.home / "last-sweep.json").write_text(text)
    assert last_sweep(settings) is None
    with pytest.raises(SweepNotFoundError, match=r"last-sweep\.json does not say"):
        check_sweep(settings, CLOUD, None)


def test_where_there_is_nothing_to_read_no_server_is_started(settings):
    """The error says where it looked, and nothing was made there."""
    with pytest.raises(SweepNotFoundError, match=f"no sweep was created yet in {settings.home}"):
        check_sweep(settings, None, "local/p/s1")
    with pytest.raises(SweepNotFoundError, match="no sweep was created yet"):
        check_sweep(settings, CLOUD, None)
    check_sweep(settings, CLOUD, "e/p/s1")
    assert not list(settings.home.glob("*"))


@pytest.mark.parametrize("gone", ["server", "server/sweeper.db"])
def test_data_that_were_deleted_are_told_from_none(settings, gone):
    """What is gone, the sweep that went with it, and how to get it back or begin anew."""
    (settings.home / "server").mkdir(parents=True)
    (settings.home / "server" / "sweeper.db").touch()
    remember(settings, LastSweep("local/p/s1", "local", LOCAL.base_url))
    assert lost_data(settings) == ""
    (settings.home / "server" / "sweeper.db").unlink()
    if gone == "server":
        (settings.home / "server").rmdir()
    with pytest.raises(SweepNotFoundError) as caught:
        check_sweep(settings, None, None)
    assert f"{settings.home / gone} is gone, and with it sweep local/p/s1" in caught.value.message
    assert "sweeper server restore" in caught.value.hint


def test_wandb_without_credentials_is_refused(settings):
    """Nobody is sent to the internet by accident."""
    with pytest.raises(SweeperError, match="no W&B credentials"):
        chosen_backend(settings, "wandb")


# Where results are sent to

URL = "https://wandb.acme.org"


@pytest.fixture
def environment(tmp_path):
    def make(login: str = "", **environ: str) -> Settings:
        """The environment of somebody who has logged in there, or has not."""
        (tmp_path / "netrc").write_text(f"machine {login} login user password {'n' * 40}\n" if login else "")
        return Settings.from_env({"SWEEPER_HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc"), **environ})

    return make


@pytest.mark.parametrize(
    ("login", "environ", "key"),
    [
        ("", {"WANDB_API_KEY": "k", "WANDB_BASE_URL": f"{URL}/"}, "k"),
        ("", {"WANDB_API_KEY": "k", "WANDB_BASE_URL": f"{URL}:443"}, "k"),
        ("wandb.acme.org", {"WANDB_API_KEY": "k", "WANDB_BASE_URL": "https://other.org"}, "n" * 40),
        ("wandb.acme.org", {}, "n" * 40),
    ],
)
def test_the_key_is_the_servers_own(environment, login, environ, key):
    """Of a login there, or WANDB_API_KEY where that can be meant."""
    backend = other_backend(environment(login, **environ), f"{URL}/")
    assert (backend.kind, backend.base_url, backend.api_key) == ("wandb", URL, key)


OTHERS = [URL.replace("https", "http"), f"{URL}:8443", f"{URL}/path", f"{URL}.evil.org", "http://[bad", f"{URL}:x"]
NOT_ITS = [{}, {"WANDB_API_KEY": "k"}, *({"WANDB_API_KEY": "k", "WANDB_BASE_URL": url} for url in OTHERS)]


@pytest.mark.parametrize("environ", [*NOT_ITS, {"WANDB_API_KEY": "k", "WANDB_BASE_URL": "https://other.org"}])
def test_another_servers_key_stays_at_home(environment, environ):
    """It is not tried on a server that it was not made for."""
    with pytest.raises(BackendError, match=f"no key for {URL}") as caught:
        other_backend(environment("other.org", **environ), URL)
    assert "WANDB_API_KEY" in caught.value.hint


def test_a_login_for_everything_else_is_for_no_other_server(environment, tmp_path):
    """What netrc has as `default` is the key of a host that nobody can tell."""
    settings = environment()
    (tmp_path / "netrc").write_text(f"default login user password {'n' * 40}\n")
    with pytest.raises(BackendError, match="no key for"):
        other_backend(settings, URL)


def test_the_clouds_key_goes_to_the_cloud_and_a_named_one_where_it_is_named_for(environment):
    """WANDB_API_KEY alone is W&B's; a file's key is for the server on the same line."""
    settings = environment(WANDB_API_KEY="k")
    assert other_backend(settings, "https://api.wandb.ai/").api_key == "k"
    assert other_backend(settings, URL, key="named").api_key == "named"


@pytest.mark.parametrize("host", ["wandb.acme.org", "10.0.0.1", "8.8.8.8", "127.0.0.1.evil.org", "localhost.evil.org"])
def test_no_key_crosses_a_network_in_the_clear(environment, host):
    """Unless somebody has decided so; what never leaves this machine may be plain."""
    settings = environment(WANDB_API_KEY="k", WANDB_BASE_URL=f"http://{host}:8080")
    with pytest.raises(BackendError, match="in the clear"):
        other_backend(settings, f"http://{host}:8080", key="named")
    assert other_backend(settings, f"http://{host}:8080", insecure_http=True).api_key == "k"
    for own in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1"):
        assert other_backend(settings, own, key="named").api_key == "named"


def test_the_server_of_the_sdk_is_the_default(environment):
    """Without --to and without credentials there is none."""
    assert other_backend(environment(WANDB_API_KEY="k", WANDB_BASE_URL=URL), None).base_url == URL
    with pytest.raises(BackendError, match="no W&B server"):
        other_backend(environment(WANDB_BASE_URL=URL), None)


def test_whether_there_is_a_key_is_asked_without_an_error(environment):
    """But a text that is no address is wrong in any case."""
    assert has_key(environment("wandb.acme.org"), URL)
    assert not has_key(environment(), URL)
    assert not has_key(environment(), None)
    with pytest.raises(BackendError, match="is no address"):
        has_key(environment(), "acme")


def test_a_run_is_not_taken_for_a_sweep(settings):
    """Both are eight letters; whose run it is and what can be done with one is said."""
    launch = SweepDir.of(settings.home, SweepRef("local", "p", "s1")).new_launch()
    launch.append(Attempt(run_id="r1", slot="cpu0"))
    with pytest.raises(SweepNotFoundError, match="r1 is a run of sweep local/p/s1") as caught:
        resolve(settings, LOCAL, "r1")
    assert "sweeper stop local/p/s1 --run r1" in caught.value.hint


@pytest.mark.parametrize("url", ["nonsense", "http://[::bad", "http://x:99999", "ftp://x", "http://", "https://:1"])
def test_what_is_no_address_is_told_so(environment, url):
    """In WANDB_BASE_URL and behind --to, whatever is wrong with it."""
    with pytest.raises(BackendError, match="is no address"):
        other_backend(environment(WANDB_API_KEY="k"), url)
    with pytest.raises(BackendError, match="which is no address"):
        wandb_backend(environment(WANDB_API_KEY="k", WANDB_BASE_URL=url))
