"""What a check found: the record that `sweeper doctor` and `sweeper server check` print."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How serious a finding is: a launch goes well, may go wrong, or goes wrong."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one check.

    Attributes:
        check: What was looked at.
        verdict: How it is.
        found: What there is.
        fix: What to do about it; empty if there is nothing to do.
    """

    check: str
    verdict: Verdict
    found: str
    fix: str = ""


def ok(check: str, found: str) -> Finding:
    """Say that all is well with something."""
    return Finding(check, Verdict.OK, found)


def warn(check: str, found: str, fix: str) -> Finding:
    """Say that something may go wrong, and what to do about it."""
    return Finding(check, Verdict.WARN, found, fix)


def fail(check: str, found: str, fix: str) -> Finding:
    """Say that something goes wrong, and what to do about it."""
    return Finding(check, Verdict.FAIL, found, fix)
