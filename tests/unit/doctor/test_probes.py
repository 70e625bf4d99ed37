"""What `sweeper doctor` asks the machine, and what it makes of no answer."""

from __future__ import annotations

import http.server
import json
import socket
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from sweeper.doctor import probes
from sweeper.doctor.gpu_checks import Torch
from sweeper.errors import BackendError
from sweeper.findings import Finding, Verdict
from sweeper.settings import Settings

KEY = "k" * 40


class Handler(http.server.BaseHTTPRequestHandler):
    """A W&B server that knows one key, with a clock of its own."""

    server: Server

    def do_POST(self):
        """Say whose the key is."""
        self.server.authorizations.append(self.headers["Authorization"])
        self.rfile.read(int(self.headers["Content-Length"]))
        body = self.server.body.encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def date_time_string(self, timestamp=None):
        """Be as late as the test says."""
        return self.server.date or super().date_time_string(timestamp)

    def log_message(self, *_args):
        """Keep quiet."""


class Server(http.server.HTTPServer):
    """What it answers is set by the test."""

    status = 200
    body = json.dumps({"data": {"viewer": {"username": "ann"}}})
    date = ""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.authorizations: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def settings(tmp_path):
    def make(**environ: str) -> Settings:
        env = {"SWEEPER_HOME": str(tmp_path), "HOME": str(tmp_path), "NETRC": str(tmp_path / "netrc")}
        return Settings.from_env(env | environ)

    return make


def ask(settings, choice="auto"):
    return probes._ask_server(settings, choice)


def test_a_server_is_asked_whose_the_key_is(server, settings):
    """With the key of the environment, at the address of the environment."""
    answer = ask(settings(WANDB_BASE_URL=server.url, WANDB_API_KEY=KEY, WANDB_MODE="offline"))
    assert (answer.kind, answer.url, answer.status, answer.user) == ("wandb", server.url, 200, "ann")
    assert answer.mode == "offline"
    assert abs(answer.skew_s) < 30
    assert len(server.authorizations) == 1


def test_a_login_of_the_netrc_file_is_used(server, settings, tmp_path):
    """As the SDK would."""
    (tmp_path / "netrc").write_text(f"machine 127.0.0.1\n  login user\n  password {KEY}\n")
    (tmp_path / "netrc").chmod(0o600)
    assert ask(settings(WANDB_BASE_URL=server.url)).user == "ann"
    other = ask(settings(WANDB_BASE_URL=server.url, WANDB_API_KEY="x" * 40))
    assert other.user == "ann"
    assert len(set(server.authorizations)) == 2


def test_a_clock_that_is_late_is_seen(server, settings):
    """The answer's Date header is the server's clock."""
    server.date = "Mon, 01 Jan 2024 00:00:00 GMT"
    assert ask(settings(WANDB_BASE_URL=server.url, WANDB_API_KEY=KEY)).skew_s > 1e6
    server.date = "yesterday"
    assert ask(settings(WANDB_BASE_URL=server.url, WANDB_API_KEY=KEY)).skew_s is None


@pytest.mark.parametrize(("status", "body"), [(401, "{}"), (404, "no"), (200, "<html>"), (200, '{"data": null}')])
def test_another_answer_is_no_user(server, settings, status, body):
    """Refused, not found, a login page, nobody: the status is kept, and no user is made up."""
    server.status, server.body = status, body
    answer = ask(settings(WANDB_BASE_URL=server.url, WANDB_API_KEY=KEY))
    assert (answer.status, answer.user) == (status, "")


def test_no_answer_is_no_traceback(settings):
    """Nobody listens, or it is no address: words, in seconds."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        answer = ask(settings(WANDB_BASE_URL=url, WANDB_API_KEY=KEY))
    assert (answer.status, "refused" in answer.trouble) == (0, True)
    for url in ("file://localhost/etc/passwd", "wandb.acme.org"):
        with pytest.raises(BackendError, match="no address"):
            ask(settings(WANDB_BASE_URL=url, WANDB_API_KEY=KEY))


def test_without_credentials_the_embedded_server_is_meant(settings):
    """It is not started; to ask for W&B then is an error."""
    answer = ask(settings())
    assert (answer.kind, answer.url) == ("local", "")
    assert ask(settings(WANDB_API_KEY=KEY), "local").kind == "local"
    with pytest.raises(BackendError, match="no W&B credentials"):
        ask(settings(), "wandb")


def fake_torch(tmp_path, code: str) -> str:
    (tmp_path / "torch.py").write_text(code)
    return str(tmp_path)


def test_torch_is_asked_in_a_process_of_its_own(settings, tmp_path):
    """Its last line counts, its warning is kept, and CUDA_VISIBLE_DEVICES hides nothing from it."""
    code = """
