"""How long artifacts live, and that what has expired goes."""

from __future__ import annotations

import pytest

from sweeper.server.artifacts import collections, lifetimes
from sweeper.server.artifacts.lifetimes import LAST_MOMENT, Expiry
from sweeper.server.errors import RequestError
from sweeper.server.store import artifact_collections, artifacts

DAY = 86_400


def live(log, artifact, ttl_s: int) -> None:
    """Set a time to live."""
    with log.store.write() as db:
        columns = lifetimes.changed(artifacts.get(db, artifact.id), ttl_s)
        artifacts.update(db, artifact.id, now=0, **columns)


def known(log, artifact):
    """The artifact as it is now; None if it is gone."""
    with log.store.read() as db:
        return artifacts.get(db, artifact.id) if artifacts.exists(db, artifact.id) else None


def pass_time(log, now: float) -> int:
    """Delete what has expired by a time; give how many have."""
    expiry = Expiry(log.store, log.blobs)
    return sum(iter(lambda: expiry.go_on(now), False))


@pytest.mark.parametrize(
    ("ttl_s", "kept", "expires"),
    [
        (3 * DAY, 3 * DAY, 10 + 3 * DAY),
        (None, None, None),
        (lifetimes.INHERITED, None, None),
        (lifetimes.FOREVER, lifetimes.FOREVER, None),
        (0, 0, None),
        (artifacts.MAX_TTL_S, artifacts.MAX_TTL_S, None),
    ],
)
def test_a_lifetime_begins_where_it_counts_from(ttl_s, kept, expires):
    """None was asked for, -1 is "inherited", -2 "for ever"; and no date is beyond what a calendar holds."""
    assert lifetimes.lifetime(ttl_s, 10) == {"ttl_s": kept, "expires_at": expires}
    assert lifetimes.lifetime(DAY, LAST_MOMENT)["expires_at"] is None


def test_what_has_expired_is_deleted_with_its_contents(log):
    """To the second, with its aliases; the newest version left is the latest, and what others need stays."""
    first = log.all_of_it(a=b"A", b=b"B")
    second = log.all_of_it(a=b"A", c=b"C")
    live(log, second, DAY)
    assert pass_time(log, DAY - 1) == 0
    assert log.versions(first.collection_id) == {1: ["latest"], 0: []}
    assert pass_time(log, DAY) == 1
    assert log.versions(first.collection_id) == {0: ["latest"]}
    assert known(log, second) is None
    there = {path.read_bytes() for path in log.blobs.root.glob("*/*/*")}
    assert {b"A", b"B"} <= there
    assert b"C" not in there


def test_all_that_has_expired_goes_and_the_oldest_first(log):
    """One after the other; what has no time to live, or one that is not over, stays."""
    made = [log.all_of_it(a=str(n).encode()) for n in range(4)]
    for artifact, days in zip(made, (3, 1, 9), strict=False):
        live(log, artifact, days * DAY)
    expiry = Expiry(log.store, log.blobs)
    assert expiry.go_on(5 * DAY)
    assert known(log, made[1]) is None
    assert known(log, made[0]) is not None
    assert pass_time(log, 5 * DAY) == 1
    assert log.versions(made[0].collection_id) == {3: ["latest"], 2: []}


def test_an_unfinished_upload_does_not_expire(log):
    """It has no version yet; it is given up as any other that nobody commits."""
    artifact = log.begin()
    live(log, artifact, 1)
    assert pass_time(log, 9 * DAY) == 0


def test_a_changed_lifetime_counts_from_the_same_moment(log):
    """From the creation, as W&B does; one that was lengthened by logging the content again, from there."""
    artifact = log.all_of_it(a=b"A")
    live(log, artifact, 3 * DAY)
    live(log, artifact, 2 * DAY)
    assert known(log, artifact).expires_at == artifact.created_at + 2 * DAY
    with log.store.write() as db:
        lifetimes.logged_again(db, artifacts.get(db, artifact.id), 2 * DAY, now=DAY)
    live(log, artifact, 5 * DAY)
    assert known(log, artifact).expires_at == 6 * DAY
    live(log, artifact, lifetimes.INHERITED)
    assert (known(log, artifact).ttl_s, known(log, artifact).expires_at) == (None, None)


@pytest.mark.parametrize(
    ("had", "asked", "expires"),
    [
        (None, DAY, None),
        (lifetimes.FOREVER, DAY, None),
        (5 * DAY, None, None),
        (5 * DAY, lifetimes.FOREVER, None),
        (5 * DAY, DAY, 5 * DAY),
        (5 * DAY, 4 * DAY, 6 * DAY),
    ],
)
def test_the_same_content_logged_again_lives_as_long_as_the_longest(log, had, asked, expires):
    """There is one artifact of it: neither who logged it first nor who does now loses it early."""
    artifact = log.all_of_it(a=b"A")
    if had is not None:
        live(log, artifact, had)
    with log.store.write() as db:
        lifetimes.logged_again(db, artifacts.get(db, artifact.id), asked, now=2 * DAY)
    assert known(log, artifact).expires_at == expires


def test_what_is_linked_does_not_expire(log):
    """Linking ends its time to live, and it gets none as long as it is linked; by itself it may have one."""
    artifact = log.all_of_it(a=b"A")
    live(log, artifact, DAY)
    with log.store.write() as db:
        home = artifact_collections.get(db, artifact.collection_id)
        lifetimes.check(db, home, artifact.id, DAY)
        shelf = collections.ensure(db, home.project_id, "shelf", artifact_collections.PORTFOLIO, "dataset", now=0)
        collections.enrol(db, shelf, artifact.id, now=0)
        lifetimes.keep(db, artifacts.get(db, artifact.id), now=0)
        with pytest.raises(RequestError, match="unlink it first"):
            lifetimes.check(db, home, artifact.id, DAY)
        lifetimes.check(db, home, artifact.id, lifetimes.FOREVER)
    assert pass_time(log, 9 * DAY) == 0
    assert known(log, artifact).ttl_s == lifetimes.FOREVER


@pytest.mark.parametrize("kind", ["run_table", "code", "job", "wandb-history"])
def test_what_the_sdk_makes_by_itself_has_no_lifetime(log, kind):
    """As W&B documents it; "for ever" it may be told."""
    home = log.collection().project_id
    with log.store.write() as db:
        place = collections.ensure(db, home, kind, artifact_collections.SEQUENCE, kind, now=0)
        with pytest.raises(RequestError, match="have no time to live"):
            lifetimes.check(db, place, None, DAY)
        lifetimes.check(db, place, None, lifetimes.FOREVER)
