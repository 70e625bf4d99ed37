"""Refusals: what a person at the client reads."""

from __future__ import annotations

import pytest
from pydantic import BaseModel, ValidationError

from sweeper.server.errors import NotFoundError, RequestError, bug_message, faults_of


def test_a_mistake_of_the_client_is_never_a_5xx():
    """The SDK repeats those for minutes."""
    assert (RequestError("no").status, NotFoundError("gone").status, RequestError("long", 413).status) == (
        400,
        404,
        413,
    )
    assert str(NotFoundError("gone")) == NotFoundError("gone").message == "gone"


class Sent(BaseModel):
    """What a client may send."""

    name: str
    rows: list[int]


def test_faults_are_told_without_what_was_sent():
    """Where and what, on one line; a secret sent in the wrong place does not come back."""
    with pytest.raises(ValidationError) as caught:
        Sent.model_validate({"name": 5, "rows": [1, "secret"]})
    said = faults_of(caught.value)
    assert said.startswith("name: ")
    assert "; rows.1: " in said
    assert "secret" not in said
    assert "\n" not in said


def test_many_faults_are_cut_short():
    """Ten are enough to mend."""
    with pytest.raises(ValidationError) as caught:
        Sent.model_validate({"name": "x", "rows": ["y"] * 50})
    assert faults_of(caught.value).count("rows.") == 10


def test_a_fault_of_ours_has_a_number():
    """It is that of the log's line with the traceback."""
    assert "7f3a" in bug_message("7f3a")
