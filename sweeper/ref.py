"""Names of sweeps and runs: the only module that joins or splits `entity/project/id`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sweeper.errors import SweeperError

_PART = re.compile(r"[^/\s\\]+\Z")
_FORMS = "write ID, PROJECT/ID or ENTITY/PROJECT/ID, as `sweeper create` prints it"


def _check(part: str, what: str, text: str) -> str:
    if not _PART.match(part) or part in {".", ".."}:
        raise SweeperError(f"{text!r} is not a sweep: its {what} is {part!r}", _FORMS)
    return part


@dataclass(frozen=True, slots=True)
class SweepRef:
    """The full name of a sweep on some W&B server."""

    entity: str
    project: str
    sweep_id: str

    @classmethod
    def parse(cls, text: str, *, entity: str = "", project: str = "") -> SweepRef:
        """Read `ID`, `PROJECT/ID` or `ENTITY/PROJECT/ID`.

        Args:
            text: What the user wrote.
            entity: Fills in a missing entity.
            project: Fills in a missing project.

        Raises:
            SweeperError: The text has another form, or a part is missing and not filled in.
        """
        parts = text.strip().strip("/").split("/")
        if len(parts) > 3:
            raise SweeperError(f"{text!r} is not a sweep: it has {len(parts)} parts", _FORMS)
        filled = [entity, project][: 3 - len(parts)] + parts
        names = ("entity", "project", "sweep id")
        return cls(*(_check(part, what, text) for part, what in zip(filled, names, strict=True)))

    @property
    def path(self) -> str:
        """`entity/project/id`, the form every W&B call takes."""
        return f"{self.entity}/{self.project}/{self.sweep_id}"

    def run(self, run_id: str) -> RunRef:
        """Name one of its runs."""
        return RunRef(self.entity, self.project, run_id)

    def url(self, base_url: str) -> str:
        """Give the address of its page on the server at `base_url`."""
        return f"{base_url.rstrip('/')}/{self.entity}/{self.project}/sweeps/{self.sweep_id}"

    def __str__(self) -> str:
        return self.path


@dataclass(frozen=True, slots=True)
class RunRef:
    """The full name of a run on some W&B server."""

    entity: str
    project: str
    run_id: str

    @property
    def path(self) -> str:
        """`entity/project/id`, the form `wandb.Api().run()` takes."""
        return f"{self.entity}/{self.project}/{self.run_id}"

    def __str__(self) -> str:
        return self.path
