"""`sweeper serve`: the embedded server in the foreground."""

from __future__ import annotations

import os
import socket
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from sweeper import temporary_folder
from sweeper.backend import embedded_server, listening, network_disk
from sweeper.backend.data_place import goes_with_its_container
from sweeper.cli.key_file import read_key
from sweeper.cli.launch_options import seconds
from sweeper.cli.options import AsJson, Data, data_directory
from sweeper.cli.output import err, escape, print_json, warn
from sweeper.errors import ServerError, UsageError
from sweeper.server.http.file_size import MAX_FILE
from sweeper.server.rules import liveness
from sweeper.server.rules.liveness import LivenessPolicy

_OwnKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="A file with its own user's API key; by default it makes one, once.",
        readable=False,  # what cannot be read is told with what to do about it
    ),
]
_HeartbeatTimeout = Annotated[
    float, typer.Option(metavar="SECONDS", min=1, help="Silence after which an agent's run is taken for lost.")
]
_LostRetries = Annotated[int, typer.Option(metavar="N", min=0, help="How often a lost run goes to another agent.")]
_TlsSelfSigned = Annotated[
    bool, typer.Option("--tls-self-signed", help="Make a certificate, which lies in the data directory.")
]
_InsecureHttp = Annotated[
    bool, typer.Option("--insecure-http", help="Listen without TLS: keys and data can be read on the way.")
]
_AllowHost = Annotated[
    list[str] | None, typer.Option(help="A further name that clients call it by, as in http://NAME:PORT; `*` for any.")
]
_MaxFile = Annotated[float, typer.Option(min=2**-30, max=2**20, help="The largest file that a run may upload, in GiB.")]
_Local = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Keep the database on this machine's own disk, and a mirror of it in the data."),
]
_SnapshotEvery = Annotated[
    str, typer.Option(metavar="TIME", help="With --local: how often the mirror's copy is renewed: 30s, 5m.")
]


def serve(  # noqa: PLR0917 Typer passes them by name
    host: Annotated[
        str, typer.Option(help="The address to listen on; others than loopback want TLS.")
    ] = listening.HOST,
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="The port; the one used before, or a free one.")
    ] = None,
    data: Data = None,
    heartbeat_timeout: _HeartbeatTimeout = liveness.DEFAULT.agent_s,
    lost_retries: _LostRetries = liveness.DEFAULT.lost_retries,
    tls_cert: Annotated[Path | None, typer.Option(help="The file of the TLS certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The file of its key (PEM).")] = None,
    tls_self_signed: _TlsSelfSigned = False,
    insecure_http: _InsecureHttp = False,
    allow_host: _AllowHost = None,
    max_file: _MaxFile = MAX_FILE / 2**30,
    local: _Local = None,
    snapshot_every: _SnapshotEvery = "30s",
    own_key_file: _OwnKeyFile = None,
    as_json: AsJson = False,
) -> None:
    """Run the embedded server in the foreground, until Ctrl-C.

    Example: sweeper serve --port 8080
    """
    tls = _tls(tls_cert, tls_key)
    secure = tls_self_signed or tls is not None
    _check_exposure(host, tls=secure, insecure_http=insecure_http)
    own_key = None if own_key_file is None else read_key(own_key_file)
    folder, every_s = data_directory(data), seconds(snapshot_every, "--snapshot-every") or 0.0
    _check_disks(folder, local)
    port = port or listening.choose_port(folder)
    url = _url(host, port, tls=secure, elsewhere=local is not None)
    listening.check_port(host, port)  # uvicorn would only log it, behind a record that names us
    temporary_folder.remove_left()
    certificate = tls[0] if tls else folder / "certificate.pem" if tls_self_signed else None
    with embedded_server.announced(folder, url, certificate, moves=local is not None) as record:
        # the only command that runs the server: the others are spared starlette and its kin
        from sweeper.server.http.serve import Address
        from sweeper.server.http.serve import serve as run_server

        if tls_self_signed and tls is None:
            tls = _self_signed(folder, host, allow_host or ())
        key_file = _tell(url, folder, local)
        told = {"url": url, "pid": os.getpid(), "data": str(folder), "key_file": key_file}
        address = Address(host=host, port=port, names=allow_host or (), tls=tls)
        policy = LivenessPolicy(agent_s=heartbeat_timeout, lost_retries=lost_retries)
        run_server(
            address,
            folder,
            max_file=round(max_file * 2**30),
            policy=policy,
            own_key=own_key,
            prove=record.proof,
            ready=partial(print_json, told) if as_json else None,
            local=local.absolute() if local else None,
            snapshot_every_s=every_s,
        )


def _tell(url: str, folder: Path, local: Path | None) -> str:
    """Say where the server and its data are; give the name of the file with its own user's key."""
    if goes_with_its_container(folder):
        warn(f"{folder} goes when this container is removed: mount a volume there (docker run -v sweeper:{folder})")
    err.print(f"sweeper server on {url}, data in {escape(str(folder))}", soft_wrap=True)
    if local:
        err.print(f"database: {escape(str(local.absolute()))}, and its mirror in the data", soft_wrap=True)
    key_file = str(embedded_server.key_file(folder))
    err.print(f"key: {escape(key_file)}", soft_wrap=True)
    return key_file


def _tls(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise UsageError("TLS needs a certificate and its key", "give both --tls-cert FILE and --tls-key FILE")
    for file in (certificate, key):
        if not file.is_file():
            raise ServerError(f"{file} is no file", "give PEM files, as your authority or openssl makes them")
    return certificate.absolute(), key.absolute()


def _self_signed(data: Path, host: str, names: Sequence[str]) -> tuple[Path, Path]:
    from sweeper.server.http import self_signed

    try:
        return self_signed.make(data, host, names)
    except ValueError as error:
        fix = "delete the files: the next start makes others; clients then need the new certificate"
        raise ServerError(f"the certificate in {data} cannot be used: {error}", fix) from error


def _check_disks(data: Path, local: Path | None) -> None:
    """See that the database comes to lie on a disk of this machine: SQLite's locks do not hold on others."""
    if local is not None and local.absolute() == data:
        raise UsageError(f"--local {local} is the data directory", "give a folder on this machine's own disk")
    place = data if local is None else local.absolute()
    mount = network_disk.network_mount(place)
    if mount is None:
        return
    fix = "give a folder on this machine's own disk too: --local /tmp/sweeper-server"
    if local is not None:
        fix = "give another one, on this machine's own disk: --local /tmp/sweeper-server"
    what = f"{place} lies on a network file system ({mount.kind}, mounted at {mount.point})"
    raise ServerError(f"{what}, on which a database gets damaged", fix)


def _check_exposure(host: str, *, tls: bool, insecure_http: bool) -> None:
    """Insist on TLS, or on a decision, where others can listen on the way."""
    if not (tls or insecure_http or listening.is_loopback(host)):
        fix = "give --tls-cert FILE --tls-key FILE, or --tls-self-signed, or --insecure-http where the network is yours"
        raise UsageError(f"on {host or 'every address'} keys and data would cross the network in the clear", fix)


def _url(host: str, port: int, *, tls: bool, elsewhere: bool = False) -> str:
    """Give an address that works on this machine; or elsewhere, for those who see the data directory from there."""
    here = listening.HOST
    everywhere = {"0.0.0.0": here, "": here, "::": "::1"}  # noqa: S104 compared, not bound
    name = socket.gethostname() if elsewhere and host in everywhere else everywhere.get(host, host)
    return f"{'https' if tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"
