"""Names of sweeps and runs."""

from __future__ import annotations

import pytest

from sweeper.errors import SweeperError
from sweeper.ref import SweepRef, run_name


@pytest.mark.parametrize("text", ["acme/cifar/9k2x7q1p", "cifar/9k2x7q1p", "9k2x7q1p", "/acme/cifar/9k2x7q1p/"])
def test_a_sweep_is_read_in_every_form(text):
    """Missing parts are filled in."""
    ref = SweepRef.parse(text, entity="acme", project="cifar")
    assert (ref.entity, ref.project, ref.sweep_id, ref.path) == ("acme", "cifar", "9k2x7q1p", "acme/cifar/9k2x7q1p")


ODD = ["x\ny", "x\x9bm", "\u202ex", "x\u200b"]


@pytest.mark.parametrize("text", ["", "a/b/c/d", "a?b", "../x", "a//c", "x" * 129, *ODD])
def test_anything_else_is_refused_with_the_forms(text):
    """The hint names what is accepted."""
    with pytest.raises(SweeperError) as caught:
        SweepRef.parse(text, entity="acme", project="cifar")
    assert "ENTITY/PROJECT/ID" in caught.value.hint


@pytest.mark.parametrize("run_id", ["", ".", "..", "../x", "/etc/x", "a/b", "a\\b", None, 7, "x" * 129, *ODD])
def test_a_run_is_no_path(run_id):
    """A server, too, can give no other id: it becomes the name of a folder."""
    with pytest.raises(SweeperError, match="cannot be the id of a run"):
        run_name(run_id)
    with pytest.raises(SweeperError):
        SweepRef("acme", "p", "s1").run(run_id)


def test_a_sweep_names_its_runs():
    """A run lies in the same project."""
    assert str(SweepRef("acme", "my project", "s1").run("r1")) == "acme/my project/r1"
