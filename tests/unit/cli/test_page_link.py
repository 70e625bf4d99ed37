"""An address that opens a page, for a terminal and nothing else."""

from __future__ import annotations

import os
import re
import sys
import urllib.parse
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from rich.console import Console

from sweeper.cli.page_link import say_page_link
from sweeper.settings import Backend, Settings
from tests.conftest import open_direct


@contextmanager
def stdout(monkeypatch, stream: IO[str]):
    """Put a stream in the place of stdout, for as long as a test needs it."""
    with monkeypatch.context() as patch, stream:
        patch.setattr(sys, "stdout", stream)
        yield
        stream.flush()


@pytest.fixture
def terminal():
    """A terminal: where a program prints, and what it has printed."""
    ours, its = os.openpty()
    os.set_blocking(ours, False)

    def printed() -> str:
        try:
            return os.read(ours, 65536).decode()
        except (BlockingIOError, OSError):  # nothing, and nobody is there any more
            return ""

    yield os.fdopen(its, "w"), printed
    os.close(ours)


@pytest.fixture
def settings(embedded) -> Settings:
    return Settings.from_env({"SWEEPER_HOME": str(embedded.home)})


def test_a_terminal_gets_an_address_that_opens_the_page(embedded, settings, terminal, monkeypatch):
    """It lets a browser in and leads on to the page."""
    ref, _ = embedded.sweep()
    page = f"{embedded.url}/{ref.entity}/{ref.project}/sweeps/{ref.sweep_id}"
    stream, printed = terminal
    with stdout(monkeypatch, stream):
        say_page_link(Console(highlight=False), Backend(kind="local", base_url=embedded.url), settings, page)
        (link,) = re.findall(r"http://\S+", printed())
    with open_direct(link) as answer:
        assert f"url={urllib.parse.urlsplit(page).path}" in answer.read().decode()


def test_a_pipe_a_file_and_another_server_get_none(embedded, settings, terminal, monkeypatch):
    """Who reads a log must not get in by it, whatever colours are asked for."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    with stdout(monkeypatch, Path(os.devnull).open("w", encoding="utf-8")):
        console = Console(record=True)
        say_page_link(console, Backend(kind="local", base_url=embedded.url), settings, embedded.url)
        assert console.export_text() == ""
    stream, printed = terminal
    with stdout(monkeypatch, stream):
        say_page_link(Console(), Backend(kind="wandb", base_url=embedded.url), settings, embedded.url)
        assert printed() == ""


def test_a_server_that_gives_none_costs_the_command_nothing(terminal, tmp_path, monkeypatch):
    """The page's own address has been printed."""
    settings = Settings.from_env({"SWEEPER_HOME": str(tmp_path)})
    stream, printed = terminal
    with stdout(monkeypatch, stream):
        say_page_link(Console(), Backend(kind="local", base_url="http://127.0.0.1:1"), settings, "/")
        assert printed() == ""
