"""What ran where and when."""

from __future__ import annotations


def test_each_attempt_has_its_place_and_its_time(ask, swept):
    """Those that go on have no end; who said no slot has none."""
    client, _, names = swept
    told = ask("attempts")
    columns = told["attempts"]
    assert columns["run"] == names
    assert {told["names"][host] for host in columns["host"]} == {"h"}
    assert {told["names"][slot] for slot in columns["slot"]} == {""}
    assert columns["state"].count("failed") == 3
    assert columns["ended"][-1] is None
    assert all(end >= start for start, end in zip(columns["started"][:-1], columns["ended"][:-1], strict=True))
    client.http.headers["X-Sweeper-Slot"] = "gpu1"
    client.begin(names[-1])
    del client.http.headers["X-Sweeper-Slot"]
    told = ask("attempts")
    assert told["names"][told["attempts"]["slot"][-1]] == "h gpu1"


def test_later_only_what_changed_is_asked_for(ask, swept):
    """What goes on is among it."""
    assert ask("attempts", since=1e11)["attempts"]["run"] == [swept[2][-1]]
    assert "is no time" in str(ask("attempts", since="now", status=400))
