"""A server whose disk is full: a real file system, small, in a mount namespace of the test's own."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import sys
import urllib.error
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.chaos, pytest.mark.timeout(240)]

NAMESPACE = [shutil.which("unshare") or "unshare", "-rm"]
MOUNT = 'mkdir -p "$0" && mount -t tmpfs -o size=288m none "$0" && exec "$@"'
RUN = """
import os, time, wandb
with wandb.init(project="p", id="sdk") as run:
    run.log({"x": 0})
    open("started", "w").close()
    while not os.path.exists("go"):
        time.sleep(0.05)
    for step in range(1, 20):
        run.log({"x": step})
"""


@pytest.fixture
def small(user, wire):
    """A server on 288 MiB (uploads leave 256), its client, and its data directory seen from here; whole in the end."""
    if subprocess.run([*NAMESPACE, "true"], capture_output=True).returncode:
        pytest.skip("this machine lets nobody make a mount namespace (unshare -rm)")
    data = user.home / "server"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve = [sys.executable, "-m", "sweeper", "serve", "--data", data, "--port", str(port)]
    with (user.home / "log").open("wb") as log:
        process = subprocess.Popen([*NAMESPACE, "sh", "-c", MOUNT, data, *serve], env=user.environ, stderr=log)
    seen = Path(f"/proc/{process.pid}/root{data}")
    user.wait(lambda: (seen / "server.json").exists() and "running on" in (user.home / "log").read_text(), "the server")
    yield wire(f"http://127.0.0.1:{port}", (seen / "api-key").read_text().strip()), seen
    enter = [shutil.which("nsenter") or "nsenter", "-t", str(process.pid), "-U", "-m", "--preserve-credentials"]
    check = [sys.executable, "-m", "sweeper", "server", "check", "--deep", "--json", "--data", data]
    checked = subprocess.run([*enter, *check], env=user.environ, capture_output=True, text=True)
    assert {finding["verdict"] for finding in json.loads(checked.stdout)} == {"ok"}, checked.stdout
    process.terminate()
    process.wait(timeout=20)
    assert "Traceback" not in (user.home / "log").read_text()


def fill(data: Path) -> Path:
    """Take all the space that is left."""
    ballast = data / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (1 << 20, 1 << 12):
            with contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return ballast


def refusal(call, *args, **options) -> str:
    """See a request refused as one to be repeated, sooner or later: the write-ahead log has some space of its own."""
    for _ in range(100):
        try:
            call(*args, **options)
        except urllib.error.HTTPError as error:
            return f"{error.code} {json.loads(error.read())['errors'][0]['message']}"
    raise AssertionError("the disk is not full")


def test_a_full_disk_refuses_writes_and_recovers(user, small):
    """Writes fail with words, reads go on, a real run waits, and with space again all of it arrives, undamaged."""
    client, data = small
    client.init("r")
    client.log("r", 0, {"loss": 1})
    client.upload("r", "kept.txt", b"kept")
    script = subprocess.Popen(
        [sys.executable, "-c", RUN],
        cwd=user.folder,
        env={**user.environ, "WANDB_BASE_URL": client.url, "WANDB_API_KEY": client.key, "WANDB_SILENT": "true"},
        stderr=subprocess.PIPE,
        text=True,
    )
    user.wait((user.folder / "started").exists, "the run")
    ballast = fill(data)
    big = {"text": "x" * 200_000}
    assert "507 the server's disk takes no more" in refusal(client.log, "r", 1, big)
    assert "make space" in refusal(client.sweep, f"method: grid\nparameters: {{x: {{values: {list(range(9000))}}}}}")
    assert "507 the server's disk takes no more" in refusal(client.upload, "r", "lost.bin", b"x" * 100_000)
    (user.folder / "go").touch()
    assert client.history("r") == [{"loss": 1}]
    assert client.download("r", "kept.txt") == b"kept"
    with pytest.raises(subprocess.TimeoutExpired, match="timed out"):
        script.wait(timeout=4)  # it tries again and again
    ballast.unlink()
    _, stderr = script.communicate(timeout=120)
    assert script.returncode == 0, stderr
    assert client.run("sdk", "state")["state"] == "finished"
    assert [row["x"] for row in client.history("sdk")] == list(range(20))
    names = client.run("sdk", "files { edges { node { name sizeBytes } } }")["files"]["edges"]
    assert {"config.yaml", "wandb-summary.json", "wandb-metadata.json"} <= {edge["node"]["name"] for edge in names}
    client.log("r", 1, big)
    assert len(client.history("r")) == 2  # and the fixture checks that the data are whole
