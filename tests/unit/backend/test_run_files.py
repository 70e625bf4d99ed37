"""A run's files, fetched from a server of ours past the SDK, and over it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sweeper.backend import run_files, sdk
from sweeper.backend.own_server import OwnServer
from sweeper.errors import BackendError
from sweeper.ref import RunRef
from sweeper.settings import Backend

RUN = RunRef("local", "p", "r1")
SAVE = """
import pathlib, wandb
with wandb.init(entity="local", project="files", id="r1") as run:
    for name, text in {"model.onnx": "model", "sub/größe 1..onnx": "other", "weights.bin": "no model"}.items():
        path = pathlib.Path(run.dir) / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        run.save(str(path), base_path=run.dir)
"""


@pytest.mark.usefixtures("environ")
def test_both_ways_fetch_the_same(settings, backend, tmp_path):
    """Whole, under their names, and nothing else is left in the folder."""
    sdk.connect(backend, settings)
    subprocess.run([sys.executable, "-c", SAVE], env={**os.environ, "WANDB_DIR": str(tmp_path)}, check=True)
    run = RunRef("local", "files", "r1")
    for way, server in {"own": backend, "sdk": None}.items():
        folder = tmp_path / way
        folder.mkdir()
        found = run_files.download(run, (".onnx",), folder, settings=settings, backend=server)
        assert {path.relative_to(folder).as_posix(): path.read_text() for path in found} == {
            "model.onnx": "model",
            "sub/größe 1..onnx": "other",
        }
        assert {path.name for path in folder.rglob("*")} == {"model.onnx", "sub", "größe 1..onnx"}


class Lying:
    """A server of ours that says whatever it likes of a run's files."""

    def __init__(self, name: str) -> None:
        self._name = name

    def files(self, _run: RunRef, _suffix: str) -> list[tuple[str, str]]:
        """Name one file."""
        return [(self._name, "http://127.0.0.1:1/file")]


NO_FILES = ["../m.onnx", "/m.onnx", "a/../../m.onnx", "..\\m.onnx", "a\x1b[2J.onnx", "\u202e.onnx", "a\n.onnx"]


@pytest.mark.parametrize("name", NO_FILES)
def test_a_name_that_is_none_here_is_refused(monkeypatch, settings, tmp_path, name):
    """It would lie outside of the folder, or do things to the terminal; nothing is asked for or written."""
    monkeypatch.setattr(run_files, "own_server", lambda *_: Lying(name))
    backend = Backend(kind="local", base_url="http://127.0.0.1:1", api_key="k" * 40)
    with pytest.raises(BackendError, match="no name for a file here"):
        run_files.download(RUN, (".onnx",), tmp_path, settings=settings, backend=backend)
    assert list(tmp_path.iterdir()) == []


def test_a_link_in_the_folder_is_not_followed(monkeypatch, settings, tmp_path):
    """Whoever put it there chose where the file would go."""
    monkeypatch.setattr(run_files, "own_server", lambda *_: Lying("m.onnx"))
    (tmp_path / "m.onnx").symlink_to(tmp_path / "elsewhere")
    backend = Backend(kind="local", base_url="http://127.0.0.1:1", api_key="k" * 40)
    with pytest.raises(BackendError, match="is a link"):
        run_files.download(RUN, (".onnx",), tmp_path, settings=settings, backend=backend)


def test_a_server_that_is_gone_leaves_nothing_half_written(settings, tmp_path):
    """The file is whole or not there, and the error says which one it was."""
    server = OwnServer(Backend(kind="local", base_url="http://127.0.0.1:1", api_key="k" * 40), settings)
    with pytest.raises(BackendError, match=r"cannot download m\.onnx"):
        server.save("http://127.0.0.1:1/file", tmp_path / "m.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_is_not_the_servers_fault(monkeypatch, settings, tmp_path):
    """What to do about it is told as everywhere, and in an error that ends no launch without its summary."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("sweeper.backend.own_server.save", full)
    server = OwnServer(Backend(kind="local", base_url="http://127.0.0.1:1", api_key="k" * 40), settings)
    with pytest.raises(BackendError, match=r"cannot download m\.onnx: No space left on device") as caught:
        server.save("http://127.0.0.1:1/file", tmp_path / "m.onnx")
    assert "make space" in caught.value.hint


def test_the_key_goes_to_its_own_server_alone(monkeypatch, settings):
    """An address of a file may lead elsewhere: W&B's own servers keep files in a store of somebody else's."""
    sent: dict[str, str | None] = {}
    monkeypatch.setattr("sweeper.backend.own_server.save", lambda url, _file, *, key, **_: sent.update({url: key}))
    server = OwnServer(Backend(kind="local", base_url="http://127.0.0.1:1", api_key="k" * 40), settings)
    for url in ("http://127.0.0.1:1/file", "http://127.0.0.1:11/file", "https://example.org/file"):
        server.save(url, Path("m.onnx"))
    assert [url for url, key in sent.items() if key] == ["http://127.0.0.1:1/file"]
