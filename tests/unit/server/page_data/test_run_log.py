"""The log of a run as its page reads it."""

from __future__ import annotations

import pytest

from sweeper.server.page_data import run_log

PRINTED = [
    "2026-01-31T12:00:00.5 first",
    "ERROR 2026-01-31T12:00:01 \x1b[31mOut of\x1b[0m memory",
    "2026-01-31T12:00:02 [rank 1] third",
    "2026-01-31T12:00:03 <b>last</b>",
]


@pytest.fixture
def log(client):
    """What asks for parts of the log of a run that printed four lines."""
    client.init("r")
    client.stream("r", files={"output.log": {"offset": 0, "content": PRINTED}})

    def ask(path="", status=200, **query):
        answer = client.http.get(f"/-/data/local/p/runs/r/log{path}", params=query)
        assert answer.status_code == status, answer.text
        return answer.json()

    return ask


def test_a_part_of_a_log_is_read(log):
    """Each line with its number, its time, whether it went to stderr, its process, and its text in pieces."""
    assert log(start=1, size=2) == {
        "total": 4,
        "lines": [
            [1, "2026-01-31T12:00:01Z", 1, "", [["Out of", {"f": 1}], [" memory"]]],
            [2, "2026-01-31T12:00:02Z", 0, "rank 1", [["third"]]],
        ],
    }


def test_without_a_start_the_end_of_a_log_is_read(log):
    """As somebody sees it who opens a log that goes on."""
    assert [line[0] for line in log(size=2)["lines"]] == [2, 3]
    assert [line[0] for line in log()["lines"]] == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("words", "found"), [("of mem", [1]), ("FIRST", [0]), ("<b>", [3]), ("t", [0, 1, 2, 3]), ("31m", []), ("", [])]
)
def test_words_are_found_through_their_colours(log, words, found):
    """Whatever their case; neither times nor colours are words."""
    assert log("/search", q=words) == {"found": found, "next": None}


def test_a_long_log_is_looked_through_in_parts(log, monkeypatch):
    """Each answer says where the next one begins; the last one says that it is."""
    monkeypatch.setattr(run_log, "MOST_SOUGHT", 3)
    assert log("/search", q="t") == {"found": [0, 1, 2], "next": 3}
    assert log("/search", q="t", start=3) == {"found": [3], "next": None}
    monkeypatch.setattr(run_log, "MOST_FOUND", 1)
    assert log("/search", q="third") == {"found": [2], "next": 3}


def test_a_line_without_end_is_cut(client, log, monkeypatch):
    """And says how much of it is missing."""
    monkeypatch.setattr(run_log, "LONGEST", 10)
    client.stream("r", files={"output.log": {"offset": 4, "content": ["2026-01-31T12:00:04 " + "x" * 25]}})
    assert log(start=4)["lines"][0][4] == [["x" * 10 + " … 15 characters more"]]


@pytest.mark.parametrize("query", [{"start": "x"}, {"size": "-1"}, {"start": "9" * 20}])
def test_what_is_no_number_of_lines_is_refused(log, query):
    """In words."""
    assert "no number of lines" in log(status=400, **query)["errors"][0]["message"]


def test_a_log_is_downloaded_as_text(client, log):  # noqa: ARG001 the log is there
    """Without its colours and times."""
    answer = client.http.get("/-/data/local/p/runs/r/log/text")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text == "first\nOut of memory\nthird\n<b>last</b>\n"
