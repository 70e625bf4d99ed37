"""Findings as a table and as JSON."""

from __future__ import annotations

import json

import pytest
import typer

from sweeper.cli.findings import report
from sweeper.findings import Finding, Verdict, fail, ok, warn

FINDINGS = [ok("python", "3.11"), warn("shm", "[64 MiB]", "docker run --shm-size=8g"), ok("home", "/h")]


def test_a_finding_is_a_line_and_its_fix_another(capsys):
    """The sum is talk and goes to stderr; a fix that is not needed is not printed."""
    report(FINDINGS, as_json=False)
    said = capsys.readouterr()
    lines = [" ".join(line.split()) for line in said.out.splitlines()]
    assert lines == ["ok python 3.11", "warn shm [64 MiB]", "fix: docker run --shm-size=8g", "ok home /h"]
    assert said.err == "3 checks: 2 ok, 1 warn, 0 fail\n"


@pytest.mark.parametrize("as_json", [True, False])
def test_a_failure_is_an_exit_code(as_json):
    """For scripts; warnings alone are none."""
    report(FINDINGS, as_json=as_json)
    with pytest.raises(typer.Exit) as caught:
        report([*FINDINGS, fail("torch", "no GPU", "see nvidia-smi")], as_json=as_json)
    assert caught.value.exit_code == 1


def test_the_json_has_every_field(capsys):
    """A list of objects, in the order of the checks, and nothing else on stdout."""
    report(FINDINGS[:2], as_json=True)
    assert json.loads(capsys.readouterr().out) == [
        {"check": "python", "verdict": "ok", "found": "3.11", "fix": ""},
        {"check": "shm", "verdict": "warn", "found": "[64 MiB]", "fix": "docker run --shm-size=8g"},
    ]
    assert Finding("a", Verdict.OK, "b").fix == ""
