"""Another file for a sweep, one that has started too: what changes, what that comes to, and the change itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sweeper.backend import own_changes, sdk
from sweeper.backend.any_sweeps import AnySweepReader, own_server
from sweeper.backend.own_changes import StandingSweep
from sweeper.backend.own_server import OwnServer
from sweeper.definition import changes, yaml_document
from sweeper.definition.changes import ANEW
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.value_text import plain
from sweeper.errors import BackendError, LaunchError
from sweeper.readable import runs_word
from sweeper.ref import SweepRef
from sweeper.run import SweepState
from sweeper.settings import Backend, Settings

if TYPE_CHECKING:
    from sweeper.definition.yaml_document import Document, Fault

SHOWN = 10
"""Runs under way that an error names."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What an edit comes to; what is not known of a W&B server is None or empty.

    Attributes:
        state: The state that the sweep will have.
        runs: How many runs it has.
        expected_runs: How many it will have in all; None: until stopped.
        more: Whether it has further runs to give.
        stopped: Whether a person has ended it, and it stays so.
        history: How many of its runs the file does not ask for: they stay.
        withdrawn: Runs that waited for an agent with what the file drops, by their ids.
    """

    state: SweepState
    runs: int = 0
    expected_runs: int | None = None
    more: bool = True
    stopped: bool = False
    history: int = 0
    withdrawn: tuple[str, ...] = ()


class SweepEdit:
    """A sweep and the file that it is to get.

    Args:
        ref: The sweep.
        settings: The user's environment.
        backend: Its server.
        file: The file.
        definition: What it says; it has no faults.
    """

    def __init__(
        self, ref: SweepRef, settings: Settings, backend: Backend, *, file: Path, definition: SweepDefinition
    ) -> None:
        self.ref, self.file, self.definition = ref, file, definition
        self._server = own_server(backend, settings)
        self._known = own_changes.known(self._server, ref) if self._server else None
        if self._known is not None:
            old, state = SweepDefinition.from_yaml(self._known.text, by_hand=False), SweepState(self._known.state)
        else:
            view = AnySweepReader(ref, settings, backend).read()
            old, state = view.whole_definition, view.state
        self.state, self.changes = state, changes.changes(old, definition)
        self._check(old, backend)

    def _check(self, old: SweepDefinition, backend: Backend) -> None:
        """Refuse what the sweep cannot take.

        Raises:
            DefinitionError: Its runs would be wrong; with the places in the file.
            BackendError: Its server takes no other file.
            LaunchError: It is canceled.
        """
        if self.state is SweepState.CANCELED:
            raise LaunchError(f"cannot edit {self.ref}: it is canceled, and that is for good", ANEW)
        if self.state is SweepState.PENDING:
            refused: Sequence[changes.Refusal] = ()
        else:
            refused = changes.refusals(old, self.definition)
        if refused:
            found = self._document()
            raise yaml_document.faulty(str(self.file), [refusal.placed(found) for refusal in refused])
        if self._server is None and self.state is not SweepState.PENDING:
            what = f"{backend.base_url} is no sweeper server: W&B's take another file only until a sweep has begun"
            raise BackendError(f"cannot edit {self.ref}: {what}", ANEW)
        if self._server is None and self.definition.sweeper.used:
            keys = ", ".join(f"`{key}`" for key in self.definition.sweeper.used)
            what = f"{backend.base_url} is no sweeper server: it cannot honour {keys} under `sweeper:`"
            raise BackendError(what, "take them out of the file")

    def _document(self) -> Document:
        return yaml_document.read(yaml_document.read_file(self.file), str(self.file))

    def effects(self) -> Effects:
        """Ask the server what the file comes to.

        Raises:
            DefinitionError: It drops what runs under way have; with the places in the file.
            BackendError: The server does not answer.
        """
        return self._edited(dry_run=True)

    def apply(self) -> Effects:
        """Give the sweep the file.

        Raises:
            DefinitionError: It drops what runs under way have.
            BackendError: The server refuses, or does not answer.
        """
        return self._edited(dry_run=False)

    def _edited(self, *, dry_run: bool) -> Effects:
        if self._server is None or self._known is None:
            if not dry_run:
                sdk.update(self.ref, self.file)
            return Effects(state=self.state, expected_runs=self.definition.expected_runs)
        told = self._told(self._server, self._known, dry_run=dry_run)
        names = ("runs", "expected_runs", "more", "stopped", "history")
        given = {name: told[name] for name in names}
        return Effects(state=SweepState(told["state"].upper()), withdrawn=tuple(told["withdrawn"]), **given)

    def _told(self, server: OwnServer, known: StandingSweep, *, dry_run: bool) -> Mapping[str, Any]:
        told = own_changes.edit(server, self.ref, known, self.definition, dry_run=dry_run)
        if orphans := told["orphans"]:
            raise yaml_document.faulty(str(self.file), self._orphaned(orphans))
        return told

    def _orphaned(self, orphans: Mapping[str, Mapping[str, Any]]) -> list[Fault]:
        """Make a fault of each parameter of which a run under way has a value that the file drops."""
        found, faults = self._document(), []
        paths = self.definition.space.paths
        for name in dict.fromkeys(name for dropped in orphans.values() for name in dropped):
            held = {run: dropped[name] for run, dropped in orphans.items() if name in dropped}
            path = tuple(key for part in paths.get(name, (name,)) for key in ("parameters", part))
            who = ", ".join(f"{run} ({plain(value)})" for run, value in [*held.items()][:SHOWN])
            rest = f" and {len(held) - SHOWN} more" if len(held) > SHOWN else ""
            what = f"drops what {runs_word(len(held))} under way {'has' if len(held) == 1 else 'have'}: {who}{rest}"
            stop = f"sweeper stop {self.ref.quoted} --run {next(iter(held))}"
            fix = f"wait for the end (`sweeper pause` has no other begin), or end it: {stop}; then edit"
            faults.append(yaml_document.Fault(*found.place(path), path, what, fix))
        return faults

    def to_json(self, effects: Effects, *, applied: bool) -> dict[str, Any]:
        """Give what was done, or would be, for scripts."""
        told: dict[str, Any] = {"sweep": self.ref.path, "applied": applied}
        told["changes"] = [asdict(change) for change in self.changes]
        return told | asdict(effects) | {"state": effects.state.value.lower(), "withdrawn": list(effects.withdrawn)}


def in_words(effects: Effects, before: SweepState) -> list[str]:
    """Say what an edit comes to, in lines."""
    lines = []
    if effects.history:
        of = f"{effects.history} of {runs_word(effects.runs)}"
        lines.append(f"{of} had a configuration that the file does not ask for: kept as history")
    if effects.withdrawn:
        lines.append(f"{runs_word(len(effects.withdrawn))} that waited for a slot: withdrawn")
    total = effects.expected_runs
    if not effects.more:
        lines.append("nothing is left to run: the sweep has ended, or ends with the runs under way")
    elif total is None:
        lines.append("it goes on until stopped")
    else:
        lines.append(f"{runs_word(max(0, total - effects.runs))} to come, {total} in all")
    if effects.stopped and effects.more:
        lines.append("it was stopped, and stays so: `sweeper resume` opens it again")
    elif before is SweepState.FINISHED and not effects.state.ended:
        lines.append("it had finished, and goes on: launch it again")
    return lines
