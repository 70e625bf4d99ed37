"""What the fields of one request share: ids, addresses, times, and the projects that rows belong to."""

from __future__ import annotations

import base64

import pytest

from sweeper.server.errors import NotFoundError
from sweeper.server.graphql.context import file_path, global_id, parts_of, run_id
from sweeper.server.graphql.root import Root
from sweeper.server.store import projects


def test_an_id_gives_back_what_it_was_made_of():
    """It is opaque to clients only."""
    assert parts_of(global_id("Run", "r", "p", "local"), "Run") == ["r", "p", "local"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "ü",
        global_id("Sweep", "s"),
        base64.b64encode(b"Run:v2:r").decode(),
        base64.b64encode(b"\xff").decode(),
    ],
)
def test_an_id_of_something_else_is_not_found(text):
    """Another kind, another version, and what is no id."""
    with pytest.raises(NotFoundError, match="id of a run"):
        parts_of(text, "Run")


def test_a_path_of_a_file_is_quoted_part_by_part():
    """Names keep their slashes to themselves; those of the path are its own."""
    assert file_path("e", "p q", "r/s", "a b/c?.txt") == "/files/e/p%20q/r%2Fs/a%20b/c%3F.txt"


def test_a_project_is_read_once_a_request(context):
    """A page of runs asks for the project of each."""
    with context.store.write() as db:
        place = projects.ensure(db, "local", "p", now=1.0)
    assert context.project(place.id) == place
    with context.store.write() as db:
        db.execute("UPDATE projects SET name = 'other'")
    assert context.project(place.id) == place


def test_the_writer_of_a_run_is_who_says_so(context):
    """A worker of ours names its process in a header, another one in the config it sends."""
    config = '{"_wandb": {"value": {"e": {"w1": {"startedAt": "2026-01-01T00:00:00Z"}}}}}'
    assert len(context.writing(config)) == 1
    assert context.writing(None) == set()


def test_an_id_of_a_run_finds_its_run(context):
    """What `run_id` makes the root of every request reads."""
    with context.store.write() as db:
        place = projects.ensure(db, "local", "p", now=1.0)
    with context.store.read() as db, pytest.raises(NotFoundError, match="no run local/p/r here"):
        Root(context).run_by_id(db, run_id(place, "r"))
