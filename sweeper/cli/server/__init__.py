"""`sweeper serve` and `sweeper server ...`: the embedded server."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from sweeper.backend import embedded_server
from sweeper.cli.doctor import report
from sweeper.cli.output import err, out, say_next
from sweeper.cli.server import users
from sweeper.cli.server.users import Data, directory
from sweeper.errors import ServerError
from sweeper.settings import Settings

app = typer.Typer(help="Manage the embedded server in the background, and its users.", no_args_is_help=True)
app.command("add-user")(users.add_user)
app.command("users")(users.list_users)
app.command("rotate-key")(users.rotate_key)
app.command("remove-user")(users.remove_user)


def serve(  # noqa: PLR0917 Typer passes them by name
    host: Annotated[
        str, typer.Option(help="The address to listen on; others than loopback want TLS.")
    ] = embedded_server.HOST,
    port: Annotated[int | None, typer.Option(help="The port; the one used before, or a free one.")] = None,
    data: Data = None,
    heartbeat_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Silence after which an agent's run is taken for lost.")
    ] = 60.0,
    lost_retries: Annotated[
        int, typer.Option(metavar="N", min=0, help="How often a lost run goes to another agent.")
    ] = 2,
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
    port = port or embedded_server.choose_port(folder)
    url = _url(host, port, tls=tls is not None)
    embedded_server.check_port(host, port)
    with embedded_server.announced(folder, url, tls[0] if tls else None):
        from sweeper.server.http.serve import Address
        from sweeper.server.http.serve import serve as run_server
        from sweeper.server.rules.reaper import Patience

        err.print(f"sweeper server on {url}, data in {escape(str(folder))}", soft_wrap=True)
        err.print(f"key: {escape(str(embedded_server.key_file(folder)))}", soft_wrap=True)
        address = Address(host=host, port=port, names=allow_host or (), tls=tls)
        patience = Patience(agent_s=heartbeat_timeout, lost_retries=lost_retries)
        run_server(address, folder, max_file=round(max_file * 2**30), patience=patience)


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
    name = {"0.0.0.0": embedded_server.HOST, "": embedded_server.HOST, "::": "::1"}.get(host, host)  # noqa: S104 compared, not bound
    return f"{'https' if tls else 'http'}://{f'[{name}]' if ':' in name else name}:{port}"


@app.command("status")
def server_status() -> None:
    """Say whether the background server runs, and where.

    Example: sweeper server status
    """
    settings = Settings.from_env()
    record = embedded_server.find(settings.home)
    if record is None:
        out.print("no server is running; `sweeper create` starts one")
        raise typer.Exit(1)
    folder = embedded_server.data_dir(settings.home)
    out.print(f"[bold]server[/]  {record.url} (pid {record.pid})", soft_wrap=True)
    out.print(f"[bold]data[/]    {escape(str(folder))}", soft_wrap=True)
    out.print(f"[bold]key[/]     {escape(str(embedded_server.key_file(folder)))}", soft_wrap=True)
    out.print("[bold]pages[/]   `sweeper server url` prints an address that opens them in a browser", soft_wrap=True)


@app.command("url")
def server_url(
    page: Annotated[str, typer.Argument(help="The page to open, as `create` and `status` print it.")] = "/",
    data: Data = None,
) -> None:
    """Print an address that logs a browser in: once, and within ten minutes.

    Example: sweeper server url
    """
    typer.echo(embedded_server.login_address(directory(data), page))


@app.command("stop")
def server_stop() -> None:
    """Stop the background server; nothing is lost.

    Example: sweeper server stop
    """
    record = embedded_server.stop(Settings.from_env().home)
    out.print("no server was running" if record is None else f"stopped the server on {record.url} (pid {record.pid})")


@app.command("backup")
def server_backup(
    file: Annotated[Path, typer.Argument(help="The file to write; gzipped if its name ends in .gz.")],
    data: Data = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
) -> None:
    """Write all of a server's data into one file; the server may run on.

    It holds the server's key: whoever can read it can act as its users.

    Example: sweeper server backup sweeper.tar.gz
    """
    from sweeper.server.admin import backup

    with _progress("files") as tell:
        done = backup.write(directory(data), file.absolute(), now=time.time(), force=force, progress=tell)
    what = (
        f"the database and {done.files} other {'file' if done.files == 1 else 'files'}, {done.bytes / 2**20:,.1f} MiB"
    )
    out.print(f"[bold]backup[/]  {escape(str(done.place))}: {what}", soft_wrap=True)
    if done.missing:
        err.print(f"{len(done.missing)} files are missing from the server: see `sweeper server check`", style="yellow")
    say_next(f"sweeper server restore {file} --data DIR")


@app.command("restore")
def server_restore(
    file: Annotated[Path, typer.Argument(help="What `sweeper server backup` wrote.")],
    data: Data = None,
    force: Annotated[bool, typer.Option("--force", help="Put aside what the data directory holds.")] = False,
) -> None:
    """Put a backup into a data directory, after a check that it is whole.

    No server may run on it. With --force, what it held is moved into a folder in it.

    Example: sweeper server restore sweeper.tar.gz --data restored
    """
    from sweeper.server.admin import backup

    folder = directory(data)
    with embedded_server.held(folder):
        aside = backup.restore(file.absolute(), folder, now=time.time(), force=force)
    out.print(f"[bold]restored[/]  {escape(str(folder))}", soft_wrap=True)
    if aside:
        out.print(f"[bold]before[/]    {escape(str(aside))}", soft_wrap=True)
    say_next(f"sweeper serve --data {folder}" if data else "sweeper status")


@app.command("check")
def server_check(
    data: Data = None,
    deep: Annotated[bool, typer.Option("--deep", help="Read every file too, and compare its MD5.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check that a server's data is whole; the server may run or not.

    Changes nothing. Exits with 1 if a check fails; warnings alone are no failure.

    Example: sweeper server check --deep
    """
    from sweeper.server.admin import integrity

    with _progress("files") as tell:
        findings = list(integrity.examine(directory(data), deep=deep, progress=tell))
    report(findings, as_json=as_json)


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr, if that is a terminal, which goes away at the end."""
    from rich.progress import Progress

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
