"""What is in the images, and what they may do."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.conftest import open_direct
from tests.containers.engine import USER, until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(1800)]

READ_ONLY = """
set -e
mount --bind "$1" "$2"
mount -o remount,ro,bind "$2"
mount -t tmpfs tmpfs "$2/tmp"
mount --bind "$3" "$2/data"
mount -t proc proc "$2/proc"
exec chroot --userspec=10001:10001 "$2" /opt/sweeper/bin/sweeper serve --port "$4" --data /data
"""


def _size(folder: Path) -> int:
    """Add up the bytes of all files below a folder, each once."""
    found = [entry.lstat() for entry in folder.rglob("*")]
    return sum({(status.st_dev, status.st_ino): status.st_blocks * 512 for status in found}.values())


def test_the_server_image_is_small(engine, server_image):
    """Under 500 MB unpacked with its base, for it has neither PyTorch nor the SDK, nor what built it."""
    container = engine.create(server_image)
    root = Path(engine.buildah("mount", container))
    packages = next(root.glob("opt/sweeper/lib/python3*/site-packages"))
    there = {entry.name for entry in packages.iterdir()}
    assert {"sweeper", "starlette", "optuna", "sklearn"} <= there
    assert not there & {"torch", "wandb", "uv", "pip"}
    assert _size(root) < 500_000_000
    engine.buildah("umount", container)


@pytest.mark.parametrize("image", ["server_image", "worker_image"])
def test_images_run_as_a_user_that_is_not_root(engine, request, image):
    """A number, which Kubernetes asks for; and the server is looked after by a health check."""
    told = json.loads(engine.buildah("inspect", "--type", "image", request.getfixturevalue(image)))["Docker"]["config"]
    assert told["User"] == str(USER)
    assert ("Healthcheck" in told) is (image == "server_image")


def test_the_server_runs_on_a_read_only_root(engine, server_image, volume, port, tmp_path):
    """It writes to its volume and to /tmp alone; what it is told to do, it ends with."""
    container = engine.create(server_image)
    root, there = Path(engine.buildah("mount", container)), tmp_path / "root"
    there.mkdir()
    words = ["unshare", "--mount", "sh", "-c", READ_ONLY, "sh", root, there, volume("data"), str(port)]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        until(lambda: _answers(port) or process.poll() is not None, lambda: "it does not come up")
        assert process.poll() is None, process.communicate()[0]
        process.terminate()
        said, _ = process.communicate(timeout=60)
        assert process.returncode == 0, said
        assert "Read-only" not in said
    finally:
        process.kill()
        engine.buildah("umount", container)


def _answers(port: int) -> bool:
    try:
        return bool(open_direct(f"http://127.0.0.1:{port}/healthz").read())
    except OSError:
        return False


def test_a_volume_of_somebody_else_is_told(engine, server_image, tmp_path, port):
    """Whose it is, and which number wants it."""
    (tmp_path / "data").mkdir(mode=0o755)
    told = engine.run(
        engine.create(server_image),
        *("sweeper", "serve", "--port", str(port), "--data", "/data"),
        volumes={tmp_path / "data": "/data"},
        code=1,
    )
    assert "/data belongs to root (mode 755), and you are sweeper" in told
    assert f"its owner is to be user {USER}" in told
    assert "Traceback" not in told


def test_a_key_file_of_somebody_else_is_told(engine, server_image, volume, key_file, port):
    """As a secret of Compose is, which has the owner and the mode that the file has outside."""
    key_file.chmod(0o600)
    told = engine.run(
        engine.create(server_image),
        *("sweeper", "serve", "--port", str(port), "--data", "/data", "--key-file", "/run/secrets/api-key"),
        volumes={volume("data"): "/data", key_file: "/run/secrets/api-key:ro"},
        code=1,
    )
    assert "cannot use /run/secrets/api-key: Permission denied" in told
    assert f"let user {USER} read it" in told


def test_data_on_no_volume_are_warned_of(engine, server_image, port):
    """They would go with the container."""
    if os.environ.get("STORAGE_DRIVER", "vfs") == "vfs":
        pytest.skip("a container's own layer is an overlay in every engine, and a plain folder here")
    serve = ("sweeper", "serve", "--port", str(port), "--data", "/data")
    with engine.running(engine.create(server_image), *serve) as server:
        until(lambda: _answers(port), lambda: server.output)
        assert "warning: /data goes when this container is removed: mount a volume there" in server.output
