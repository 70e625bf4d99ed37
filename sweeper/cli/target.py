"""What nearly every command begins with: open the backend, say which one it is, find the sweep that is meant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING
from urllib.parse import unquote_plus

from sweeper.cli.output import err, escape, say_backend
from sweeper.errors import SweepNotFoundError
from sweeper.settings import Backend, BackendChoice, Settings

if TYPE_CHECKING:
    from sweeper.ref import SweepRef
    from sweeper.results.status_reader import StatusReader

# The backend room brings pydantic and requests, and with its first question wandb (2 s): `sweeper --help` waits for
# none of them, so they are imported when a command runs.


_PAGE = re.compile(r"(?:.*/)?([^/]+)/([^/]+)/sweeps/([^/?#]+)")


@dataclass(frozen=True, slots=True)
class Target:
    """The sweep that a command is about, on the server that this process's SDK is pointed at by now.

    Attributes:
        settings: The environment as it was before the SDK was pointed there.
        backend: The server.
        ref: The sweep's full name.
        named: Whether the user named it; if not, it is the sweep created last.
        joined: The options of `sweeper worker` that name its server, if it was named so.
        environ: What other commands need in front of them then, to ask that server.
    """

    settings: Settings
    backend: Backend
    ref: SweepRef
    named: bool = True
    joined: str = ""
    environ: str = ""

    def command(self, name: str) -> str:
        """Write a command about this sweep, as short as can be typed."""
        if self.joined and name == "launch":
            return f"sweeper worker {self.ref.quoted} {self.joined}"
        return f"{self.environ}sweeper {name} {self.ref.quoted}" if self.named else f"sweeper {name}"

    def check(self) -> None:
        """Fail in seconds where nobody answers at the server's address any more.

        Raises:
            BackendError: Nobody does.
        """
        from sweeper.backend.sdk import check_reachable

        check_reachable(self.backend, self.settings)

    def check_room(self, least: int) -> None:
        """Fail where the embedded server's disk has no room for what is to be written.

        Raises:
            ServerError: It has less than `least` bytes.
        """
        from sweeper.backend.disk_room import check_room

        if self.backend.kind == "local":
            check_room(self.settings.home, least)

    def reader(self) -> StatusReader:
        """Make what reads the sweep's status; it logs in, but asks nothing about the sweep yet."""
        from sweeper.results.status_reader import StatusReader

        return StatusReader(self.ref, self.settings, self.backend)


def find_target(sweep: str | None, choice: BackendChoice) -> Target:
    """Open the server that is meant and find the sweep on it.

    Args:
        sweep: What the user wrote; None for the sweep created last, and then `auto` means the server it is on.
        choice: What `--backend` says.

    Raises:
        BackendError: There are no credentials for W&B, or nobody answers there.
        ServerError: The embedded server does not start.
        SweepNotFoundError: No sweep was created yet, or the last one lives on another server.
    """
    from sweeper.backend import choose

    settings = Settings.from_env()
    if sweep is not None:
        check_name(sweep)
    chosen = choose.chosen_backend(settings, choose.follow_last(settings, choice, sweep))
    choose.check_sweep(settings, chosen, sweep)
    backend = choose.connect(settings, chosen)
    say_backend(backend)
    ref = choose.resolve(settings, backend, sweep)
    return Target(settings, backend, ref, named=sweep is not None)


def find_server(choice: BackendChoice) -> tuple[Settings, Backend | None]:
    """Open the server that is meant, for a command about all that is on it, and say which one it is.

    Returns:
        The environment, and the server; None for the embedded one where it has never had any data.

    Raises:
        BackendError: There are no credentials for W&B, or nobody answers there.
        ServerError: The embedded server does not start.
        SweepNotFoundError: The embedded server's data were deleted.
    """
    from sweeper.backend import choose

    settings = Settings.from_env()
    chosen = choose.chosen_backend(settings, choice)
    if chosen is None and not choose.has_data(settings):
        return settings, None
    backend = choose.connect(settings, chosen)
    say_backend(backend)
    return settings, backend


def check_name(text: str) -> None:
    """Refuse what people give for a sweep and is none, before a server is asked: a file, a page's address.

    Raises:
        SweepNotFoundError: It is one of these.
    """
    ending = Path(text).suffix.lower()
    if ending in {".yaml", ".yml", ".json"}:
        fix = f"create its sweep first: sweeper create {quote(text)}, then: sweeper launch"
        raise SweepNotFoundError(f"{text} is a sweep file, and not the id of a sweep", fix)
    if ending == ".py":
        fix = f"name it in a sweep file (`program: {text}`), then: sweeper create FILE"
        raise SweepNotFoundError(f"{text} is a script, and not the id of a sweep", fix)
    if page := _PAGE.match(text):
        fix = f"write its name: {quote('/'.join(map(unquote_plus, page.groups())))}"
        raise SweepNotFoundError(f"{text} is the address of a page, and not the id of a sweep", fix)


def open_server(settings: Settings, choice: BackendChoice) -> Backend:
    """Open a server for a sweep that is about to be made, and say on stderr which one.

    Raises:
        BackendError: There are no credentials for W&B, or nobody answers there.
        ServerError: The embedded server does not start.
    """
    from sweeper.backend import choose, disk_room

    lost, chosen = choose.lost_data(settings), choose.chosen_backend(settings, choice)
    if chosen is None:
        disk_room.check_room(settings.home, disk_room.ROOM_FOR_ROWS)
    backend = choose.connect(settings, chosen)
    if choice == "auto" and backend.kind == "local" and (unread := settings.netrc_trouble):
        err.print(
            f"[yellow]{escape(unread)}: so there is no login for W&B, and the sweep stays here[/]", soft_wrap=True
        )
    if lost and backend.kind == "local":
        err.print(f"[yellow]{escape(lost)}: starting anew[/]", soft_wrap=True)
    say_backend(backend)
    return backend
