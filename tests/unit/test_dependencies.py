"""An audit of what we depend on that needs no network; one that does: `make audit`."""

from __future__ import annotations

import base64
import hashlib
import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution, requires

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import ROOT

PINS = dict(
    re.match(r"([\w.-]+)==(\S+)", line).groups()
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    if line.strip() and not line.startswith("#")
)
PERMISSIVE = re.compile(
    r"\b(MIT|BSD|Apache|ISC|PSF|Python Software Foundation|Mozilla|MPL|Unlicense|HPND|0BSD|Zlib|CC0)\b"
    r"|Python-2\.0|NVIDIA|Proprietary",
    re.IGNORECASE,
)
"""Licences under which a program of anybody's may use a package; NVIDIA's come with its own libraries alone."""


def installed(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def needed(name: str = "sweeper") -> set[str]:
    """List what a package needs, with what that needs, as it is installed here and without extras."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        for text in requires(waiting.pop()) or ():
            one = Requirement(text)
            key = canonicalize_name(one.name)
            if key not in found and (one.marker is None or one.marker.evaluate({"extra": ""})) and installed(key):
                found.add(key)
                waiting.append(key)
    return found


def test_what_is_installed_is_what_is_pinned():
    """Exactly: another version would be tested than the one that is said to be."""
    here = {name: found.version for name in PINS if (found := installed(name))}
    assert len(here) > 80
    # a build of PyTorch for one driver has a word behind its version
    other = {name: (version, PINS[name]) for name, version in here.items() if version.split("+")[0] != PINS[name]}
    assert other == {}


def test_all_that_the_server_needs_is_pinned():
    """What its dependencies need, too."""
    assert {canonicalize_name(name) for name in needed()} <= {canonicalize_name(name) for name in PINS}


def test_every_licence_is_known_and_lets_anybody_use_it():
    """As each package says in its metadata, by expression, classifier or text."""
    unknown = {}
    for name in needed():
        told = distribution(name).metadata
        words = [told.get("License-Expression") or "", told.get("License") or "", *(told.get_all("Classifier") or ())]
        said = [
            word for word in words if word and ("License" in word or word not in (told.get_all("Classifier") or ()))
        ]
        if not any(PERMISSIVE.search(word) for word in said):
            unknown[name] = said[:3]
    assert unknown == {}


@pytest.mark.timeout(120)
def test_nothing_that_the_server_needs_was_changed_after_its_installation():
    """Every file has the hash that its wheel recorded; what the installation itself makes has none."""
    changed, seen = [], 0
    for name in sorted(needed()):
        for file in distribution(name).files or ():
            if file.hash is None or file.hash.mode != "sha256":
                continue
            content = file.locate().read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            seen += 1
            if digest != file.hash.value:
                changed.append(f"{name}: {file}")
    assert seen > 1000
    assert changed == []
