"""Names that clients choose, and ids that we draw."""

from __future__ import annotations

import re

import pytest

from sweeper.server.errors import RequestError
from sweeper.server.names import check_name, new_id


def test_an_id_has_w_and_bs_form():
    """Eight lower-case letters and digits, and never the same twice."""
    drawn = {new_id() for _ in range(200)}
    assert len(drawn) == 200
    assert all(re.fullmatch("[a-z0-9]{8}", name) for name in drawn)


@pytest.mark.parametrize("name", ["p", "a b", "ünï", "v1.", "x..y", "名前", "x" * 128])
def test_a_name_of_any_language_is_kept(name):
    """What is safe in an address and as a folder stays as it was sent."""
    assert check_name(name, "run") == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        ".",
        "..",
        ". .",
        ".hidden",
        "x\x9bm",
        "x\u202ey",
        "x\u200by",
        "x\u2028y",
        "a/b",
        "a\\b",
        "a#b",
        "a?b",
        "a%b",
        "a:b",
        "a\nb",
        "\ud800",
        "x" * 129,
        "名" * 70,
    ],
)
def test_a_name_that_is_not_safe_is_refused(name):
    """It would climb, split an address, or be longer than file systems take; the refusal says what it was to be."""
    with pytest.raises(RequestError, match="cannot be the name of a run") as caught:
        check_name(name, "run")
    assert caught.value.status == 400
