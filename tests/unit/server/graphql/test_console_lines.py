"""Pages of console lines, as the SDK asks for them."""

from __future__ import annotations

FIELDS = "edges { node { number timestamp level label line } } pageInfo { endCursor hasNextPage }"
SENT = [
    "2026-01-31T12:00:00.000001 hello",
    "ERROR 2026-01-31T12:00:01 oh [no] no",
    "2026-01-31T12:00:02 [rank 1] labelled",
    "odd",
    "2026-01-31T12:00:03 two\nlines",
]


def lines_of(client, **how):
    """Ask for lines."""
    arguments = ", ".join(
        f'{name}: "{value}"' if isinstance(value, str) else f"{name}: {value}" for name, value in how.items()
    )
    found = client.run("r", f"logLineCount logLines({arguments or 'first: 100'}) {{ {FIELDS} }}")
    assert found["logLineCount"] == len(SENT)
    return found["logLines"]


def printed(client):
    client.init("r")
    client.stream("r", files={"output.log": {"offset": 0, "content": SENT}})


def test_a_line_is_taken_apart(client):
    """Time, stream, label of the process and text; a line of another form is all text."""
    printed(client)
    nodes = [edge["node"] for edge in lines_of(client)["edges"]]
    assert [[node["timestamp"], node["level"], node["label"], node["line"]] for node in nodes] == [
        ["2026-01-31T12:00:00.000001Z", "", "", "hello"],
        ["2026-01-31T12:00:01Z", "error", "", "oh [no] no"],
        ["2026-01-31T12:00:02Z", "", "rank 1", "labelled"],
        [None, "", "", "odd"],
        ["2026-01-31T12:00:03Z", "", "", "two\nlines"],
    ]
    assert [node["number"] for node in nodes] == list(range(5))


def test_lines_come_page_by_page(client):
    """Each page begins behind the last one's cursor; the last says so."""
    printed(client)
    page, seen = lines_of(client, first=2), []
    while page["pageInfo"]["hasNextPage"]:
        seen += [edge["node"]["number"] for edge in page["edges"]]
        page = lines_of(client, first=2, after=page["pageInfo"]["endCursor"])
    assert seen + [edge["node"]["number"] for edge in page["edges"]] == list(range(5))


def test_the_last_lines_come_in_order(client):
    """A tail is in the order of printing; there may be fewer lines than asked for."""
    printed(client)
    assert [edge["node"]["number"] for edge in lines_of(client, last=2)["edges"]] == [3, 4]
    assert len(lines_of(client, last=100)["edges"]) == 5


def test_an_odd_page_is_refused(client):
    """A negative length and a cursor that is none are a client's mistakes."""
    printed(client)
    for arguments in ("first: -1", "last: -1", 'after: "x"', 'after: "99999999999999999999999"', 'after: "²"'):
        query = f'query {{ project(name: "p") {{ run(name: "r") {{ logLines({arguments}) {{ {FIELDS} }} }} }} }}'
        assert client.graphql(query, status=400)
