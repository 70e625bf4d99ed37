"""The images, built once, and a server's data directory as a volume of their user's."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.containers.engine import USER, Engine

CACHE = ROOT / ".cache" / "containers"


@pytest.fixture(scope="session")
def engine(tmp_path_factory) -> Engine:
    """Give buildah, with a base to build on."""
    missing = [name for name in ("buildah", "debootstrap") if not shutil.which(name)]
    if missing or os.geteuid():
        pytest.skip(f"needs root and Debian's packages: {', '.join(missing) or 'they are here'}")
    (CACHE / "store").mkdir(parents=True, exist_ok=True)
    engine = Engine(CACHE / "store", tmp_path_factory.mktemp("logs"))
    engine.make_base()
    return engine


@pytest.fixture(scope="session")
def server_image(engine) -> Iterator[str]:
    """Build the server's image."""
    image = engine.build("server")
    yield image
    engine.buildah("rm", "--all")
    engine.buildah("rmi", image)


@pytest.fixture(scope="session")
def worker_image(engine) -> Iterator[str]:
    """Build the worker's image without PyTorch, which is 5 GB."""
    image = engine.build("worker", "EXTRA=")
    yield image
    engine.buildah("rm", "--all")
    engine.buildah("rmi", image)


@pytest.fixture
def volume(tmp_path) -> Callable[[str], Path]:
    """Make folders that the images' user owns."""

    def make(name: str) -> Path:
        place = tmp_path / name
        place.mkdir()
        os.chown(place, USER, USER)
        return place

    return make


@pytest.fixture
def key_file(tmp_path) -> Path:
    """Write a key that the images' user may read."""
    file = tmp_path / "api-key"
    file.write_text(f"local-{secrets.token_hex(20)}\n")
    file.chmod(0o644)
    return file


@pytest.fixture
def port() -> int:
    """Find a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])
