"""The comparison of documents with docs/json.md."""

from __future__ import annotations

import math
from typing import Any

import pytest

from tests.documented_json import Place, assert_documented, documented

FINDING = {"check": "disk", "verdict": "ok", "found": "1 GiB", "fix": ""}
STATE = {"sweep": "local/p/s", "state": "paused", "changed": True}


def test_what_fits_its_table_passes() -> None:
    """A list of objects and an object pass, and either of two forms does."""
    assert_documented("doctor", [FINDING, FINDING])
    assert_documented("pause", STATE)
    assert_documented("stop", {"sweep": "local/p/s", "runs": [{"id": "r", "state": "running", "stopping": True}]})


@pytest.mark.parametrize(
    ("verb", "told", "words"),
    [
        ("pause", STATE | {"state": "PAUSED"}, "'PAUSED' is not state"),
        ("pause", STATE | {"more": 1}, "more is not documented"),
        ("pause", STATE | {"changed": 1}, "1 is not boolean"),
        ("pause", {"sweep": "s", "state": "paused"}, "changed is missing"),
        ("pause", [STATE], "it is a list"),
        ("doctor", FINDING, "it is an object"),
        ("doctor", [FINDING, {**FINDING, "fix": None}], "None is not string"),
        ("doctor", ["disk"], "has no keys"),
        ("status", {"elapsed_s": math.nan}, "is no JSON"),
        ("best", {"sweep": "s", "metrics": {}, "front": [1]}, ".front[0]: 1 is not run"),
        ("retry", {"sweep": "s", "waiting": [], "refused": {"r": 1}}, ".refused.r: 1 is not string"),
    ],
)
def test_what_does_not_fit_is_named(verb: str, told: Any, words: str) -> None:
    """A key too many or too few, another type, or a state in upper case fails, with its place."""
    with pytest.raises(AssertionError) as caught:
        assert_documented(verb, told)
    assert words in str(caught.value)


def test_every_row_of_the_document_is_read() -> None:
    """Each table has rows, in the words that the check knows."""
    forms = documented()
    assert {"error", "status", "server add-user", "server check", "resume"} <= set(forms)
    assert all(isinstance(form, Place) and form.inside for verb in forms.values() for form in verb)
