"""Sweeps and their agents in the database."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sweeper.definition import placed_faults, yaml_document
from sweeper.definition.confirming import link
from sweeper.definition.outline import Outline
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.run import SweepState
from sweeper.server.names import new_id
from sweeper.server.store import privacy

SAME_BEAT_S = 1.0
"""Seconds in which several agents give one sign of life of their sweep."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """A sweep as stored; `name` is the id that users see."""

    id: int
    project_id: int
    user_id: int | None
    name: str
    definition_text: str
    state: SweepState
    seed: int
    exhausted: bool
    display_name: str | None
    description: str | None
    created_at: float
    updated_at: float
    heartbeat_at: float | None

    @property
    def definition(self) -> SweepDefinition:
        """The document, parsed and validated."""
        return parse_definition(self.definition_text)

    @property
    def seeks_values(self) -> bool:
        """Whether values of its metric are looked up over all its runs: by early termination, or for a target."""
        metric = self.definition.metric
        return self.definition.stopping is not None or (metric is not None and metric.target is not None)

    @property
    def search_seed(self) -> int:
        """What the search draws from: the file's own seed, else the one drawn when the sweep was made."""
        return self.seed if self.definition.seed is None else self.definition.seed


@dataclass(frozen=True, slots=True)
class Agent:
    """A client that asks for runs of one sweep; an eager one asked for the first at once, None if it has not asked."""

    id: int
    sweep_id: int
    name: str
    host: str
    created_at: float
    heartbeat_at: float
    eager: int | None  # 0 or 1: SQLite has no truth values


@lru_cache(maxsize=256)
def parse_definition(text: str) -> SweepDefinition:
    """Parse a sweep file's text; every heartbeat needs it, so the last ones are kept.

    Raises:
        DefinitionError: The text describes no sweep.
    """
    return SweepDefinition.from_yaml(text, by_hand=False)  # by then the SDK has read it and written it anew


class Gist(NamedTuple):
    """What a list of all sweeps needs of a file.

    Attributes:
        outline: The file in short.
        expected: How many runs it asks for; None if it goes on until stopped.
    """

    outline: Outline
    expected: int | None


@lru_cache(maxsize=20_000)
def gist(text: str) -> Gist:
    """Sum a sweep file's text up; remembered for the sweeps of years, whose files take a millisecond each to parse.

    Raises:
        DefinitionError: The text describes no sweep.
    """
    definition = parse_definition(text)
    return Gist(Outline.of(definition), definition.expected_beside())


def warnings(text: str) -> list[str]:
    """List what the user of a plain `wandb sweep` probably did not mean, in a text that describes a sweep."""
    found = yaml_document.read(text, "sweep.yaml")
    faults = [*placed_faults.without_value(found), *placed_faults.misread(found)]
    return [fault.render("sweep.yaml").replace("\n   ", ":") for fault in faults]


def _sweep(row: sqlite3.Row) -> Sweep:
    values = dict(row)
    values["definition_text"] = values.pop("definition")
    values["state"] = SweepState(values["state"])
    values["exhausted"] = bool(values["exhausted"])
    return Sweep(**values)


def selected(db: sqlite3.Connection, query: str, given: Mapping[str, object]) -> list[Sweep]:
    """List the sweeps that a query of this room gives, whole rows of them."""
    return [_sweep(row) for row in db.execute(query, given)]


def create(
    db: sqlite3.Connection,
    project_id: int,
    text: str,
    *,
    user_id: int,
    seed: int,
    display_name: str | None,
    description: str | None = None,
    now: float,
) -> Sweep:
    """Store a new sweep under an id of its own, PENDING until its first agent."""
    definition = parse_definition(text)
    values = {
        "project_id": project_id,
        "user_id": user_id,
        "name": new_id(),
        "definition": text,
        "state": SweepState.PENDING,
        "seed": seed,
        "display_name": display_name or definition.name,
        "description": description or definition.description,
        "created_at": now,
        "updated_at": now,
    }
    marks = ",".join("?" * len(values))
    query = f"INSERT INTO sweeps ({', '.join(values)}) VALUES ({marks}) RETURNING *"  # noqa: S608 - names of ours
    return _sweep(db.execute(query, tuple(values.values())).fetchone())


def find(db: sqlite3.Connection, name: str, project_id: int | None = None) -> Sweep | None:
    """Find a sweep by the id users see, in one project or in any that is there for who asks."""
    query = "SELECT * FROM sweeps WHERE name = :name AND (:project IS NULL OR project_id = :project)"
    row = db.execute(query, {"name": name, "project": project_id}).fetchone()
    return _sweep(row) if row and row["project_id"] not in privacy.hidden(db) else None


def get(db: sqlite3.Connection, sweep_id: int) -> Sweep:
    """Fetch a sweep that is there."""
    return _sweep(db.execute("SELECT * FROM sweeps WHERE id = ?", (sweep_id,)).fetchone())


def seeing(db: sqlite3.Connection, run_id: int) -> list[Sweep]:
    """List the sweeps that learn from a run: its own and those it is attached to."""
    query = (
        "SELECT * FROM sweeps WHERE id = (SELECT sweep_id FROM runs WHERE id = :run)"
        " OR id IN (SELECT sweep_id FROM prior_runs WHERE run_id = :run)"
    )
    return [_sweep(row) for row in db.execute(query, {"run": run_id})]


def of_project(db: sqlite3.Connection, project_id: int) -> list[Sweep]:
    """List a project's sweeps, the newest first."""
    query = "SELECT * FROM sweeps WHERE project_id = ? ORDER BY id DESC"
    return [_sweep(row) for row in db.execute(query, (project_id,))]