import os, types, warnings
print("hello from a plug-in")
__version__ = "2.15.0"
version = types.SimpleNamespace(cuda="13.2", hip=None)
def available():
    warnings.warn("CUDA initialization: driver too old")
    return "CUDA_VISIBLE_DEVICES" not in os.environ
cuda = types.SimpleNamespace(is_available=available, get_arch_list=lambda: ["sm_90"])
"""
    torch = probes._ask_torch(settings(PYTHONPATH=fake_torch(tmp_path, code), CUDA_VISIBLE_DEVICES=""))
    assert (torch.version, torch.cuda, torch.available, torch.arches) == ("2.15.0", "13.2", True, ("sm_90",))
    assert torch.trouble == "CUDA initialization: driver too old"


@pytest.mark.parametrize(
    ("code", "says"),
    [
        ("raise ImportError('libcudart.so.13: cannot open')", "ImportError: libcudart.so.13: cannot open"),
        ("import os; os.kill(os.getpid(), 11)", "exit code -11"),
    ],
    ids=["an exception", "a segfault"],
)
def test_a_torch_that_cannot_be_imported_says_why(settings, tmp_path, code, says):
    """An exception, or a crash that would have taken the doctor with it."""
    torch = probes._ask_torch(settings(PYTHONPATH=fake_torch(tmp_path, code)))
    assert (torch.version, torch.trouble) == ("", says)


def test_a_torch_that_is_not_installed_is_no_fault(settings, tmp_path):
    """Whoever trains with something else has none: that says nothing, so that it is told from a broken one."""
    code = "import sys; sys.modules['torch'] = None  # as if it were not there"
    (tmp_path / "sitecustomize.py").write_text(code)
    assert probes._ask_torch(settings(PYTHONPATH=str(tmp_path))) == Torch()


def test_a_directory_is_looked_at_before_it_is_made(tmp_path):
    """Its place is what there is of its path; nothing is left behind."""
    disk = probes._ask_disk(tmp_path / "not" / "yet")
    assert (disk.path, disk.trouble) == (str(tmp_path / "not" / "yet"), "")
    assert disk.free > 0
    assert disk.file_system or sys.platform != "linux"
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_takes_no_file_says_so(tmp_path):
    """Here a file stands where a directory should; `/proc` takes none either."""
    (tmp_path / "file").touch()
    assert "cannot write" in probes._ask_disk(tmp_path / "file").trouble
    if sys.platform == "linux":
        assert probes._ask_disk(probes.Path("/proc")).trouble


def test_the_kernels_log_is_searched_for_xids():
    """Both spellings of the address."""
    text = "[1.0] NVRM: Xid (PCI:0000:41:00): 79, pid=1, GPU has fallen off the bus.\nNVRM: Xid (0000:01:00): 13, 0005"
    assert probes._XID.findall(text) == [("0000:41:00", "79"), ("0000:01:00", "13")]


def test_a_question_without_an_answer_is_a_finding():
    """Whatever hangs or breaks costs its own check and its own seconds only."""
    forever = threading.Event()
    try:
        found = list(probes._judged("home", probes._start(forever.wait), lambda _: [], timeout_s=0.05))
        assert [(one.check, one.verdict, one.found) for one in found] == [
            ("home", Verdict.FAIL, "no answer within 0.05 s")
        ]
    finally:
        forever.set()
    for error, says in [(BackendError("no key", "log in"), "no key"), (KeyError("x"), "KeyError: 'x'")]:
        future: Future[str] = Future()
        future.set_exception(error)
        (finding,) = probes._judged("server", future, lambda _: [])
        assert (finding.verdict, finding.found) == (Verdict.FAIL, says)


def test_an_answer_is_judged():
    """The way it goes when all is well."""
    well = Finding("home", Verdict.OK, "there")
    assert list(probes._judged("home", probes._start(lambda: "fact"), lambda _: [well])) == [well]
