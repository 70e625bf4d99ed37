"""Names of sweeps and runs: the only module that joins or splits `entity/project/id`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from shlex import quote

from sweeper.errors import SweeperError

_PART = re.compile(r"[^/\\#?%:\x00-\x1f\x7f]{1,128}\Z")  # what W&B takes for a name
_FORMS = "write ID, PROJECT/ID or ENTITY/PROJECT/ID, as `sweeper create` prints it"


def _check(part: str, what: str) -> None:
    if not _PART.match(part) or part in {".", ".."}:
        raise SweeperError(f"{part!r} cannot be the {what} of a sweep", _FORMS)


def controller_run(sweep_id: str) -> str:
    """Name the run that a sweep's own scheduler logs into, on our own server."""
    return f"{sweep_id}-scheduler"


@dataclass(frozen=True, slots=True)
class SweepRef:
    """The full name of a sweep on some W&B server."""

    entity: str
    project: str
    sweep_id: str

    def __post_init__(self) -> None:
        """Refuse what no server would take: names become folders and addresses here."""
        _check(self.entity, "entity")
        _check(self.project, "project")
        _check(self.sweep_id, "id")

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
        return cls(*[entity, project][: 3 - len(parts)], *parts)

    @property
    def path(self) -> str:
        """`entity/project/id`, the form every W&B call takes."""
        return f"{self.entity}/{self.project}/{self.sweep_id}"

    @property
    def quoted(self) -> str:
        """The same for a command line: a project may be called `my project`."""
        return quote(self.path)

    def run(self, run_id: str) -> RunRef:
        """Name one of its runs."""
        return RunRef(self.entity, self.project, run_id)

    @property
    def controller_run(self) -> RunRef:
        """The run that `wandb sweep-scheduler` logs into, on our own server."""
        return self.run(controller_run(self.sweep_id))

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
