"""What the documents promise is tested where they say, and the tests they name are there."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ROOT
from tests.named_tests import missing, named

SECURITY = (ROOT / "docs" / "security.md").read_text(encoding="utf-8")
THREATS = (
    "Spoofing",
    "Tampering",
    "Repudiation",
    "Information disclosure",
    "Denial of service",
    "Elevation of privilege",
)


def rows():
    """Read the table of threats: kind, threat, defence, tests."""
    section = SECURITY[SECURITY.index("## Threats") :]
    found = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", section, re.MULTILINE)
    return [row for row in found if row[0] not in {"kind", "---"} and not row[0].startswith("-")]


@pytest.mark.parametrize("file", ["security.md", "protocol.md"])
def test_the_tests_that_a_document_names_are_there(file):
    """By file and by name."""
    text = (ROOT / "docs" / file).read_text(encoding="utf-8")
    assert named(text)
    assert missing(text) == []


def test_every_threat_has_a_defence_and_a_test_or_says_that_it_has_none():
    """Of each of the six kinds there is one at least."""
    assert {kind for kind, *_ in rows()} == set(THREATS)
    assert len(rows()) > 25
    for kind, threat, defence, tests in rows():
        assert defence.strip(), (kind, threat)
        assert named(tests) or tests.strip() == "none", (kind, threat)
        assert tests.strip() != "none" or "not protected" in defence, (kind, threat)


def test_a_test_that_is_gone_is_noticed():
    """As one of another file would be, or a file that is none."""
    text = "`test_named_tests::test_a_test_that_is_gone_is_noticed`, `unit/test_named_tests`, `test_named_tests.py`"
    assert missing(text) == []
    assert len(named(text)) == 3
    assert missing("`test_named_tests::test_nothing`, `test_nothing`") == [
        "test_named_tests::test_nothing",
        "test_nothing",
    ]
