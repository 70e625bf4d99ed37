"""A server elsewhere, whose sweeps this machine works on."""

from __future__ import annotations

import shutil
import ssl
import subprocess
from pathlib import Path

import certifi
import pytest

from sweeper.backend import embedded_server, joining
from sweeper.errors import BackendError, SweepNotFoundError
from sweeper.settings import Backend, Settings
from tests.conftest import clean_environ
from tests.unit.foreign_server import foreign_server

pytestmark = pytest.mark.usefixtures("environ")


@pytest.fixture
def key(embedded):
    """The key of the server that the tests share."""
    return embedded_server.key_file(embedded_server.data_dir(embedded.home)).read_text().strip()


@pytest.fixture
def elsewhere(tmp_path):
    """The environment of another machine, which has another W&B server, too."""
    own = clean_environ(tmp_path)
    return Settings.from_env({**own, "WANDB_ENTITY": "acme", "WANDB_PROJECT": "x", "WANDB_MODE": "offline"})


def test_what_the_environment_says_of_another_server_does_not_count(embedded, elsewhere, key):
    """A sweep is found by its id alone; the SDK is online, and sends what early termination needs at once."""
    ref, _ = embedded.sweep(0)
    server = joining.join(elsewhere, Backend(kind="wandb", base_url=embedded.url, api_key=key))
    assert server.find(ref.sweep_id) == ref
    env = server.backend.environ(server.settings.environ)
    assert "WANDB_ENTITY" not in env
    assert (env["WANDB_MODE"], env["WANDB_X_FILE_STREAM_TRANSMIT_INTERVAL"]) == ("online", "1")


def test_a_group_is_counted_by_the_server(embedded, elsewhere, key):
    """None of the runs that were given to others count for it."""
    ref, _ = embedded.sweep(0)
    server = joining.join(elsewhere, Backend(kind="wandb", base_url=embedded.url, api_key=key))
    assert server.had(ref, "worker") == 0


def test_a_mistyped_sweep_names_the_nearest(embedded, elsewhere, key):
    """As for every command."""
    ref, _ = embedded.sweep(0)
    server = joining.join(elsewhere, Backend(kind="wandb", base_url=embedded.url, api_key=key))
    wrong = server.find(ref.sweep_id[:-1] + "_")
    with pytest.raises(SweepNotFoundError, match="no sweep") as caught:
        server.had(wrong, "worker")
    assert ref.path in caught.value.hint


def test_a_wrong_key_is_told_apart_from_a_server_that_is_away(embedded, elsewhere):
    """Each with what to look at."""
    with pytest.raises(BackendError, match="does not take the key") as caught:
        joining.join(elsewhere, Backend(kind="wandb", base_url=embedded.url, api_key="k" * 40))
    assert "--key-file" in caught.value.hint
    with pytest.raises(BackendError, match=r"nobody answers at http://127\.0\.0\.1:9") as caught:
        joining.join(elsewhere, Backend(kind="wandb", base_url="http://127.0.0.1:9", api_key="k" * 40))
    assert "--server" in caught.value.hint


def test_a_server_that_is_none_of_ours_counts_nothing(embedded, elsewhere, key):
    """It is left as the environment has it."""
    ref, _ = embedded.sweep(0)
    with foreign_server(embedded.url) as url:
        server = joining.join(elsewhere, Backend(kind="wandb", base_url=url, api_key=key))
        assert server.settings is elsewhere
        assert server.had(ref, "worker") is None


def test_a_certificate_is_trusted_by_all_that_speak_tls(elsewhere, tmp_path):
    """Python, requests and wandb-core; a file that holds none is refused before anything starts."""
    file = tmp_path / "certificate.pem"
    with pytest.raises(BackendError, match="cannot read a certificate"):
        joining.trusting(elsewhere, file)
    whole = Path(certifi.where()).read_text(encoding="utf-8")
    for text in ("nothing", "-----BEGIN CERTIFICATE-----\n", whole[whole.index("-----BEGIN") :][:400]):
        file.write_text(text)
        with pytest.raises(BackendError, match="holds no certificate"):
            joining.trusting(elsewhere, file)
    file.write_text(whole)
    env = joining.trusting(elsewhere, file).environ
    assert {env[name] for name in joining.CERTIFICATE_FILES} == {str(file)}
    assert joining.trusting(elsewhere, None) is elsewhere


def test_a_certificate_that_nobody_vouches_for_is_to_be_named(elsewhere, tmp_path, serving):
    """The server is there, and whoever knows its certificate can say so."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=head", "-keyout", "k.pem", "-out", "c.pem"]
    made += ["-addext", "subjectAltName=IP:127.0.0.1"]
    subprocess.run([openssl, *made], cwd=tmp_path, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "c.pem", tmp_path / "k.pem")
    with serving(context) as server:
        server.answer = b"{}"
        backend = Backend(kind="wandb", base_url=server.url, api_key="k" * 40)
        with pytest.raises(BackendError, match="a certificate that is not trusted here") as caught:
            joining.join(elsewhere, backend)
        assert "--certificate FILE" in caught.value.hint
        assert not joining.join(joining.trusting(elsewhere, tmp_path / "c.pem"), backend).backend.own
