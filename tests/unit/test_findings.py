"""What a check found."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest

from sweeper.findings import Finding, fail, ok, warn


@pytest.mark.parametrize(
    ("finding", "told"),
    [
        (ok("disk", "9 GiB free"), ["disk", "ok", "9 GiB free", ""]),
        (warn("disk", "1 GiB free", "make space"), ["disk", "warn", "1 GiB free", "make space"]),
        (fail("disk", "full", "make space"), ["disk", "fail", "full", "make space"]),
    ],
)
def test_a_finding_is_told_in_words(finding: Finding, told):
    """`--json` prints the verdict as a word that scripts compare; what is well needs no fix."""
    assert list(json.loads(json.dumps(asdict(finding))).values()) == told
