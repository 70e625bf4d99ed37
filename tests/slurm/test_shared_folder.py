"""Nodes that do not see SWEEPER_HOME: a folder that is not shared."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]


@pytest.fixture
def hide(here):
    """Start nodes anew on which the state directory is another folder."""
    if "denied" in (said := here.cluster.ask("unshare", "--mount", "true")) or "permitted" in said:
        pytest.skip(f"no mount namespace can be made here: {said}")

    def start_anew(*names: str) -> None:
        for name in names:
            here.cluster.kill_node(name)
            here.cluster.start_node(name, without=here.user.home)
        here.wait(lambda: here.cluster.ask("sinfo", "-h", "-o", "%T %D") == "idle 2", "two idle nodes")

    return start_anew


def test_a_folder_that_no_node_sees_is_told_of_before_anything_is_submitted(here, hide):
    """A node was asked."""
    here.grid(2)
    hide("n0", "n1")
    said = here.launch("--gpus", 2, code=1).stderr
    assert f"a compute node has another folder at {here.user.home}" in said
    assert "srun" in said
    assert here.cluster.jobs() == []


def test_a_node_that_does_not_see_it_is_named(here, hide):
    """The others do all of the work."""
    here.grid(4)
    hide("n1")
    end = here.until_told()
    here.launch("--gpus", 4)
    told = "without n1, where none could begin"
    here.wait(lambda: told in "".join(here.user.start("status").communicate(timeout=90)), "a word of n1")
    assert f"does it see {here.directory.path}?" in here.directory.worker_log("slurm3").read_text()
    end()
    here.await_end()
    assert here.result()["errors"] == {}
    assert len(here.runs(ended=True)) == 4
    assert {run[2] for run in here.runs()} == {"n0"}
