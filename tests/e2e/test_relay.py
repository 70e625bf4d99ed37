"""A relay under the real SDK: its server goes to other addresses and is killed, and nothing is lost or doubled."""

from __future__ import annotations

import json
import subprocess
import time

import pytest

from sweeper.backend import embedded_server, listening, server_record
from tests.conftest import User

pytestmark = [pytest.mark.e2e, pytest.mark.away, pytest.mark.timeout(300)]

ROWS, SIZE = 300, 24 * 2**20
# logs rows, and uploads a file and an artifact while the server comes and goes; says how far it is
TRAINER = f"""
import os, pathlib, sys, time, wandb

base = os.environ["WANDB_BASE_URL"]
pathlib.Path("large.bin").write_bytes(os.urandom({SIZE}))
with wandb.init(project="p", id="relayed") as run:
    for step in range({ROWS}):
        run.log({{"loss": step}})
        time.sleep(0.03)
        while step == 60 and not os.path.exists("go"):
            time.sleep(0.1)
        if step == 60:  # this asks whether the key is good, for which the SDK (0.31) gives a server seconds
            run.save("large.bin", policy="now")
            artifact = wandb.Artifact("model", "model")
            artifact.add_file("large.bin")
            run.log_artifact(artifact)
        if step % 10 == 0:
            print(step, flush=True)
assert os.environ["WANDB_BASE_URL"] == base
"""
TOLD = """
import hashlib, json, pathlib, wandb
run = wandb.Api().run("local/p/relayed")
rows = [row["loss"] for row in run.scan_history(keys=["loss"])]
def digest(path):
    return hashlib.md5(pathlib.Path(path).read_bytes()).hexdigest()
file = run.file("large.bin").download(root="got", replace=True).name
model = run.logged_artifacts()[0].file(root="model")
print(json.dumps([run.state, rows, len({digest(path) for path in (file, model, "large.bin")})]))
"""


class Roaming:
    """A server that goes from address to address, and its relay.

    Args:
        user: Whose it is.
        options: More for `sweeper serve`.
    """

    def __init__(self, user: User, *options: str) -> None:
        self.user, self.options = user, options
        self.data = embedded_server.data_dir(user.home)
        self.start()
        self.relay = user.script("-m", "sweeper.worker.relay", self.data)
        assert self.relay.stdout is not None
        self.url = f"http://127.0.0.1:{json.loads(self.relay.stdout.readline())['port']}"

    def start(self) -> None:
        """Start it at another address than before."""
        self.data.mkdir(exist_ok=True, parents=True)
        port = listening._bind("127.0.0.1", 0)
        self.server = self.user.start("serve", "--data", self.data, "--port", port, *self.options)
        self.user.wait(self._is_up, "the server")

    def _is_up(self) -> bool:
        record = server_record.read(self.data)
        return record is not None and record.pid == self.server.pid and embedded_server.find_in(self.data) is not None

    @property
    def sdk(self) -> dict[str, str]:
        """What points the SDK at the relay."""
        key = embedded_server.key_file(self.data).read_text().strip()
        return {"WANDB_BASE_URL": self.url, "WANDB_API_KEY": key, "WANDB_SILENT": "true"}

    def train(self) -> subprocess.Popen[str]:
        """Start a run."""
        return self.user.script(self.user.write("train.py", TRAINER), **self.sdk)

    def told(self) -> list:
        """Read state, history, and how many different files there are of the one that was uploaded."""
        return json.loads(self.user.python(TOLD, **self.sdk).stdout.splitlines()[-1])


def until(run: subprocess.Popen[str], step: int) -> None:
    """Wait until a run has logged so many rows."""
    assert run.stdout is not None
    while (line := run.stdout.readline()) and int(line) < step:
        pass
    assert line, run.communicate()


def test_a_run_goes_on_while_its_server_is_stopped_and_killed_and_moves(user):
    """All rows are there once, a file and an artifact that were on their way arrive whole; the run never knew."""
    roaming = Roaming(user)
    run = roaming.train()
    until(run, 20)
    roaming.server.terminate()
    roaming.server.communicate()
    time.sleep(2)
    roaming.start()
    user.write("go", "")
    until(run, 60)  # file and artifact are on their way
    roaming.server.kill()
    roaming.server.communicate()
    time.sleep(2)
    roaming.start()
    stdout, stderr = run.communicate(timeout=150)
    assert run.returncode == 0, stdout + stderr
    assert roaming.told() == ["finished", list(range(ROWS)), 1]


def test_a_server_behind_tls_looks_to_a_run_as_any_other(user, tmp_path):
    """Its own certificate is trusted by the relay alone; addresses for files and artifacts are the relay's."""
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=node"]
    files = ["-keyout", tmp_path / "key.pem", "-out", tmp_path / "certificate.pem"]
    subprocess.run([*command, *files], check=True, capture_output=True)
    tls = ["--tls-cert", str(tmp_path / "certificate.pem"), "--tls-key", str(tmp_path / "key.pem")]
    roaming = Roaming(user, *tls)
    user.write("go", "")
    assert server_record.read(roaming.data).url.startswith("https://")
    run = roaming.train()
    stdout, stderr = run.communicate(timeout=150)
    assert run.returncode == 0, stdout + stderr
    assert roaming.told() == ["finished", list(range(ROWS)), 1]
