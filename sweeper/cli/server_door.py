"""A server elsewhere that a command line names by `--server`: how its key and its certificate are found."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from sweeper.cli.key_file import read_key
from sweeper.cli.output import say_backend
from sweeper.cli.target import Target, check_name, find_target
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.backend.joining import JoinedServer
    from sweeper.launch.cluster_request import ClusterRequest
    from sweeper.ref import SweepRef


class ServerDoor:
    """The server that a command line names, before it is asked anything.

    Args:
        settings: The user's environment.
        url: Its address; None for that of the environment.
        key_file: A file with its key; None for the key of the environment, or of a login.
        certificate: The certificate that it shows, where that is to be trusted alone.
        insecure_http: Whether the key may cross a network in the clear.

    Raises:
        BackendError: No server is named, there is no key for it, or everybody on the way could read the key.
    """

    def __init__(
        self,
        settings: Settings,
        url: str | None,
        key_file: Path | None,
        certificate: Path | None,
        *,
        insecure_http: bool,
    ) -> None:
        from sweeper.backend import choose, joining  # here for the reason in target.py

        self.settings = joining.trusting(settings, certificate)
        self._url = url or settings.environ.get("SWEEPER_SERVER") or None
        named = settings.environ.get("SWEEPER_KEY_FILE")
        self._key_file = key_file or (Path(named) if named else None)
        key = None if self._key_file is None else read_key(self._key_file)
        url = self._url or (settings.base_url if key else None)
        self._backend: Backend = choose.other_backend(
            self.settings, url, key=key, insecure_http=insecure_http, option="--server"
        )
        self._options = [] if certificate is None else [f"--certificate {quote(str(certificate))}"]
        self._options += ["--insecure-http"] * insecure_http
        # no other command has an option for it
        trusts = "" if certificate is None else quote(str(certificate.absolute()))
        self._trust = f"SSL_CERT_FILE={trusts} REQUESTS_CA_BUNDLE={trusts} " if trusts else ""

    def open(self) -> JoinedServer:
        """Point this process's SDK at it, and say which one it is.

        Raises:
            BackendError: It does not answer, or does not take the key.
        """
        from sweeper.backend import joining

        server = joining.join(self.settings, self._backend)
        say_backend(server.backend)
        return server

    def target(self, server: JoinedServer, ref: SweepRef, *, named: bool = True, joined: str = "") -> Target:
        """Describe a sweep on it, with what later commands need to ask it again.

        Args:
            server: What `open` gave.
            ref: The sweep.
            named: Whether the user named it.
            joined: What `sweeper worker` says of it where nothing here names the server; empty for other commands.
        """
        url = self._backend.base_url
        options, environ = [*self._options], ""
        if self._url:
            options = [f"--server {quote(url)}", *options]
            environ = f"WANDB_BASE_URL={quote(url)} "
        if self._key_file:
            options = [*options, f"--key-file {quote(str(self._key_file))}"]
            environ += f"WANDB_API_KEY=$(cat {quote(str(self._key_file))}) "
        environ += self._trust
        words = (" ".join(options) or joined) if joined else ""
        return Target(server.settings, server.backend, ref, named=named, joined=words, environ=environ)


def find_on_cluster(request: ClusterRequest, given: Mapping[str, Any]) -> Target:
    """Find the sweep, on the server that is meant: the one that `--server URL` names, or that of this machine.

    Raises:
        BackendError: It does not answer, or does not take the key.
        SweepNotFoundError: It has no such sweep.
    """
    from sweeper.backend import choose  # here for the reason in target.py
    from sweeper.launch.cluster_request import SERVER_AS_JOB

    sweep = given["sweep"]
    if request.server == SERVER_AS_JOB:
        return find_target(sweep, given["backend"])
    if sweep is not None:
        check_name(sweep)
    insecure = given["insecure_http"]
    door = ServerDoor(
        Settings.from_env(), request.server, given["key_file"], given["certificate"], insecure_http=insecure
    )
    server = door.open()
    ref = choose.resolve(server.settings, server.backend, sweep)
    return door.target(server, ref, named=sweep is not None)
