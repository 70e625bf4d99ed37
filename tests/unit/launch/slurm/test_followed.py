"""A server that runs already, as relays follow it."""

from __future__ import annotations

from pathlib import Path

from sweeper.backend import embedded_server, server_record
from sweeper.launch.slurm.followed import note_server
from sweeper.settings import Backend


def test_a_server_without_a_key_of_ours_is_found_in_the_environment(launch):
    """As a login's: nothing is written down."""
    assert note_server(launch, Backend(kind="wandb", base_url="https://api.wandb.ai")) is None
    assert not (launch.path / "server").exists()


def test_a_server_of_sweepers_is_written_down_for_its_user_alone(launch, monkeypatch, tmp_path):
    """Its address as a data directory has it; the key stands in no script, and the certificate where nodes see it."""
    from sweeper.backend import sdk

    monkeypatch.setattr(sdk, "speaks_sweeper", lambda _backend: True)
    certificate = tmp_path / "certificate.pem"
    certificate.write_text("PEM")
    data = note_server(launch, Backend(kind="wandb", base_url="https://here:1/", api_key="k" * 40), certificate)
    assert data is not None
    record = server_record.read(data)
    assert record is not None
    assert record.url == "https://here:1"
    assert not record.secret  # or relays would ask it for a proof that it cannot give
    assert not record.is_here
    assert record.certificate is not None
    assert launch.path in Path(record.certificate).parents
    assert Path(record.certificate).read_text() == "PEM"
    assert embedded_server.key_file(data).stat().st_mode & 0o077 == 0
