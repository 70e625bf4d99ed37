"""`sweeper serve` and `sweeper server ...`: the embedded server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from sweeper import embedded
from sweeper.cli.output import err, out
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
    directory = (data or embedded.data_dir(Settings.from_env().home)).absolute()
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

    directory = data or embedded.data_dir(Settings.from_env().home)
    typer.echo(add_user(directory, name, key))
