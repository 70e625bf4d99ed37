"""The files of a run, as its page lists and shows them."""

from __future__ import annotations

import pytest

from sweeper.server.page_data import run_tree


@pytest.fixture
def files(client):
    """What asks about the files of a run with three of them."""
    client.init("r")
    for path, content in (("out/a b.csv", b"x,y\n1,2\n"), ("model.onnx", b"\0\1"), ("out/p.png", b"png")):
        client.upload("r", path, content)

    def ask(what, status=200, **query):
        answer = client.http.get(f"/-/data/local/p/runs/r/{what}", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def test_files_are_listed_by_path(files, client):
    """Each leads to its content, and pictures are told from others."""
    told = files("files")
    assert [(file["path"], file["size"], file["kind"]) for file in told["files"]] == [
        ("model.onnx", 2, "model"),
        ("out/a b.csv", 8, "text"),
        ("out/p.png", 3, "image"),
    ]
    assert (told["more"], told["bytes"]) == (0, 13)
    assert [file["model"] for file in told["files"]] == ["/-/models/local/p/runs/r/model.onnx", None, None]
    assert client.http.get(told["files"][1]["url"]).content == b"x,y\n1,2\n"


def test_of_very_many_files_the_first_are_listed(files, monkeypatch):
    """And how many more there are."""
    monkeypatch.setattr(run_tree, "MOST_LISTED", 2)
    assert (len(files("files")["files"]), files("files")["more"]) == (2, 1)


def test_a_file_is_shown(files):
    """As what it is."""
    assert files("preview", path="out/a b.csv")["rows"] == [["1", "2"]]
    assert files("preview", path="model.onnx") == {"kind": "binary"}


@pytest.mark.parametrize("path", ["nope", "", "../../sweeper.db", "/etc/passwd"])
def test_what_is_no_file_of_the_run_is_not_shown(files, path):
    """Wherever it leads."""
    assert "no file" in files("preview", status=404, path=path)["errors"][0]["message"]


def test_a_file_whose_content_is_gone_is_said_to_be(files, client):
    """Its row alone is no file."""
    client.http.app.state.files.remove("local", "p", "r", "model.onnx")
    assert "gone" in files("preview", status=404, path="model.onnx")["errors"][0]["message"]
