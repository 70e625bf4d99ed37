"""What a page shows of a file that anybody may have uploaded."""

from __future__ import annotations

import json

import pytest

from sweeper.server.page_data import file_preview
from sweeper.server.page_data.file_preview import kind_of, preview


@pytest.fixture
def shown(tmp_path):
    """What says how a file of a name and a content is shown."""

    def show(name, content):
        place = tmp_path / "content"
        place.write_bytes(content if isinstance(content, bytes) else content.encode())
        return preview(place, name)

    return show


def test_text_is_shown_as_it_is(shown):
    """Whatever it is called, and whatever is in it; a byte that is none becomes a mark."""
    assert shown("notes", "<b>a</b>\n") == {"kind": "text", "text": "<b>a</b>\n", "cut": False}
    assert shown("a.txt", b"a\xffb")["text"] == "a�b"
    assert shown("empty.csv", "") == {"kind": "text", "text": "", "cut": False}


def test_long_text_is_cut(shown, monkeypatch):
    """Nowhere within a character, and the page says that there is more."""
    monkeypatch.setattr(file_preview, "MOST_TEXT", 5)
    assert shown("a.txt", "abcdö") == {"kind": "text", "text": "abcd", "cut": True}


@pytest.mark.parametrize("content", [b"\x7fELF\0\0", b"\0"])
def test_what_is_no_text_is_not_shown(shown, content):
    """It is there for download."""
    assert shown("a.bin", content) == {"kind": "binary"}


def test_json_is_laid_out(shown):
    """One member a line; what is called so and is none is shown as it is, however deep it nests."""
    assert shown("a.json", '{"b":[1,"ü"]}')["text"] == '{\n  "b": [\n    1,\n    "ü"\n  ]\n}'
    assert shown("a.json", '{"b":')["text"] == '{"b":'
    assert shown("a.json", "[" * 100_000)["kind"] == "text"


def test_a_table_of_the_sdk_is_a_table(shown):
    """Numbers stay numbers, what is nested is text."""
    table = {"columns": ["n", 2], "data": [[1.5, {"_type": "image"}], [None, True]], "ncols": 2}
    assert shown("t.table.json", json.dumps(table)) == {
        "kind": "table",
        "columns": ["n", "2"],
        "rows": [[1.5, '{"_type": "image"}'], [None, True]],
        "count": 2,
        "cut": False,
    }


@pytest.mark.parametrize("odd", [{"columns": 3, "data": []}, {"columns": [], "data": [1]}, {"columns": ["a"]}, [1], 3])
def test_other_json_is_no_table(shown, odd):
    """It is laid out."""
    assert shown("t.table.json", json.dumps(odd))["kind"] == "text"


def test_separated_values_are_a_table(shown, monkeypatch):
    """By comma or tab, quotes and all; of a long one the first rows."""
    found = shown("a.csv", 'x,y\n1,"a,b"\n2,c\n')
    assert (found["columns"], found["rows"], found["count"]) == (["x", "y"], [["1", "a,b"], ["2", "c"]], 2)
    assert shown("a.tsv", "x\ty\n1\t2\n")["rows"] == [["1", "2"]]
    monkeypatch.setattr(file_preview, "MOST_ROWS", 1)
    assert (len(shown("a.csv", "x\n1\n2\n")["rows"]), shown("a.csv", "x\n1\n2\n")["cut"]) == (1, True)
    monkeypatch.setattr(file_preview, "MOST_ROWS", 9)
    monkeypatch.setattr(file_preview, "MOST_TEXT", 7)
    cut = shown("a.csv", "x\n1\n2\n345\n")
    assert (cut["rows"], cut["count"], cut["cut"]) == ([["1"], ["2"]], None, True)


def test_a_broken_table_is_text(shown):
    """As it is."""
    assert shown("a.csv", 'x\n"1\n')["kind"] == "text"


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("a/b.PNG", "image"),
        ("x.svg", "image"),
        ("png", "text"),
        ("a/m.ONNX", "model"),
        ("onnx", "text"),
        ("a.txt", "text"),
    ],
)
def test_pictures_and_models_are_told_by_their_names(path, kind):
    """Those that a browser draws, and those that Netron does."""
    assert kind_of(path) == kind
