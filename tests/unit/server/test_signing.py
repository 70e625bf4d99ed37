"""Signed addresses: for one action on one thing, for a while, as long as the key is there that they were signed for."""

from __future__ import annotations

import pytest

from sweeper.server.signing import READ_S, WRITE_S, Signer

KEY = b"k" * 32
SIGNER = Signer(b"secret", {7: [b"other", KEY]}.get)
UNTIL = 1_000_000.0


def token(*asked, signer=SIGNER, user_id=7, key=KEY):
    """Sign a right that ends at UNTIL."""
    return signer.token(*(asked or ("upload", "run", "a.txt")), user_id=user_id, key=key, until=UNTIL)


def test_token_holds_until_its_time_is_over():
    """And not a second longer; what writes has less time to begin than what reads."""
    assert SIGNER.holds(token(), "upload", "run", "a.txt", now=UNTIL)
    assert not SIGNER.holds(token(), "upload", "run", "a.txt", now=UNTIL + 1)
    assert WRITE_S < READ_S == 24 * 3600


@pytest.mark.parametrize("asked", [("upload", "run", "b.txt"), ("download", "run", "a.txt"), ("upload", "runa.txt")])
def test_token_holds_for_what_it_names_only(asked):
    """Another file or another action needs another token."""
    assert not SIGNER.holds(token(), *asked, now=0)


@pytest.mark.parametrize(
    "made_up", ["", ".", "..", "7.9999999999.", "7.9999999999.00", "x.y.z", "é.ü.a", "\ud800.a.b", "\u0667.1.a"]
)
def test_made_up_token_does_not_hold(made_up):
    """Whatever is not a token of ours is refused without an error."""
    assert not SIGNER.holds(made_up, "upload", "run", "a.txt", now=0)


def test_neither_time_nor_user_can_be_written_into_a_token():
    """Both are part of what is signed."""
    user, until, mac = token().split(".")
    signer = Signer(b"secret", lambda _: [KEY])
    assert signer.holds(f"{user}.{until}.{mac}", "upload", "run", "a.txt", now=0)
    for changed in (f"{user}.{int(until) + 1}.{mac}", f"8.{until}.{mac}", f"07.{until}.{mac}"):
        assert not signer.holds(changed, "upload", "run", "a.txt", now=0)


def test_other_server_has_other_tokens():
    """A token is worth nothing without the secret it was made with."""
    foreign = token(signer=Signer(b"other", SIGNER.keys_of))
    assert not SIGNER.holds(foreign, "upload", "run", "a.txt", now=0)


def test_a_token_ends_with_the_key_it_was_signed_for():
    """A key that was rotated, and whoever gets the number of a user who was removed, have no part in it."""
    for keys in ([], [b"new"]):
        assert not Signer(b"secret", lambda _, keys=keys: keys).holds(token(), "upload", "run", "a.txt", now=0)


def test_numbers_that_no_row_has_are_not_looked_up():
    """A user or a time of more digits than a column holds is refused before anybody is asked."""
    asked = []
    signer = Signer(b"secret", lambda user_id: asked.append(user_id) or [])
    for made_up in (f"{'7' * 19}.9999999999.00", f"7.{'9' * 19}.00", "-7.9999999999.00", "7.99 99.00", "+7.9.00"):
        assert not signer.holds(made_up, "upload", now=0)
    assert asked == []
    assert not signer.holds(f"{'7' * 18}.9999999999.00", "upload", now=0)
    assert asked == [int("7" * 18)]


@pytest.mark.parametrize("asked", [("upload", "ru", "na.txt"), ("upload", "run", "a.tx", "t"), ("uploadrun", "a.txt")])
def test_no_letter_of_a_name_counts_for_another(asked):
    """What is signed for one place holds for no other that is written with the same letters."""
    assert not SIGNER.holds(token(), *asked, now=0)
