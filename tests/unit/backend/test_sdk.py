"""The way to a W&B server, and what becomes of the SDK's errors."""

from __future__ import annotations

import json
import os

import pytest
import wandb
from wandb.sdk.mailbox.mailbox_handle import HandleAbandonedError

from sweeper.backend import sdk
from sweeper.errors import BackendError
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings

NOBODY = Backend(kind="wandb", base_url="http://127.0.0.1:1", api_key="k" * 40)


@pytest.mark.parametrize(
    ("status", "body", "speaks"),
    [
        (200, json.dumps({"service": "sweeper", "pid": 1}), True),
        (200, json.dumps({"service": "other"}), False),
        (200, "[1]", False),
        (200, "<html>", False),
        (404, json.dumps({"service": "sweeper"}), False),
    ],
)
def test_a_server_of_ours_says_so(server, status, body, speaks):
    """Another one has no such page, or says something else there; the key is not sent to find out."""
    server.answer = (status, {}, body.encode())
    assert sdk.speaks_sweeper(Backend(kind="wandb", base_url=f"{server.url}/", api_key="k" * 40)) is speaks
    assert server.seen == [("GET", "/healthz", None)]


def test_nobody_is_no_other_server():
    """Whether it would honour the file cannot be told, and is not guessed."""
    with pytest.raises(BackendError, match="nobody answers at"):
        sdk.speaks_sweeper(NOBODY)


@pytest.mark.usefixtures("environ")
def test_the_sdk_finds_its_server_in_the_environment(server):
    """The whole environment is written anew: what named another run or server is gone."""
    os.environ["WANDB_RUN_ID"] = "mine"
    settings = Settings.from_env({"PATH": "/bin", "WANDB_SERVICE": "3-1-tcp"})
    sdk.connect(Backend(kind="local", base_url=server.url, api_key="k" * 40), settings)
    assert (os.environ["WANDB_BASE_URL"], os.environ["WANDB_API_KEY"]) == (server.url, "k" * 40)
    assert not {"WANDB_RUN_ID", "WANDB_SERVICE"} & set(os.environ)


@pytest.mark.usefixtures("environ")
def test_a_dead_server_is_told_in_seconds():
    """Unless it is behind a proxy, which alone could tell."""
    with pytest.raises(BackendError, match="nobody answers"):
        sdk.connect(NOBODY, Settings.from_env({}))
    sdk.connect(NOBODY, Settings.from_env({"HTTPS_PROXY": "http://proxy.lan:3128"}))


@pytest.mark.parametrize(
    ("error", "fix"),
    [
        (wandb.Error("Could not find run <r1>"), "`sweeper status` lists what there is"),
        (wandb.errors.CommError("401: unauthorized"), "check the key (WANDB_API_KEY) and the server (WANDB_BASE_URL)"),
        (ValueError("Invalid  sweep\nconfig"), ""),
        (HandleAbandonedError("abandoned"), "the server is down or slow; try again"),
        (TypeError(), "check the key (WANDB_API_KEY) and the server (WANDB_BASE_URL)"),
    ],
)
def test_the_sdks_errors_are_ours(error, fix):
    """On one line, with what could not be done before it and what to do behind it."""
    with pytest.raises(BackendError) as caught, sdk.sdk_errors("cannot do it"):
        raise error
    said = " ".join(str(error).split()) or type(error).__name__
    assert (caught.value.message, caught.value.hint) == (f"cannot do it: {said}", fix)


def test_faults_of_ours_are_not_the_servers():
    """What the SDK would not raise goes through."""
    with pytest.raises(KeyError), sdk.sdk_errors("cannot do it"):
        raise KeyError


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Could not find run <Run e/p/r>", True),
        ("Could not find project p", True),
        ("404 Client Error: Not Found for url", True),
        ("project not found", True),
        ("permission denied", False),
        ("401 Unauthorized", False),
    ],
)
def test_what_is_not_there_is_told_apart(text, found):
    """W&B's cloud says it in several ways; whatever else is wrong is told as it is."""
    assert sdk.is_not_found(ValueError(text)) is found


class OldApi:
    """As of wandb 0.18 to 0.21."""

    def runs(self, path, filters=None, order="", *, per_page=50, include_sweeps=True):
        """Tell what was asked."""
        return {"path": path, "filters": filters, "order": order, "per_page": per_page, "sweeps": include_sweeps}


class LazyApi:
    """As of those that leave config and summary out if they are not told."""

    def runs(self, path, *, lazy=True, **more):
        """Tell what was asked."""
        return {**OldApi().runs(path, **more), "lazy": lazy}


def test_runs_are_asked_for_whole_of_any_sdk():
    """One that knows no lazy ones is not told that it shall have none."""
    ref = SweepRef("e", "p", "s")
    old, lazy = sdk.whole_runs(OldApi(), ref), sdk.whole_runs(LazyApi(), ref)
    assert lazy == {**old, "lazy": False}
    assert not old["sweeps"]  # one knows which sweep it asks about, and 0.22 fails of them
    assert (old["path"], old["filters"], old["order"]) == ("e/p", {"$and": [{"sweep": "s"}]}, "+created_at")
