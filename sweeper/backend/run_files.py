"""The files of a run, fetched into a folder of this machine from whichever W&B server has them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path, PurePosixPath

from sweeper.backend.any_sweeps import own_server
from sweeper.backend.own_server import OwnServer, UnknownQuestionError
from sweeper.errors import BackendError
from sweeper.plain_text import plain
from sweeper.ref import RunRef
from sweeper.settings import Backend, Settings

Save = Callable[[Path], object]
"""Writes one file into a folder, under its name."""


def download(
    run: RunRef, suffixes: tuple[str, ...], into: Path, *, settings: Settings, backend: Backend | None
) -> list[Path]:
    """Fetch a run's files whose names end in one of several ways.

    Args:
        run: The run.
        suffixes: Ends of names, such as `.onnx`.
        into: The folder.
        settings: The user's environment.
        backend: The server, which the SDK is pointed at; None to ask it over the SDK, whichever it is.

    Returns:
        Where they lie now.

    Raises:
        BackendError: The server does not answer, or a name is none for a file here.
    """
    files = [(name, save) for name, save in _files(run, suffixes, settings, backend) if name.endswith(suffixes)]
    for name, _ in files:
        _check_name(run, name)
        if (into / name).is_symlink():  # the content would go to wherever it leads
            raise BackendError(f"{into / name} is a link", "give another directory, or remove it")
    for _, save in files:
        save(into)
    return [into / name for name, _ in files]


def _files(
    run: RunRef, suffixes: tuple[str, ...], settings: Settings, backend: Backend | None
) -> Iterator[tuple[str, Save]]:
    if backend and (server := own_server(backend, settings)):
        try:
            found = [file for suffix in suffixes for file in server.files(run, suffix)]
        except UnknownQuestionError:
            pass
        else:
            yield from ((name, partial(_save, server, name, url)) for name, url in found)
            return
    from sweeper.backend import run_reader

    yield from run_reader.files(run)


def _save(server: OwnServer, name: str, url: str, into: Path) -> None:
    (into / name).parent.mkdir(parents=True, exist_ok=True)
    server.save(url, into / name)


def _check_name(run: RunRef, name: str) -> None:
    """Refuse a file that would lie outside the folder it is fetched into, or bears a name that no terminal shows.

    Raises:
        BackendError: It is one.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or plain(name) != name or "\n" in name:
        fix = "do not use a server that calls one so"
        raise BackendError(f"run {run} has a file {name!r}, which is no name for a file here", fix)
