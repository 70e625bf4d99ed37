"""A private project is made on a server of sweeper, and elsewhere it is said that there is none."""

from __future__ import annotations

import http.server
import threading

import pytest

from sweeper.backend import private_project
from sweeper.errors import BackendError
from sweeper.settings import Backend, Settings


@pytest.fixture
def settings(tmp_path):
    return Settings.from_env({"SWEEPER_HOME": str(tmp_path)})


@pytest.fixture
def answering():
    """Start servers that say a text to whatever is asked, `/healthz` with it."""
    servers = []

    def start(text):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(text)

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return Backend(kind="wandb", base_url=f"http://127.0.0.1:{server.server_port}", api_key="k" * 40)

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_another_server_is_told_from_one_of_ours(settings, answering):
    """W&B's own makes them on its pages: what to do there is said, and nothing is made."""
    with pytest.raises(BackendError, match="is no sweeper server: it makes no private project") as caught:
        private_project.make(answering(b"hello"), settings, entity=None, project="p")
    assert "--project" in caught.value.hint


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b'{"service": "sweeper", "data": {"upsertModel": {"project": {"access": "PRIVATE"}}}}', "older sweeper"),
        (b'{"service": "sweeper", "errors": [{"message": "taken"}], "data": null}', "private project p: taken"),
        (b'{"service": "sweeper"}', "cannot make the private project p"),
    ],
)
def test_a_project_that_is_not_private_is_none(settings, answering, answer, said):
    """A server that makes it for everybody, or refuses, ends the command before there is a sweep."""
    with pytest.raises(BackendError, match=said):
        private_project.make(answering(answer), settings, entity=None, project="p")
