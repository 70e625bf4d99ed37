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
