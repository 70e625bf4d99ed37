"""A server that runs already, written down so that relays follow it: its address, and its key for the user alone."""

from __future__ import annotations

from pathlib import Path

from sweeper import private_files
from sweeper.backend import embedded_server, sdk, server_record
from sweeper.backend.server_record import ServerRecord
from sweeper.journal.directories import LaunchDir
from sweeper.settings import Backend


def note_server(directory: LaunchDir, backend: Backend, certificate: Path | None = None) -> Path | None:
    """Write a server of sweeper's down in a launch's folder, as a data directory has it.

    Args:
        directory: The launch's.
        backend: The server.
        certificate: The one that alone is to be trusted; a copy goes where nodes see it.

    Returns:
        The folder to follow; None for a server of others', whose address and key jobs find in their environment.

    Raises:
        BackendError: Nobody answers there.
    """
    if not backend.api_key or not sdk.speaks_sweeper(backend):
        return None
    data = directory.path / "server"
    private_files.make_folder(data)
    private_files.replace(embedded_server.key_file(data), backend.api_key)
    trusted = None if certificate is None else data / "certificate.pem"
    if trusted and certificate:
        private_files.replace(trusted, certificate.read_text(encoding="ascii"))
    # it is somebody else's process: 1 stands for it, and nobody signals it. Its secret is known to readers of its own
    # data directory only: nobody here can ask it to prove anything
    record = ServerRecord(1, backend.base_url.rstrip("/"), str(trusted) if trusted else None, host="elsewhere")
    server_record.write(data, record)
    return data
