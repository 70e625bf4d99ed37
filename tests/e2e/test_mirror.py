"""A server whose database lies on its node's own disk: the node vanishes, and what it has acknowledged does not."""

from __future__ import annotations

import contextlib
import http.client
import json
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import replace

import pytest

from sweeper.backend import embedded_server, server_record

pytestmark = [pytest.mark.e2e, pytest.mark.away, pytest.mark.timeout(300)]


@pytest.fixture
def serve(user, wire):
    """Start a server on the user's data directory with its database in a folder; give its process and a client."""

    def start(local: str | None, *options: object):
        where = ["--local", user.folder / local] if local else []
        server = user.start("serve", *where, "--port", 0, "--json", *options)
        lines = [""]
        while lines[-1] != "}\n":
            lines.append(server.stdout.readline())
            assert lines[-1], server.communicate(timeout=30)
        told = json.loads("".join(lines))
        key = embedded_server.key_file(data(user)).read_text().strip()
        return server, wire(told["url"], key)

    return start


def data(user):
    return embedded_server.data_dir(user.home)


def log_on(client, run: str, told: list[int]) -> None:
    """Log row after row until the server is gone; `told` has what it has acknowledged."""
    for number in range(100_000):
        try:
            client.log(run, number, {"_step": number, "loss": number / 7})
        except (OSError, http.client.HTTPException):
            return
        told.append(number)


def ended(server: subprocess.Popen[str]) -> str:
    """Wait for a server's end; give what it said."""
    return server.communicate(timeout=60)[1]


def test_a_node_that_vanishes_takes_no_acknowledged_row_with_it(user, serve):
    """Killed twice while runs log, its disk deleted each time: the next server has every row."""
    told: dict[str, list[int]] = {}
    for start in range(2):
        server, client = serve(f"node-{start}", "--snapshot-every", "0.3s")
        for run, numbers in told.items():
            assert [row["_step"] for row in client.history(run)][: len(numbers)] == numbers
        runs = [f"r{start}-{number}" for number in range(3)]
        told |= {run: [] for run in runs}
        for run in runs:
            client.init(run)
        threads = [threading.Thread(target=log_on, args=(client, run, told[run])) for run in runs]
        for thread in threads:
            thread.start()
        enough = {0: 10, 1: 60}[start]
        user.wait(lambda seen=[told[run] for run in runs], enough=enough: min(map(len, seen)) > enough, "rows")
        server.kill()
        for thread in threads:
            thread.join(60)
        ended(server)
        shutil.rmtree(user.folder / f"node-{start}")
    server, client = serve(None)  # and one without a local disk takes the database back
    for run, numbers in told.items():
        assert [row["_step"] for row in client.history(run)][: len(numbers)] == numbers
    assert not (data(user) / "mirror").exists()
    assert (data(user) / "sweeper.db").exists()
    server.terminate()
    ended(server)
    assert server.returncode == 0


def test_a_clean_end_is_quick_and_leaves_a_whole_mirror(user, serve):
    """SIGTERM: nothing stays on the node, all is in the mirror, and commands find it there."""
    server, client = serve("node")
    client.init("r")
    client.log("r", 0, {"_step": 0, "loss": 1.0})
    began = time.monotonic()
    server.terminate()
    ended(server)
    assert server.returncode == 0
    assert time.monotonic() - began < 15
    assert list((user.folder / "node").iterdir()) == []
    assert not (data(user) / "sweeper.db").exists()
    user.run("server", "check")
    assert "with --local" in user.error("server", "add-user", "somebody")["message"]
    assert "local" in user.run("server", "users").stdout
    user.run("server", "backup", user.folder / "b.tar")
    user.run("server", "restore", user.folder / "b.tar", "--data", user.folder / "restored")
    user.run("list")  # starts a server, which has the database back
    assert (data(user) / "sweeper.db").exists()
    user.run("server", "stop")


def test_a_server_taken_for_dead_ends_itself_when_another_has_taken_over(user, serve):
    """Stopped for a while on a node that does not answer, it acknowledges nothing more when it comes back."""
    old, client = serve("old")
    client.init("r")
    client.log("r", 0, {"_step": 0})
    record = server_record.read(data(user))
    assert record is not None
    elsewhere = replace(record, host="another-node")
    server_record.write(data(user), elsewhere)
    refused = user.error("serve", "--local", user.folder / "new")
    assert f"kill {old.pid}" in refused["hint"]
    old.send_signal(signal.SIGSTOP)
    new, successor = serve("new")
    successor.log("r", 1, {"_step": 1})
    old.send_signal(signal.SIGCONT)
    with contextlib.suppress(OSError):
        client.log("r", 2, {"_step": 2})
        pytest.fail("a row was acknowledged and is lost")
    said = ended(old)
    assert old.returncode == 1
    assert "another server has taken over the data in" in said
    assert server_record.read(data(user)).pid == new.pid  # its successor's, which it leaves alone
    assert [row["_step"] for row in successor.history("r")] == [0, 1]
    new.terminate()
    ended(new)


def test_a_self_signed_server_is_trusted_by_commands_and_the_sdk(user, serve):
    """The certificate lies in the data directory; addresses of uploads follow the name that the client used."""
    server, _ = serve("node", "--tls-self-signed", "--host", "127.0.0.2")
    record = server_record.read(data(user))
    assert record is not None
    assert record.url.startswith("https://127.0.0.2:")
    file = user.write("sweep.yaml", "method: grid\nmetric: {name: loss}\nparameters: {x: {values: [1]}}\n")
    created = json.loads(user.run("create", file, "--json").stdout)
    assert created["url"].startswith("https://127.0.0.2:")
    assert user.told("list")["sweeps"]
    server.terminate()
    ended(server)
