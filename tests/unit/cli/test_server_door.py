"""A server that `--server` names: what later commands need to ask it again."""

from __future__ import annotations

import shutil

import certifi
import pytest

from sweeper.backend.joining import JoinedServer
from sweeper.cli.server_door import ServerDoor, find_on_cluster
from sweeper.errors import BackendError
from sweeper.launch.cluster_request import ClusterRequest
from sweeper.ref import SweepRef
from sweeper.settings import Backend, Settings

REF = SweepRef("e", "p", "s")
URL = "https://head:8080"


@pytest.fixture
def files(tmp_path):
    """A key and a certificate, in a folder whose name a shell must be told of."""
    folder = tmp_path / "my files"
    folder.mkdir()
    (folder / "key").write_text("k" * 40)
    shutil.copy(certifi.where(), folder / "certificate.pem")
    return folder


def test_later_commands_are_told_where_the_server_is_and_whom_they_trust(files):
    """Others than `worker` have no option for it: it goes before them."""
    certificate = files / "certificate.pem"
    door = ServerDoor(Settings(home=files, environ={}), URL, files / "key", certificate, insecure_http=False)
    backend = Backend(kind="wandb", base_url=URL, api_key="k" * 40)
    target = door.target(JoinedServer(door.settings, backend), REF, joined="--group worker")
    assert target.command("launch") == (
        f"sweeper worker e/p/s --server {URL} --certificate '{certificate}' --key-file '{files}/key'"
    )
    trust = f"SSL_CERT_FILE='{certificate}' REQUESTS_CA_BUNDLE='{certificate}'"
    assert target.command("status") == (
        f"WANDB_BASE_URL={URL} WANDB_API_KEY=$(cat '{files}/key') {trust} sweeper status e/p/s"
    )
    again = door.target(JoinedServer(door.settings, backend), REF)
    assert again.command("launch").endswith("sweeper launch e/p/s")


def test_a_key_crosses_no_network_in_the_clear_unless_that_is_wanted(files, monkeypatch):
    """Neither to join nor for a launch on a cluster."""
    monkeypatch.setenv("SWEEPER_HOME", str(files))
    request = ClusterRequest(workers=1, server="http://head:8080")
    given = {"sweep": "e/p/s", "key_file": files / "key", "certificate": None, "insecure_http": False}
    with pytest.raises(BackendError, match="in the clear") as caught:
        find_on_cluster(request, given)
    assert "--insecure-http" in caught.value.hint
