"""`sweeper doctor`: its findings, printed."""

from __future__ import annotations

import json


def test_a_launch_that_cannot_go_well_is_no_success(sweeper, home):
    """A server that does not answer: exit code 1, what to do about it, and nothing was started."""
    done = sweeper("doctor", "--json", WANDB_BASE_URL="http://127.0.0.1:1", WANDB_API_KEY="k" * 40)
    found = {finding["check"]: finding for finding in json.loads(done.stdout)}
    assert (done.exit_code, found["server"]["verdict"]) == (1, "fail")
    assert "http://127.0.0.1:1" in found["server"]["found"]
    assert found["server"]["fix"]
    assert found["python"]["verdict"] == "ok"
    assert not (home / "server").exists()
