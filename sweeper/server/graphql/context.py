"""What the resolvers of one request share: the store, who asks, and how to write ids and addresses."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote

from sweeper.server.artifacts.blobs import BlobStore
from sweeper.server.budget import Budget
from sweeper.server.errors import NotFoundError
from sweeper.server.rules import writers
from sweeper.server.rules.dispatcher import Dispatcher
from sweeper.server.rules.idle_agents import Idling
from sweeper.server.signing import Signer
from sweeper.server.store import projects, sweeps, users
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.projects import Project
from sweeper.server.store.run_files import FileStore
from sweeper.server.store.users import User


@dataclass(frozen=True, slots=True)
class Context:
    """One request.

    Attributes:
        dispatcher: The rules, with the store.
        files: Where uploads lie.
        blobs: Where artifacts' contents lie.
        signer: Signs addresses for requests without a key.
        user: Who asks; its name is the default entity.
        base_url: The address the client used, without a slash at the end.
        now: The time of the request.
        holder: What the process that asks calls itself, if it is one of our workers' runs.
        slot: The slot in which it is, as its worker calls it; empty if nobody says.
        joint: The group for which its runs count, as it says so; empty if it does not.
        reason: Why a worker asks for the end of its run, or for another attempt at it; empty if nobody says.
        why: Why a person asks, who does so at a command line; None where nobody says that it is a person.
        held: Whether the request has been held, and is answered anew.
        hurried: Others wait meanwhile: what takes longer raises `UnhurriedError` before it has done anything.
        watched: Runs whose end would bring a better answer; filled in by a heartbeat.
        idle: What else would; filled in by the heartbeat of a worker for which there is no run now.
        budget: What the answer may cost.
    """

    dispatcher: Dispatcher
    files: FileStore
    blobs: BlobStore
    signer: Signer
    user: User
    base_url: str
    now: float
    holder: str = ""
    slot: str = ""
    joint: str = ""
    reason: str = ""
    why: str | None = None
    held: bool = False
    hurried: bool = False
    watched: list[int] = field(default_factory=list)
    idle: list[Idling] = field(default_factory=list)
    budget: Budget = field(default_factory=Budget)
    _projects: dict[int, Project] = field(default_factory=dict)
    _names: dict[tuple[str, int | None], str | None] = field(default_factory=dict)

    @property
    def store(self) -> Store:
        """The database."""
        return self.dispatcher.store

    def project(self, project_id: int) -> Project:
        """Give the project of a row; read once a request, for a page of runs asks fifty times, and it never changes."""
        if project_id not in self._projects:
            with self.store.read() as db:
                self._projects[project_id] = projects.get(db, project_id)
        return self._projects[project_id]

    def sweep_name(self, sweep_id: int) -> str:
        """Give the id that users see of a row's sweep; read once a request."""
        return self._name("sweep", sweep_id, lambda db: sweeps.get(db, sweep_id).name) or ""

    def user_name(self, user_id: int | None) -> str | None:
        """Give the name of a row's user; read once a request. None if nobody is known."""
        return self._name("user", user_id, lambda db: users.name_of(db, user_id))

    def _name(self, kind: str, row_id: int | None, ask: Callable[[Connection], str | None]) -> str | None:
        key = (kind, row_id)
        if key not in self._names:
            with self.store.read() as db:
                self._names[key] = ask(db)
        return self._names[key]

    def sign(self, lifetime_s: float, action: str, *names: str) -> str:
        """Give the asker's right to an action, as a token for an address that is used without their key."""
        until = self.now + lifetime_s
        return self.signer.token(action, *names, user_id=self.user.id, key=self.user.key, until=until)

    def writing(self, config: str | None) -> set[str]:
        """Name the process that asks: by itself, or by the config it sends."""
        return {self.holder} if self.holder else writers.of_config(config)

    def file_url(self, entity: str, project: str, run: str, path: str) -> str:
        """Give the address to download a run's file from."""
        return self.base_url + file_path(entity, project, run, path)


def file_path(entity: str, project: str, run: str, path: str) -> str:
    """Give the path part of the address of a run's file."""
    # the path keeps its slashes, as the SDK writes them; names have none of their own (names.py)
    return "/files/" + "/".join(quote(part, safe="") for part in (entity, project, run)) + "/" + quote(path)


def global_id(kind: str, *parts: str) -> str:
    """Make an id of W&B's form: opaque to clients, readable to us."""
    return base64.b64encode(":".join([kind, "v1", *parts]).encode()).decode()


def run_id(project: Project, name: str) -> str:
    """Make the global id of a run; `Root.run_by_id` reads it."""
    return global_id("Run", name, project.name, project.entity)


def parts_of(text: str, kind: str) -> list[str]:
    """Read an id made by `global_id`.

    Raises:
        NotFoundError: It is no such id.
    """
    try:
        # the version lets the form of an id change without an old one being read as something else
        found, version, *parts = base64.b64decode(text, validate=True).decode().split(":")
    except (binascii.Error, ValueError):
        found, version, parts = "", "", []
    if (found, version) != (kind, "v1"):
        raise NotFoundError(f"{text!r} is not the id of a {kind.lower()}")
    return parts