def of_projects(db: sqlite3.Connection, project_ids: Iterable[int]) -> list[Sweep]:
    """List the sweeps of some projects, the newest first."""
    query = "SELECT * FROM sweeps WHERE project_id IN (SELECT value FROM json_each(?)) ORDER BY id DESC"
    return [_sweep(row) for row in db.execute(query, (json.dumps([*project_ids]),))]


def confirming(db: sqlite3.Connection, sweep: Sweep) -> list[Sweep]:
    """List the sweeps of its project that run a sweep's best configurations again, the oldest first."""
    # its text and not its description, which people change
    query = "SELECT * FROM sweeps WHERE project_id = ? AND instr(definition, ?) AND id > ? ORDER BY id"
    found = [_sweep(row) for row in db.execute(query, (sweep.project_id, f"confirms {sweep.name} ", sweep.id))]
    return [other for other in found if (about := link(other.definition)) and about.sweep == sweep.name]


def all_of(db: sqlite3.Connection) -> list[Sweep]:
    """List the sweeps of all projects, the newest first."""
    return [_sweep(row) for row in db.execute("SELECT * FROM sweeps ORDER BY id DESC")]


def running(db: sqlite3.Connection) -> list[Sweep]:
    """List the running sweeps of all projects."""
    return [_sweep(row) for row in db.execute("SELECT * FROM sweeps WHERE state = 'RUNNING' ORDER BY id")]


def set_state(db: sqlite3.Connection, sweep_id: int, state: SweepState, *, now: float) -> None:
    """Change a sweep's state; a sweep that runs again is no longer exhausted."""
    query = (
        "UPDATE sweeps SET state = :state, updated_at = :now, exhausted = exhausted AND :state <> 'RUNNING'"
        " WHERE id = :id"
    )
    db.execute(query, {"state": state, "now": now, "id": sweep_id})


def set_exhausted(db: sqlite3.Connection, sweep_id: int) -> None:
    """Remember that the search has nothing more to propose."""
    db.execute("UPDATE sweeps SET exhausted = 1 WHERE id = ?", (sweep_id,))


def replace_definition(db: sqlite3.Connection, sweep: Sweep, text: str, *, now: float) -> None:
    """Give a sweep another definition, of which no end is known; what a person has called it stays."""
    old, new = sweep.definition, parse_definition(text)
    name = new.name if sweep.display_name == old.name else sweep.display_name
    description = new.description if sweep.description == old.description else sweep.description
    # they were computed for the other space
    db.execute("DELETE FROM suggestions WHERE sweep_id = ?", (sweep.id,))
    query = (
        "UPDATE sweeps SET definition = ?, display_name = ?, description = ?, updated_at = ?, exhausted = 0"
        " WHERE id = ?"
    )
    db.execute(query, (text, name, description, now, sweep.id))


def describe(db: sqlite3.Connection, sweep_id: int, name: str | None, description: str | None, *, now: float) -> None:
    """Call a sweep something else, or describe it in other words; None leaves it, an empty text takes it away."""
    query = (
        "UPDATE sweeps SET display_name = nullif(coalesce(:name, display_name), ''),"
        " description = nullif(coalesce(:description, description), ''), updated_at = :now WHERE id = :id"
    )
    db.execute(query, {"name": name, "description": description, "now": now, "id": sweep_id})


def delete(db: sqlite3.Connection, sweep_id: int) -> None:
    """Delete a sweep with its agents; its runs go with it, and are the caller's to look after before."""
    db.execute("DELETE FROM sweeps WHERE id = ?", (sweep_id,))


def add_agent(db: sqlite3.Connection, sweep_id: int, host: str, *, now: float) -> Agent:
    """Store a new agent."""
    query = "INSERT INTO agents (sweep_id, name, host, created_at, heartbeat_at) VALUES (?, ?, ?, ?, ?) RETURNING *"
    return Agent(*db.execute(query, (sweep_id, new_id(), host, now, now)).fetchone())


def find_agent(db: sqlite3.Connection, name: str) -> Agent | None:
    """Find an agent by the id it was given, if its sweep is there for who asks."""
    row = db.execute("SELECT * FROM agents WHERE name = ?", (name,)).fetchone()
    found = Agent(*row) if row else None
    # asked with every heartbeat: its sweep is looked at only if anything is hidden
    if found and (unseen := privacy.hidden(db)) and get(db, found.sweep_id).project_id in unseen:
        return None
    return found


def agents_of(db: sqlite3.Connection, sweep_id: int) -> list[Agent]:
    """List a sweep's agents, the oldest first."""
    query = "SELECT * FROM agents WHERE sweep_id = ? ORDER BY id"
    return [Agent(*row) for row in db.execute(query, (sweep_id,))]


def touch(db: sqlite3.Connection, agent: Agent, sweep: Sweep, *, eager: bool, now: float) -> None:
    """Record a sign of life of an agent and thereby of its sweep; the first one tells whether it is eager."""
    # coalesce: `wandb agent` in a shell waits 5 s before its first heartbeat only, the others tell nothing
    query = "UPDATE agents SET heartbeat_at = ?, eager = coalesce(eager, ?) WHERE id = ?"
    db.execute(query, (now, eager, agent.id))
    # a thousand agents of one sweep: once a second tells as much
    if sweep.heartbeat_at is None or abs(now - sweep.heartbeat_at) >= SAME_BEAT_S:
        db.execute("UPDATE sweeps SET heartbeat_at = ? WHERE id = ?", (now, sweep.id))
