"""`sweeper server add-user` and its like: who has a key to the embedded server."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from sweeper.cli.options import AsJson, Data, data_directory
from sweeper.cli.output import out, print_json
from sweeper.errors import UsageError

Name = Annotated[str, typer.Argument(help="The user's name, also their entity.", show_default=False)]


def add_user(
    name: Name,
    key: Annotated[
        str | None,
        typer.Option(help="`-` reads their API key (40 or more characters) from standard input; made by default."),
    ] = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Make a user, or give one a further key, and print their API key.

    Example: sweeper server add-user alice
    """
    # the server is imported by the few commands that work on its data
    from sweeper.server.store import users

    _tell_key(name, users.add_user(data_directory(data), name, _read_key(key)), as_json=as_json)


def _tell_key(name: str, key: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "key": key})
    else:
        typer.echo(key)


def _read_key(option: str | None) -> str | None:
    if option is None:
        return None
    if option != "-":
        fix = "give `--key -` and write the key to standard input, or leave --key out to have one made"
        raise UsageError("a key on the command line can be read by everybody on this machine", fix)
    if sys.stdin.isatty():
        return str(typer.prompt("API key", hide_input=True, err=True))
    return sys.stdin.readline().strip()


def list_users(data: Data = None, as_json: AsJson = False) -> None:
    """List the users and how many keys and open browser sessions each has.

    Example: sweeper server users
    """
    from sweeper.server.store import users

    found = users.all_users(data_directory(data))
    if as_json:
        print_json([{"name": row.name, "keys": row.keys, "sessions": row.sessions} for row in found])
        return
    for row in found:
        keys, sessions = ("key" if row.keys == 1 else "keys"), ("session" if row.sessions == 1 else "sessions")
        out.print(f"[bold]{row.name}[/]  {row.keys} {keys}, {row.sessions} {sessions}")


def rotate_key(name: Name, data: Data = None, as_json: AsJson = False) -> None:
    """Give a user a new API key and print it; their old keys and browser sessions end.

    Example: sweeper server rotate-key alice
    """
    from sweeper.server.store import users

    _tell_key(name, users.rotate_key(data_directory(data), name), as_json=as_json)


def remove_user(name: Name, data: Data = None, as_json: AsJson = False) -> None:
    """Remove a user with their keys and sessions; their runs stay.

    Example: sweeper server remove-user alice
    """
    from sweeper.server.store import users

    users.remove_user(data_directory(data), name)
    if as_json:
        print_json({"name": name})
    else:
        out.print(f"removed {name}")
