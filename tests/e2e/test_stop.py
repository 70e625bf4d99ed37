"""One run stopped from outside, in a launch of ours."""

from __future__ import annotations

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


@pytest.mark.long
def test_one_run_is_stopped_and_the_launch_goes_on(user):
    """The run ends as killed, with who stopped it, and is not tried again; the next one runs as if nothing had been."""
    user.write(
        "toy.py",
        """
        import time, wandb

        def train():
            with wandb.init() as run:
                for step in range(600 if run.config.n == 9 else 2):
                    run.log({"loss": step})
                    time.sleep(0.1)
        """,
    )
    text = "method: grid\nmetric: {name: loss}\nparameters: {n: {values: [9, 1]}}\n"
    user.run("create", user.write("sweep.yaml", text))
    launch = user.start("launch", "--trainer", "toy:train", "--workers", "1")
    logging = user.wait(lambda: [run for run in user.status()["runs"] if run["last"]], "a run that logs")
    assert "is being stopped" in user.run("stop", "--run", logging[0]["id"]).stdout
    launch.communicate(timeout=120)
    assert launch.returncode == 0
    status = user.status()
    assert [run["state"] for run in status["runs"]] == ["killed", "finished"]
    assert status["runs"][0]["reason"].startswith("stopped by")
    assert status["state"] == "finished"
    refused = user.run("stop", "--run", "missing", code=1).stderr
    assert "missing" in refused
    assert "`sweeper runs local/sweeper/" in refused
