"""`sweeper server add-user` and its like: who has a key to the embedded server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from sweeper.backend import embedded_server
from sweeper.cli.output import out
from sweeper.errors import ServerError
from sweeper.settings import Settings

Data = Annotated[
    Path | None,
    typer.Option("--data", help="The server's data directory; under SWEEPER_HOME by default.", show_default=False),
]
Name = Annotated[str, typer.Argument(help="The user's name, also their entity.", show_default=False)]


def directory(data: Path | None) -> Path:
    """Name the data directory that is meant."""
    return (data or embedded_server.data_dir(Settings.from_env().home)).absolute()


def add_user(
    name: Name,
    key: Annotated[
        str | None,
        typer.Option(help="`-` reads their API key (40 or more characters) from standard input; made by default."),
    ] = None,
    data: Data = None,
) -> None:
    """Make a user, or give one a further key, and print their API key.

    Example: sweeper server add-user alice
    """
    from sweeper.server.store import users

    typer.echo(users.add_user(directory(data), name, _read_key(key)))


def _read_key(option: str | None) -> str | None:
    if option is None:
        return None
    if option != "-":
        fix = "give `--key -` and write the key to standard input, or leave --key out to have one made"
        raise ServerError("a key on the command line can be read by everybody on this machine", fix)
    if sys.stdin.isatty():
        return str(typer.prompt("API key", hide_input=True, err=True))
    return sys.stdin.readline().strip()


def list_users(data: Data = None) -> None:
    """List the users and how many keys and open browser sessions each has.

    Example: sweeper server users
    """
    from sweeper.server.store import users

    for row in users.all_users(directory(data)):
        keys, sessions = ("key" if row.keys == 1 else "keys"), ("session" if row.sessions == 1 else "sessions")
        out.print(f"[bold]{row.name}[/]  {row.keys} {keys}, {row.sessions} {sessions}")


def rotate_key(name: Name, data: Data = None) -> None:
    """Give a user a new API key and print it; their old keys and browser sessions end.

    Example: sweeper server rotate-key alice
    """
    from sweeper.server.store import users

    typer.echo(users.rotate_key(directory(data), name))


def remove_user(name: Name, data: Data = None) -> None:
    """Remove a user with their keys and sessions; their runs stay.

    Example: sweeper server remove-user alice
    """
    from sweeper.server.store import users

    users.remove_user(directory(data), name)
    out.print(f"removed {name}")
