"""What each release of the SDK did, as a table in a page."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

BEGIN, END = "<!-- written by `make test-sdks` -->", "<!-- to here -->"
WORDS = {"passed": "yes", "failed": "no", "skipped": "cannot"}


@dataclass
class Matrix:
    """Results of scenarios by release.

    Attributes:
        found: The outcome of each, by release and scenario; a failure stays one.
    """

    found: dict[tuple[str, str], str] = field(default_factory=dict)

    @property
    def scenarios(self) -> list[str]:
        """Give the scenarios that were tried, in the order of the alphabet."""
        return sorted({scenario for _, scenario in self.found})

    def note(self, release: str, scenario: str, outcome: str) -> None:
        """Take a result."""
        if self.found.get((release, scenario)) != "failed":
            self.found[release, scenario] = outcome

    def is_whole(self, releases: Sequence[str]) -> bool:
        """Whether every scenario was tried with every release."""
        wanted = {(release, scenario) for release in releases for scenario in self.scenarios}
        return bool(self.found) and wanted == set(self.found)

    def table(self, releases: Sequence[str]) -> str:
        """Draw it, the newest release first."""
        lines = ["| SDK | " + " | ".join(self.scenarios) + " |", "|---" * (len(self.scenarios) + 1) + "|"]
        for release in reversed(releases):
            cells = [WORDS[self.found[release, scenario]] for scenario in self.scenarios]
            lines.append(f"| {release} | " + " | ".join(cells) + " |")
        return "\n".join(lines)

    def within(self, text: str, releases: Sequence[str]) -> str:
        """Put it into the page, in the place of the last one."""
        place = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
        assert place.search(text), "the page has no place for the table"
        return place.sub(lambda _: f"{BEGIN}\n{self.table(releases)}\n{END}", text)
