"""A server as others on the machine and the network meet it: its files, its address, its logs, slow clients, TLS."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import tarfile
import time
import urllib.error
import urllib.request

import pytest

from tests.conftest import TIMEOUT_S, command_of, open_direct

pytestmark = pytest.mark.e2e
TRAINER = """
import os
import wandb

def main():
    with wandb.init() as run:
        run.log({"loss": 1.0})
        artifact = wandb.Artifact("model", "model")
        with artifact.new_file("m.txt") as file:
            file.write("m")
        run.log_artifact(artifact)
        with open(os.path.join(os.environ["SWEEPER_CHECKPOINT_DIR"], "c"), "w") as file:
            file.write("c")
"""
EVERYWHERE = "0.0.0.0"  # noqa: S104


def fetch(url, **headers):
    """Get a page; the status and the text."""
    try:
        request = urllib.request.Request(url, headers=headers)  # noqa: S310
        with open_direct(request) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.long
def test_nothing_is_left_for_others_to_read(user):
    """Data directory and files are the owner's alone; no key or token is in a log or in a process's arguments."""
    sdk = user.serve()
    address = user.run("server", "url").stdout.strip()
    assert fetch(address, Accept="text/html")[0] == 200
    assert fetch(address, Accept="text/html")[0] == 401
    user.python("import wandb; run = wandb.init(project='p'); run.log({'loss': 1}); run.finish()", **sdk)
    data = user.home / "server"
    assert {oct(path.stat().st_mode & 0o077) for path in [data, *data.rglob("*")]} == {"0o0"}
    secrets = [sdk["WANDB_API_KEY"], address.split("token=")[1].split("&")[0]]
    arguments = [command_of(process) for process in user.processes()]
    assert arguments
    server = next(process for process in user.started if "serve" in process.args)
    server.terminate()
    told = " ".join([*arguments, *server.communicate(timeout=TIMEOUT_S), user.logs()])
    assert [secret for secret in secrets if secret in told] == []


@pytest.mark.long
@pytest.mark.timeout(240)
def test_all_that_is_made_under_any_umask_is_its_users_alone(user):
    """create, launch, serve, backup, report, export, download: files for nobody else, and no key in them or in `ps`."""
    before = os.umask(0)
    user.home = user.home / "state"  # which the first command makes
    user.environ["SWEEPER_HOME"] = str(user.home)
    try:
        user.write("train.py", TRAINER)
        user.write(
            "sweep.yaml", "program: train:main\nmethod: grid\nmetric: {name: loss}\nparameters: {x: {values: [1]}}"
        )
        user.run("create", "sweep.yaml")
        key = (user.home / "server" / "api-key").read_text().strip()
        launch = user.start("launch")
        arguments = set()
        while launch.poll() is None:
            arguments |= {command_of(process) for process in user.processes()}
            time.sleep(0.3)
        assert launch.returncode == 0, user.logs()
        anns = user.run("server", "add-user", "ann").stdout.strip()
        user.run("server", "backup", "all.tar.gz")
        user.run("report", "-o", "report.html")
        user.run("export", "-o", "runs.csv")
        user.run("server", "prune", "--older-than", "0h", "--dry-run")
        told = [user.run("status", "--json").stdout, user.logs()]
        user.run("server", "stop")
    finally:
        os.umask(before)
    made = [path for path in (user.home, *user.home.rglob("*")) if not path.is_symlink()]
    # a folder that only its owner can enter hides what is in it, whatever mode the SDK gives that
    open_to_others = [
        path
        for path in [*made, user.folder / "all.tar.gz"]
        if path.stat().st_mode & 0o077 and not any(_closed(above) for above in path.parents if above >= user.home)
    ]
    assert open_to_others == []
    assert any("forkserver" in one or "serve" in one for one in arguments)
    texts = {"ps": " ".join(arguments), "words": " ".join(told)}
    texts |= {name: (user.folder / name).read_text() for name in ("report.html", "runs.csv")}
    for path in made:
        if path.is_file() and path.name != "api-key":
            texts[str(path)] = path.read_bytes().decode(errors="replace")
    assert [name for name, text in texts.items() if key in text or anns in text] == []
    with tarfile.open(user.folder / "all.tar.gz") as tar:
        kept = {entry.name: tar.extractfile(entry).read() for entry in tar if entry.isfile()}
    assert [name for name, content in kept.items() if key.encode() in content] == ["api-key"]
    assert [name for name, content in kept.items() if anns.encode() in content] == []


def _closed(folder):
    return not folder.stat().st_mode & 0o077


def test_a_key_on_the_command_line_is_refused(user):
    """A key comes on standard input; one in the arguments is refused before it does anything."""
    done = user.run("server", "add-user", "ann", "--key", "x" * 40, code=2)
    assert "--key -" in done.stderr
    command = [*user.start("--version").args[:3], "server", "add-user", "ann", "--key", "-"]
    made = subprocess.run(command, env=user.environ, input="y" * 40 + "\n", capture_output=True, text=True)
    assert made.stdout.strip() == "y" * 40
    assert "ann" in user.run("server", "users").stdout


@pytest.mark.parametrize("options", [[], ["--tls-cert", "c.pem"]])
def test_other_addresses_want_tls_or_a_decision(user, options):
    """A server that others can reach starts neither in the clear by accident nor with half of what TLS needs."""
    done = user.run("serve", "--host", EVERYWHERE, *options, code=2)
    assert "--tls-key" in done.stderr


@pytest.mark.long
def test_half_a_request_is_not_waited_for(user):
    """A client that sends headers byte by byte is cut off, and whoever speaks HTTP meanwhile is served."""
    url = user.serve()["WANDB_BASE_URL"]
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2]))) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        slow.settimeout(40)
        assert fetch(f"{url}/healthz")[0] == 200
        assert slow.recv(100) == b""


def test_headers_without_end_are_cut_off(user):
    """A client that sends headers and never comes to their end is cut off before it fills the memory."""
    url = user.serve()["WANDB_BASE_URL"]
    with socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])), timeout=40) as endless:
        endless.sendall(b"GET / HTTP/1.1\r\nX-Long: ")
        with pytest.raises(ConnectionError):
            endless.sendall(b"x" * 2**26)
    assert fetch(f"{url}/healthz")[0] == 200


@pytest.mark.long
def test_sdk_works_over_tls_under_a_name_of_the_servers_own(user):
    """With a certificate and --allow-host, the SDK that trusts the certificate logs a run; status and url work, too."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("no openssl")
    names = "subjectAltName=DNS:localhost,IP:127.0.0.1"
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-addext", names, "-days", "2"]
    subprocess.run(
        [openssl, *made, "-keyout", "k.pem", "-out", "c.pem"], cwd=user.folder, check=True, capture_output=True
    )
    user.start("serve", "--host", EVERYWHERE, "--tls-cert", "c.pem", "--tls-key", "k.pem", "--allow-host", "a.example")
    user.wait(lambda: "https" in user.start("server", "status").communicate()[0], "the server")
    sdk = user.sdk()
    certificate = str(user.folder / "c.pem")
    address = user.run("server", "url").stdout.strip()
    assert address.startswith("https://127.0.0.1:")
    context = ssl.create_default_context(cafile=certificate)
    with open_direct(address, context) as answer:
        assert "__Host-sweeper-" in answer.headers["Set-Cookie"]
        assert "; Secure" in answer.headers["Set-Cookie"]
    request = urllib.request.Request(f"{sdk['WANDB_BASE_URL']}/healthz", headers={"Host": "a.example"})  # noqa: S310
    with open_direct(request, context) as answer:
        assert json.load(answer)["service"] == "sweeper"
    code = "import wandb; run = wandb.init(project='p', id='r'); run.log({'loss': 1}); run.finish()"
    code += "; print(wandb.Api().run('local/p/r').state)"
    done = user.python(code, **sdk, SSL_CERT_FILE=certificate, REQUESTS_CA_BUNDLE=certificate)
    assert "finished" in done.stdout
