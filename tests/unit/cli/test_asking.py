"""Asking before what cannot be undone; at a terminal: test_edit.py."""

from __future__ import annotations

import pytest

from sweeper.cli.asking import agreed
from sweeper.errors import SweeperError


def test_who_has_agreed_is_not_asked():
    """Whatever stands at stdin."""
    assert agreed("Sure?", yes=True)


def test_where_nobody_can_be_asked_that_is_said(monkeypatch):
    """A script that forgot `--yes` waits for nobody; nor does one whose stdin is closed."""
    for stdin in (open("/dev/null"), None):  # noqa: SIM115, PTH123
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(SweeperError) as caught:
            agreed("Sure?", yes=False)
        assert "--yes" in caught.value.hint
        if stdin:
            stdin.close()
