"""GraphQL's User and Entity: here an entity is a user's, and has no organization above it."""

from __future__ import annotations

from functools import partial
from typing import Any

from sweeper.server.errors import SaidError
from sweeper.server.graphql import list_texts, retention_texts
from sweeper.server.graphql.context import Context, global_id
from sweeper.server.graphql.pagination import MAX_PAGE, connection
from sweeper.server.store import projects, users
from sweeper.server.store.users import User


def user_node(context: Context, user: User) -> dict[str, Any]:
    """Give GraphQL's User."""
    return {
        "id": global_id("User", user.name),
        "name": user.name,
        "username": user.name,
        "entity": user.name,
        "email": "",
        "admin": False,
        "flags": "{}",
        "photo_url": None,
        "deleted_at": None,
        "api_keys": _none_of_them(),
        "teams": _none_of_them(),
        "organizations": [],
        "projects": partial(_projects, context, user.name),
        # what who asks may see, whichever user this is
        "sweep_list": partial(list_texts.sweeps_text, context),
        "sweep_names": partial(list_texts.names_text, context),
        "retention": partial(retention_texts.retention_text, context),
        "database_space": partial(retention_texts.space_text, context),
    }


def entity_node(context: Context, name: str) -> dict[str, Any]:
    """Give GraphQL's Entity; no organization, or the SDK would ask a cloud address about it."""
    return {
        "id": global_id("Entity", name),
        "name": name,
        "organization": None,
        "available": False,
        "photo_url": None,
        "read_only": False,
        "read_only_admin": False,
        "is_team": False,
        "entity_type": "user",
        "private_only": False,
        "storage_bytes": 0,
        "code_saving_enabled": True,
        "default_access": "PRIVATE",
        "is_paid": False,
        "members": partial(_members, context, name),
        "user": partial(_user, context, name),
        "projects": partial(_projects, context, name),
        "triggers": _nothing,
        "integrations": _nothing,
    }


def _none_of_them() -> dict[str, Any]:
    return {"edges": [], "page_info": {"end_cursor": None, "has_next_page": False}}


def _nothing(**_: Any) -> dict[str, Any]:
    """Give the one page of what there is none of."""
    return _none_of_them()


def _find(context: Context, name: str) -> User | None:
    with context.store.read() as db:
        return users.find(db, name)


def _user(context: Context, name: str) -> dict[str, Any] | None:
    found = _find(context, name)
    return user_node(context, found) if found else None


def _members(context: Context, name: str) -> list[dict[str, Any]]:
    """List who belongs to an entity: its user; nobody for one that has projects alone.

    Raises:
        SaidError: Nobody has that name, and nothing lies under it.
    """
    if found := _find(context, name):
        unknown = {"pending": False, "photo_url": None, "account_type": "MEMBER", "api_key": None}
        return [{**user_node(context, found), **unknown, "admin": True}]
    with context.store.read() as db:
        if projects.all_of(db, name):
            return []
    # The SDK (0.31.0) cannot read an entity that is null
    raise SaidError(f"no team or user {name!r} here: `sweeper server add-user` makes users, there are no teams")


def _projects(context: Context, name: str, first: int | None = None, after: str | None = None) -> dict[str, Any]:
    with context.store.read() as db:
        found = projects.all_of(db, name)
    return connection(found, lambda project: project.name, first=first, after=after, default=MAX_PAGE)
