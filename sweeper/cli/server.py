"""`sweeper serve` and `sweeper server ...`: the embedded server."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from sweeper import embedded
from sweeper.cli.doctor import report
from sweeper.cli.output import err, out, say_next
from sweeper.settings import Settings

app = typer.Typer(help="Manage the embedded server in the background.", no_args_is_help=True)

Data = Annotated[
    Path | None,
    typer.Option("--data", help="The server's data directory; under SWEEPER_HOME by default.", show_default=False),
]


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = embedded.HOST,
    port: Annotated[int | None, typer.Option(help="The port; the one used before, or a free one.")] = None,
    data: Data = None,
    heartbeat_timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=1, help="Silence after which an agent's run is taken for lost.")
    ] = 60.0,
    lost_retries: Annotated[
        int, typer.Option(metavar="N", min=0, help="How often a lost run goes to another agent.")
    ] = 2,
) -> None:
    """Run the embedded server in the foreground, until Ctrl-C.

    Example: sweeper serve --port 8080
    """
    directory = _directory(data)
    port = port or embedded.choose_port(directory)
    url = f"http://{host}:{port}"
    embedded.check_port(host, port)
    with embedded.announced(directory, url):
        from sweeper.server.app import serve as run_server
        from sweeper.server.reaper import Patience

        err.print(f"sweeper server on {url}, data in {escape(str(directory))}", soft_wrap=True)
        err.print(f"key: {escape(str(embedded.key_file(directory)))}", soft_wrap=True)
        patience = Patience(agent_s=heartbeat_timeout, lost_retries=lost_retries)
        run_server(host=host, port=port, data_dir=directory, patience=patience)


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
    directory = embedded.data_dir(settings.home)
    out.print(f"[bold]server[/]  {record.url} (pid {record.pid})", soft_wrap=True)
    out.print(f"[bold]data[/]    {escape(str(directory))}", soft_wrap=True)
    out.print(f"[bold]key[/]     {escape(str(embedded.key_file(directory)))}", soft_wrap=True)


@app.command("stop")
def server_stop() -> None:
    """Stop the background server; nothing is lost.

    Example: sweeper server stop
    """
    record = embedded.stop(Settings.from_env().home)
    out.print("no server was running" if record is None else f"stopped the server on {record.url} (pid {record.pid})")


@app.command("add-user")
def server_add_user(
    name: Annotated[str, typer.Argument(help="The user's name, also their entity.", show_default=False)],
    key: Annotated[str | None, typer.Option(help="Their API key (40 or more characters); made by default.")] = None,
    data: Data = None,
) -> None:
    """Make a user and print their API key.

    Example: sweeper server add-user alice
    """
    from sweeper.server.users import add_user

    typer.echo(add_user(_directory(data), name, key))


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
    from sweeper.server import backup

    with _progress("files") as tell:
        done = backup.write(_directory(data), file.absolute(), now=time.time(), force=force, progress=tell)
    what = f"the database and {done.files} other files, {done.bytes / 2**20:,.1f} MiB"
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
    from sweeper.server import backup

    directory = _directory(data)
    with embedded.held(directory):
        aside = backup.restore(file.absolute(), directory, now=time.time(), force=force)
    out.print(f"[bold]restored[/]  {escape(str(directory))}", soft_wrap=True)
    if aside:
        out.print(f"[bold]before[/]    {escape(str(aside))}", soft_wrap=True)
    say_next(f"sweeper serve --data {directory}" if data else "sweeper status")


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
    from sweeper.server import integrity

    with _progress("files") as tell:
        findings = list(integrity.examine(_directory(data), deep=deep, progress=tell))
    report(findings, as_json=as_json)


def _directory(data: Path | None) -> Path:
    return (data or embedded.data_dir(Settings.from_env().home)).absolute()


@contextmanager
def _progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """Show a bar on stderr, if that is a terminal, which goes away at the end."""
    from rich.progress import Progress

    with Progress(console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
