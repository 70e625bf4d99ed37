"""Signed addresses: for one action on one thing, for a while."""

from __future__ import annotations

import pytest

from sweeper.server.signing import LIFETIME_S, Signer

SIGNER = Signer(b"secret")
NOW = 1_000_000.0


def test_token_holds_for_a_day():
    """A token holds until its time is over, and not a second longer."""
    token = SIGNER.token("upload", "run", "a.txt", now=NOW)
    assert SIGNER.holds(token, "upload", "run", "a.txt", now=NOW + LIFETIME_S)
    assert not SIGNER.holds(token, "upload", "run", "a.txt", now=NOW + LIFETIME_S + 1)


@pytest.mark.parametrize("asked", [("upload", "run", "b.txt"), ("download", "run", "a.txt"), ("upload", "runa.txt")])
def test_token_holds_for_what_it_names_only(asked):
    """Another file or another action needs another token."""
    token = SIGNER.token("upload", "run", "a.txt", now=NOW)
    assert not SIGNER.holds(token, *asked, now=NOW)


@pytest.mark.parametrize("token", ["", ".", "9999999999.", "9999999999.00", "x.y", "é.ü", "\ud800.a"])
def test_made_up_token_does_not_hold(token):
    """Whatever is not a token of ours is refused without an error."""
    assert not SIGNER.holds(token, "upload", "run", "a.txt", now=NOW)


def test_longer_life_cannot_be_written_into_a_token():
    """The time is part of what is signed."""
    expires, _, mac = SIGNER.token("upload", "run", "a.txt", now=NOW).partition(".")
    assert not SIGNER.holds(f"{int(expires) + 1}.{mac}", "upload", "run", "a.txt", now=NOW)


def test_other_server_has_other_tokens():
    """A token is worth nothing without the secret it was made with."""
    token = Signer(b"other").token("upload", "run", "a.txt", now=NOW)
    assert not SIGNER.holds(token, "upload", "run", "a.txt", now=NOW)
