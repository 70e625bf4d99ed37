"""A Ray cluster that is none, and a node that is unfit: told in seconds, with what to do. The real one: tests/ray."""

from __future__ import annotations

import importlib.util
import socket
import threading
from dataclasses import replace

import pytest

from sweeper import __version__
from sweeper.backend import embedded_server
from sweeper.errors import LaunchError
from sweeper.launch.ray_cluster import NodeNeeds, check_answers, fault, joined, try_here
from sweeper.launch.ray_plan import RayNode

NODE = RayNode(id="a", name="a (10.0.0.1)")


@pytest.fixture
def needs(embedded, tmp_path) -> NodeNeeds:
    return NodeNeeds(folder=str(tmp_path), data=str(embedded_server.data_dir(embedded.home)), url="")


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@pytest.mark.parametrize("address", ["here", "here:", "here:0", "here:70000", ":6379", "ray://here:10001"])
def test_what_is_no_address_of_a_cluster_is_told(address):
    """A Ray client's included: its actors would end with its connection."""
    with pytest.raises(LaunchError) as caught:
        check_answers(address)
    assert address in caught.value.message
    assert "--address" in caught.value.hint


def test_an_address_where_nobody_answers_is_told_at_once():
    """Ray would ask for minutes."""
    with pytest.raises(LaunchError, match=r"no Ray cluster answers at 127\.0\.0\.1:") as caught:
        check_answers(f"127.0.0.1:{free_port()}")
    assert "ray start" in caught.value.hint


@pytest.mark.parametrize("answer", [b"HTTP/1.1 505 no\r\n\r\n", b"", b"\0\0\0"])
def test_whatever_else_answers_is_no_cluster(answer):
    """A web server, say: Ray's gRPC begins with its settings."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        with pytest.raises(LaunchError, match="is no Ray cluster"):
            check_answers(f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_what_begins_as_rays_protocol_does_is_let_pass():
    """Ray itself sees to the rest."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        heard = []

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                heard.append(connection.recv(1024))
                connection.sendall(b"\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64")

        thread = threading.Thread(target=serve)
        thread.start()
        check_answers(f"127.0.0.1:{server.getsockname()[1]}")
        thread.join()
    assert heard[0].startswith(b"PRI * HTTP/2.0")


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed here")
def test_a_launch_without_ray_says_how_to_install_it():
    """Into the environment that sweeper is in."""
    with pytest.raises(LaunchError, match="not installed") as caught, joined(""):
        pass
    assert "pip install 'sweeper[ray]'" in caught.value.hint


def test_a_node_that_has_all_is_fit(needs, tmp_path):
    """The folder is the same, and the server answers."""
    file = tmp_path / "word"
    file.write_text("open")
    assert try_here(str(file), "open", needs) == ("", "")


def test_a_node_on_another_disk_is_found(needs, tmp_path):
    """Nothing lies there, or something else does."""
    file = tmp_path / "word"
    assert try_here(str(file), "open", needs)[0] == "home"
    file.write_text("closed")
    assert try_here(str(file), "open", needs) == ("home", "another folder lies there")
    file.write_text("open")
    assert try_here(str(file), "open", replace(needs, folder=str(tmp_path / "gone")))[0] == "folder"


def test_a_node_that_does_not_reach_the_server_is_found(needs, tmp_path, embedded):
    """By the server's own record in the shared folder, or by its address where it is somebody else's."""
    file = tmp_path / "word"
    file.write_text("open")
    what, why = try_here(str(file), "open", replace(needs, data=str(tmp_path)))
    assert (what, why) == ("server", f"{tmp_path} names no server")
    gone = f"http://127.0.0.1:{free_port()}"
    what, why = try_here(str(file), "open", replace(needs, data=None, url=gone))
    assert what == "server"
    assert gone in why
    (tmp_path / "server.json").write_text(
        (embedded_server.data_dir(embedded.home) / "server.json").read_text().replace(embedded.url, gone)
    )
    assert try_here(str(file), "open", replace(needs, data=str(tmp_path)))[0] == "server"


@pytest.mark.parametrize(
    ("what", "why", "says", "fix"),
    [
        ("missing", "/usr/bin/python3", "not installed for its /usr/bin/python3", f"sweeper[ray]=={__version__}"),
        ("version", "0.0.1", f"it has sweeper 0.0.1, and this is {__version__}", "pip install"),
        ("home", "No such file", "SWEEPER_HOME is not shared", "all nodes share"),
        ("folder", "", "/work is not there", "all nodes share"),
        ("server", "nobody answers at x", "does not reach the server: nobody answers at x", "sweeper serve --host"),
        ("time", "", "has not answered", "ray status"),
        ("ray", "it broke", "Ray says: it broke", "ray status"),
    ],
)
def test_an_unfit_node_is_named_with_what_to_do(what, why, says, fix):
    """Before anything is started."""
    error = fault(NODE, (what, why), NodeNeeds(folder="/work", data=None, url=""))
    assert isinstance(error, LaunchError)
    assert error.message.startswith("Ray node a (10.0.0.1) is unfit: ")
    assert says in error.message
    assert fix in error.hint


def test_a_fit_node_is_no_error():
    """There is nothing to say."""
    assert fault(NODE, ("", ""), NodeNeeds(folder="/work", data=None, url="")) is None
