"""A launch on Slurm with a server that runs already, in no job: by TLS, with a certificate of its own."""

from __future__ import annotations

import json
import sys

import pytest

from tests.slurm.conftest import TRAINER

pytestmark = [pytest.mark.slurm, pytest.mark.timeout(300)]
SWEEP = "program: train:train\nmethod: grid\nmetric: {name: loss}\nparameters:\n  x: {values: [0, 1, 2, 3]}\n"


def test_a_server_that_runs_already_is_followed(here):
    """Neither key nor certificate stands in a script, and what is told next asks the same server."""
    user = here.user
    user.write("train.py", TRAINER)
    user.write("grid.yaml", SWEEP)
    server = user.start("serve", "--data", "own", "--tls-self-signed", "--json")
    own = user.folder / "own"
    url = user.wait((own / "api-key").exists, "the server") and json.loads((own / "server.json").read_text())["url"]
    key, certificate = (own / "api-key").read_text().strip(), own / "certificate.pem"
    there = {"WANDB_BASE_URL": url, "WANDB_API_KEY": key}
    there |= dict.fromkeys(("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"), str(certificate))
    user.run("create", "--backend", "wandb", "grid.yaml", **there)
    given = (
        "launch",
        "--on",
        "slurm",
        "--gpus",
        4,
        "--count",
        3,
        "--detach",
        "--server",
        url,
        "--key-file",
        "own/api-key",
    )
    assert "--certificate FILE" in user.run(*given, code=1).stderr
    assert here.cluster.jobs() == []
    said = user.run(*given, "--certificate", certificate).stdout
    here.wait(lambda: not here.cluster.jobs(), "an empty queue", 150)
    assert here.result()["errors"] == {}
    assert sorted(run[1] for run in here.runs(ended=True)) == [0, 1, 2]
    assert not any(key in script.read_text() for script in here.directory.path.glob("*.sbatch"))
    asked = said.partition("next: ")[2].strip().replace(" sweeper ", f" {sys.executable} -m sweeper ")
    told = here.cluster.ask("sh", "-c", f"cd {user.folder} && {asked.replace(' --watch', ' --json')} 2>/dev/null")
    assert [run["state"] for run in json.loads(told)["runs"]] == ["finished"] * 3
    server.terminate()
    assert server.wait(30) == 0
