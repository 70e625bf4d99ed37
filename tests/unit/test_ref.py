"""Names of sweeps and runs."""

from __future__ import annotations

import pytest

from sweeper.errors import SweeperError
from sweeper.ref import RunRef, SweepRef, controller_run, run_name


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


@pytest.mark.parametrize("text", ["", "c", "p/c"])
def test_what_is_missing_is_not_made_up(text):
    """A part that nobody filled in is refused."""
    with pytest.raises(SweeperError, match="cannot be the"):
        SweepRef.parse(text)


def test_each_missing_part_is_filled_in_by_its_own():
    """What was written counts more."""
    filled = {"entity": "acme", "project": "cifar"}
    assert SweepRef.parse(" me/p/s ", **filled).path == "me/p/s"
    assert SweepRef.parse("p/s", **filled).path == "acme/p/s"
    assert SweepRef.parse("s", **filled).path == "acme/cifar/s"


@pytest.mark.parametrize("wrong", ["", ".", "..", "a/b", "a\\b", "a#b", "a?b", "a%b", "a:b", "x" * 129, "x\n"])
def test_every_part_of_a_name_is_looked_at(wrong):
    """Each of them becomes a folder here and a part of an address."""
    for parts, what in (((wrong, "p", "i"), "entity"), (("e", wrong, "i"), "project"), (("e", "p", wrong), "id")):
        with pytest.raises(SweeperError, match=f"cannot be the {what} of a"):
            SweepRef(*parts)
        with pytest.raises(SweeperError, match=f"cannot be the {what} of a"):
            RunRef(*parts)


@pytest.mark.parametrize("right", ["x" * 128, "a b", "größe", "a..b", "...", "-", "x'y", "a&b"])
def test_what_wandb_takes_for_a_name_is_one(right):
    """Up to 128 characters, with spaces and letters of any kind."""
    assert SweepRef(right, right, right).run(right).path == f"{right}/{right}/{right}"


def test_a_sweep_of_its_own_scheduler_names_that_run():
    """In the sweep's project, after the sweep."""
    assert controller_run("s1") == "s1-scheduler"
    assert SweepRef("acme", "p", "s1").controller_run.path == "acme/p/s1-scheduler"


def test_a_name_for_a_shell_is_quoted_if_it_must_be():
    """Others are pasted as they are."""
    assert SweepRef("acme", "p", "s1").quoted == "acme/p/s1"
    assert SweepRef("acme", "my project", "s1").quoted == "'acme/my project/s1'"
    assert str(SweepRef("acme", "my project", "s1")) == "acme/my project/s1"


def test_a_sweep_names_its_runs():
    """A run lies in the same project."""
    assert str(SweepRef("acme", "my project", "s1").run("r1")) == "acme/my project/r1"
