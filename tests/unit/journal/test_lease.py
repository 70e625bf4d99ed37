"""Who watches over a launch from another machine."""

from __future__ import annotations

import os

from sweeper.journal import lease


def test_a_launch_lives_as_long_as_something_is_heard_of_it(tmp_path):
    """No lock of another machine would tell."""
    assert lease.holder(tmp_path) is None
    lease.renew(tmp_path)
    assert lease.holder(tmp_path) == os.getpid()
    lease.renew(tmp_path, valid_s=-1)
    assert lease.holder(tmp_path) is None


def test_a_launch_that_is_over_says_so(tmp_path):
    """Nobody has to wait until its lease ends; twice does no harm."""
    lease.renew(tmp_path)
    lease.give_up(tmp_path)
    lease.give_up(tmp_path)
    assert lease.holder(tmp_path) is None


def test_a_damaged_lease_is_none(tmp_path):
    """Half a file, or of another version."""
    lease.renew(tmp_path)
    (tmp_path / "lease.json").write_text('{"pid"')
    assert lease.holder(tmp_path) is None
    (tmp_path / "lease.json").write_text('{"pid": 1, "till": 2}')
    assert lease.holder(tmp_path) is None
