"""Sessions of browsers, and the addresses that begin one."""

from __future__ import annotations

import pytest

from sweeper.server.store import sessions, users


@pytest.fixture
def user(db):
    """A user."""
    return users.ensure_user(db, "ann", users.new_key(), now=0)


def test_tokens_end_in_time_and_are_stored_hashed(db, user):
    """Addresses hold for ten minutes, sessions for thirty days; the database knows neither token."""
    old, token = sessions.make_link(db, user, now=0), sessions.begin(db, user, now=0)
    assert sessions.redeem(db, old, now=601) is None
    assert sessions.redeem(db, sessions.make_link(db, user, now=0), now=599) == user
    assert sessions.user_of(db, token, now=29 * 86400) == user
    assert sessions.user_of(db, token, now=31 * 86400) is None
    rows = [*db.execute("SELECT * FROM sessions"), *db.execute("SELECT * FROM login_links")]
    assert token not in str([tuple(row) for row in rows])


def test_an_address_lets_in_once(db, user):
    """Whoever finds it in a log or a history finds it used up."""
    token = sessions.make_link(db, user, now=0)
    assert sessions.redeem(db, token, now=1) == user
    assert sessions.redeem(db, token, now=1) is None


def test_a_token_of_one_kind_is_none_of_the_other(db, user):
    """A session's cookie makes no new session, and an address is no cookie."""
    link, cookie = sessions.make_link(db, user, now=0), sessions.begin(db, user, now=0)
    assert sessions.user_of(db, link, now=1) is None
    assert sessions.redeem(db, cookie, now=1) is None


def test_a_session_ends_alone(db, user):
    """Logging out in one browser leaves the others in."""
    first, second = sessions.begin(db, user, now=0), sessions.begin(db, user, now=0)
    sessions.end(db, first)
    assert sessions.user_of(db, first, now=1) is None
    assert sessions.user_of(db, second, now=1) == user


def test_what_is_over_is_swept_out(db, user):
    """A session that begins takes those away that are over, so the table does not grow for ever."""
    for day in range(5):
        sessions.begin(db, user, now=day * 40 * 86400)
    assert db.execute("SELECT count(*) FROM sessions").fetchone()[0] == 1


def test_a_made_up_token_is_nobodys(db):
    """Whatever a cookie holds is looked up without an error."""
    assert sessions.user_of(db, "\ud800", now=0) is None


def test_a_token_is_over_at_its_very_end(db, user):
    """A moment before it lets in, at that moment no more."""
    links = [sessions.make_link(db, user, now=0) for _ in range(2)]
    token = sessions.begin(db, user, now=0)
    assert sessions.redeem(db, links[0], now=sessions.LINK_S) is None
    assert sessions.redeem(db, links[1], now=sessions.LINK_S - 0.001) == user
    assert sessions.user_of(db, token, now=sessions.SESSION_S) is None
    assert sessions.user_of(db, token, now=sessions.SESSION_S - 0.001) == user
    assert (sessions.LINK_S, sessions.SESSION_S) == (600, 30 * 86400)
