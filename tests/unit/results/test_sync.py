"""What was sent where, and with which key."""

from __future__ import annotations

import pytest

from sweeper.backend.choose import other_backend
from sweeper.errors import BackendError
from sweeper.results.sync import Ledger, RunSync, SyncResult
from sweeper.settings import Settings

URL = "https://wandb.acme.org"


@pytest.fixture
def settings(tmp_path):
    def make(login: str = "", **environ: str) -> Settings:
        """The environment of somebody who has logged in there, or has not."""
        (tmp_path / "netrc").write_text(f"machine {login} login user password {'n' * 40}\n" if login else "")
        return Settings.from_env({"SWEEPER_HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc"), **environ})

    return make


def test_what_was_noted_is_known(tmp_path):
    """Per server and project: what was begun, what has arrived, and the newest sweep with its runs."""
    ledger, other = (Ledger(tmp_path / "sent.jsonl", target) for target in ("a/p", "b/p"))
    assert (ledger.runs("begun"), ledger.sweep()) == ([], (None, set()))
    ledger.begin("r1")
    ledger.begin("r2")
    ledger.sent("r1")
    assert (ledger.runs("begun"), ledger.runs("sent"), other.runs("begun")) == (["r1", "r2"], ["r1"], [])
    ledger.attached("e/p/old", ["r1"])
    ledger.attached("e/p/new", ["r1", "r2"])
    ledger.attached("e/p/new", ["r3"])
    sweep, runs = ledger.sweep()
    assert (sweep.path, runs) == ("e/p/new", {"r1", "r2", "r3"})


def test_a_torn_line_is_no_line(tmp_path):
    """A kill in the midst of a note loses that note and no other."""
    ledger = Ledger(tmp_path / "sent.jsonl", "a/p")
    ledger.begin("r1")
    with ledger.file.open("a") as file:
        file.write('{"to": "a/p", "run": "r2", "be')
    ledger.begin("r3")
    assert ledger.runs("begun") == ["r1", "r3"]


@pytest.mark.parametrize(
    ("login", "environ", "key"),
    [
        ("", {"WANDB_API_KEY": "k"}, "k"),
        ("", {"WANDB_API_KEY": "k", "WANDB_BASE_URL": f"{URL}/"}, "k"),
        ("wandb.acme.org", {"WANDB_API_KEY": "k", "WANDB_BASE_URL": "https://other.org"}, "n" * 40),
        ("wandb.acme.org", {}, "n" * 40),
    ],
)
def test_the_key_is_the_servers_own(settings, login, environ, key):
    """Of a login there, or WANDB_API_KEY where that can be meant."""
    backend = other_backend(settings(login, **environ), f"{URL}/")
    assert (backend.kind, backend.base_url, backend.api_key) == ("wandb", URL, key)


@pytest.mark.parametrize("environ", [{}, {"WANDB_API_KEY": "k", "WANDB_BASE_URL": "https://other.org"}])
def test_another_servers_key_stays_at_home(settings, environ):
    """It is not tried on a server that it was not made for."""
    with pytest.raises(BackendError, match=f"no key for {URL}") as caught:
        other_backend(settings("other.org", **environ), URL)
    assert "WANDB_API_KEY" in caught.value.hint


def test_the_server_of_the_sdk_is_the_default(settings):
    """Without --to and without credentials there is none."""
    assert other_backend(settings(WANDB_API_KEY="k", WANDB_BASE_URL=URL), None).base_url == URL
    with pytest.raises(BackendError, match="no W&B server"):
        other_backend(settings(WANDB_BASE_URL=URL), None)


def test_a_sync_is_well_if_nothing_failed():
    """Runs that have not ended are no failure; one that was not sent is, and so are runs that hang in the air."""
    done = [RunSync(run="a", outcome="sent"), RunSync(run="b", outcome="not ended")]
    assert SyncResult(source="s", to="t", runs=tuple(done)).ok
    assert not SyncResult(source="s", to="t", runs=tuple(done), error="refused").ok
    assert not SyncResult(source="s", to="t", runs=(*done, RunSync(run="c", outcome="failed"))).ok
