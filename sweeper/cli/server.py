"""`sweeper serve` and `sweeper server ...`: the embedded server."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from sweeper import embedded
from sweeper.cli import users
from sweeper.cli.output import err, out
from sweeper.cli.users import Data, directory
from sweeper.errors import ServerError
from sweeper.settings import Settings

app = typer.Typer(help="Manage the embedded server in the background, and its users.", no_args_is_help=True)
app.command("add-user")(users.add_user)
app.command("users")(users.list_users)
app.command("rotate-key")(users.rotate_key)
app.command("remove-user")(users.remove_user)


def serve(  # noqa: PLR0917 Typer passes them by name
    host: Annotated[str, typer.Option(help="The address to listen on; others than loopback want TLS.")] = embedded.HOST,
    port: Annotated[int | None, typer.Option(help="The port; the one used before, or a free one.")] = None,
    data: Data = None,
    tls_cert: Annotated[Path | None, typer.Option(help="The file of the TLS certificate (PEM).")] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The file of its key (PEM).")] = None,
    insecure_http: Annotated[
        bool, typer.Option("--insecure-http", help="Listen without TLS: keys and data can be read on the way.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(help="A further name that clients call it by, as in http://NAME:PORT; `*` for any."),
    ] = None,
    max_file: Annotated[float, typer.Option(help="The largest file that a run may upload, in GiB.")] = 32.0,
) -> None:
    """Run the embedded server in the foreground, until Ctrl-C.

    Example: sweeper serve --port 8080
    """
    tls = _tls(tls_cert, tls_key)
    _check_exposure(host, tls=tls is not None, insecure_http=insecure_http)
    folder = directory(data)
    port = port or embedded.choose_port(folder)
    url = _url(host, port, tls=tls is not None)
    embedded.check_port(host, port)
    with embedded.announced(folder, url, tls[0] if tls else None):
        from sweeper.server.serving import Address
        from sweeper.server.serving import serve as run_server

        err.print(f"sweeper server on {url}, data in {escape(str(folder))}", soft_wrap=True)
        err.print(f"key: {escape(str(embedded.key_file(folder)))}", soft_wrap=True)
        address = Address(host=host, port=port, names=allow_host or (), tls=tls)
        run_server(address, folder, max_file=round(max_file * 2**30))


def _tls(certificate: Path | None, key: Path | None) -> tuple[Path, Path] | None:
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise ServerError("TLS needs a certificate and its key", "give both --tls-cert FILE and --tls-key FILE")
    for file in (certificate, key):
        if not file.is_file():
            raise ServerError(f"{file} is no file", "give PEM files, as your authority or openssl makes them")
    return certificate.absolute(), key.absolute()


def _check_exposure(host: str, *, tls: bool, insecure_http: bool) -> None:
    """Insist on TLS, or on a decision, where others can listen on the way."""
    if not (tls or insecure_http or _is_loopback(host)):
        fix = "give --tls-cert FILE --tls-key FILE, or --insecure-http where the network is yours alone"
        raise ServerError(f"on {host or 'every address'} keys and data would cross the network in the clear", fix)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _url(host: str, port: int, *, tls: bool) -> str:
    """Give an address that works on this machine."""
    name = {"0.0.0.0": embedded.HOST, "": embedded.HOST, "::": "::1"}.get(host, host)  # noqa: S104 compared, not bound
    return f"{'https' if tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"


@app.command("status")
def server_status() -> None:
    """Say whether the background server runs, and where.

    Example: sweeper server status
    """
    settings = Settings.from_env()
    record = embedded.find(settings.home)
    if record is None:
        out.print("no server is running; `sweeper create` starts one")
        raise typer.Exit(1)
    folder = embedded.data_dir(settings.home)
    out.print(f"[bold]server[/]  {record.url} (pid {record.pid})", soft_wrap=True)
    out.print(f"[bold]data[/]    {escape(str(folder))}", soft_wrap=True)
    out.print(f"[bold]key[/]     {escape(str(embedded.key_file(folder)))}", soft_wrap=True)
    out.print("[bold]pages[/]   `sweeper server url` prints an address that opens them in a browser", soft_wrap=True)


@app.command("url")
def server_url(
    page: Annotated[str, typer.Argument(help="The page to open, as `create` and `status` print it.")] = "/",
    data: Data = None,
) -> None:
    """Print an address that logs a browser in: once, and within ten minutes.

    Example: sweeper server url
    """
    typer.echo(embedded.login_address(directory(data), page))


@app.command("stop")
def server_stop() -> None:
    """Stop the background server; nothing is lost.

    Example: sweeper server stop
    """
    record = embedded.stop(Settings.from_env().home)
    out.print("no server was running" if record is None else f"stopped the server on {record.url} (pid {record.pid})")
