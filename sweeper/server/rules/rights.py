"""Who may change what: everybody with a key reads and adds, and what is there is changed by whom it belongs to.

A sweep belongs to whoever created it, an artifact to whoever logged it, and a run to whoever runs it: whose process
takes up a run that its sweep has handed out has it from then on, so agents of several users can share a sweep. The
server's own user, which whoever can read the data directory is, may change everything; what belonged to a user who was
removed is that one's alone.
"""

from __future__ import annotations

from collections.abc import Iterable

from sweeper.run import RunState
from sweeper.server.errors import RequestError
from sweeper.server.store import artifact_collections, artifacts, projects, runs, sweeps
from sweeper.server.store.artifacts import Artifact
from sweeper.server.store.database import Connection, Store
from sweeper.server.store.projects import Project
from sweeper.server.store.runs import StoredRun
from sweeper.server.store.sweeps import Sweep
from sweeper.server.store.users import EMBEDDED_USER, User

LATEST = "latest"


class ForbiddenError(RequestError):
    """What a request would change belongs to another user.

    Args:
        what: That thing.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} is another user's: only they and the user {EMBEDDED_USER} may change it", 403)


def may_change(user: User, *owners: int | None) -> bool:
    """Whether something belongs to a user, by the rows of all to whom it belongs; None is somebody who was removed."""
    return user.name == EMBEDDED_USER or all(owner == user.id for owner in owners)


def check(user: User, what: str, owners: Iterable[int | None]) -> None:
    """Refuse to change what belongs to somebody else.

    Raises:
        ForbiddenError: It does.
    """
    if not may_change(user, *owners):
        raise ForbiddenError(what)


def check_run(user: User, run: StoredRun) -> None:
    """Refuse to change another user's run.

    Raises:
        ForbiddenError: It is.
    """
    check(user, f"run {run.name}", [run.user_id])


def check_sweep(user: User, sweep: Sweep) -> None:
    """Refuse to change another user's sweep.

    Raises:
        ForbiddenError: It is.
    """
    check(user, f"sweep {sweep.name}", [sweep.user_id])


def check_artifact(user: User, artifact: Artifact) -> None:
    """Refuse to change another user's artifact.

    Raises:
        ForbiddenError: It is.
    """
    check(user, "the artifact", [artifact.user_id])


def may_take_up(user: User, run: StoredRun) -> bool:
    """Whether a user's process may work on a run: on their own, and on one that its sweep has handed out."""
    return may_change(user, run.user_id) or (run.state is RunState.PENDING and run.sweep_id is not None)


def take_up(db: Connection, user: User, run: StoredRun) -> StoredRun:
    """Let a user's process work on a run; one that its sweep has handed out becomes that user's.

    Raises:
        ForbiddenError: Another user's process has it.
    """
    if not may_take_up(user, run):
        raise ForbiddenError(f"run {run.name}")
    is_new = run.state is RunState.PENDING and run.sweep_id is not None and run.user_id != user.id
    return runs.update(db, run.id, user_id=user.id) if is_new else run


def check_agent(store: Store, user: User, agent_name: str) -> None:
    """Refuse to speak for an agent at work for another user: what an agent does not list is taken for dead.

    Raises:
        ForbiddenError: It is.
    """
    if user.name == EMBEDDED_USER:  # nearly every server has no other user, and a thousand agents
        return
    with store.read() as db:
        agent = sweeps.find_agent(db, agent_name)
        owners = [run.user_id for run in runs.of_agent(db, agent.id) if run.live] if agent else []
    check(user, f"agent {agent_name}", owners)


def check_aliases(db: Connection, user: User, collection_id: int, aliases: Iterable[str]) -> None:
    """Refuse to take an alias from another user's artifact; `latest` goes by itself to what came last.

    Raises:
        ForbiddenError: It is.
    """
    for alias in set(aliases) - {LATEST}:
        held = artifact_collections.with_alias(db, collection_id, alias)
        if held is not None:
            check(user, f"the artifact with the alias {alias!r}", [artifacts.get(db, held.artifact_id).user_id])


def check_stays(db: Connection, artifact: Artifact, place: Project) -> None:
    """Refuse to show an artifact of a private project in a project that others see.

    Raises:
        RequestError: They would.
    """
    home = projects.get(db, artifact_collections.get(db, artifact.collection_id).project_id)
    if home.private and home.id != place.id and (home.private, home.owner_id) != (place.private, place.owner_id):
        name = f"{home.entity}/{home.name}"
        raise RequestError(
            f"the artifact's project {name} is private: log it to {place.entity}/{place.name} to share it"
        )
