"""`sweeper schema`."""

from __future__ import annotations

import json

from sweeper.definition.json_schema import sweep_schema


def test_an_editor_can_take_what_is_printed_as_it_is(sweeper):
    """The schema alone on stdout, and on many lines: a diff of two versions says what has changed."""
    done = sweeper("schema")
    assert json.loads(done.stdout) == sweep_schema()
    assert done.stderr == ""
    assert len(done.stdout.splitlines()) > 100
