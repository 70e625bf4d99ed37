"""What an open page is told: what has changed, whoever it was that changed it, and only to whom may see it."""

from __future__ import annotations

import threading
import time

import pytest

from sweeper.server.page_data import events

SWEEP = {"method": "random", "metric": {"name": "loss"}, "parameters": {"lr": {"min": 0.0, "max": 1.0}}}


@pytest.fixture
def hear(client):
    """What opens a stream, does something meanwhile, ends the server's patience, and gives what was said."""

    def listen(query, act=None, *, headers=None):
        watch = client.http.app.state.page_watch

        def words():
            return [one.seen.word for one in [*watch._watched.values()]]

        def until(holds):
            deadline = time.monotonic() + 20
            while not holds() and time.monotonic() < deadline:
                time.sleep(0.05)

        def meanwhile():
            until(lambda: watch.pages)
            if act:
                before = words()
                act()
                until(lambda: words() != before)
                time.sleep(0.2)  # for the stream to say so
            watch.is_ending = lambda: True

        thread = threading.Thread(target=meanwhile)
        thread.start()
        answer = client.http.get(f"{events.EVENTS}?{query}", headers=headers or {})
        thread.join()
        watch.is_ending = bool
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        return [part for part in answer.text.split("\n\n") if "event: changed" in part]

    return listen


def test_a_page_hears_of_a_change_and_after_a_lost_connection_only_if_there_was_one(client, hear):
    """It names the state that it knows, and is told of its topics only where that is another one."""
    sweep = client.sweep(SWEEP)
    query = f"topics=sweep&entity=local&project=p&sweep={sweep}"
    agent = client.agent(sweep)
    first, second = hear(query, lambda: client.beat(agent))
    assert '"topics": ["sweep"]' in second
    known = second.partition("\n")[0].removeprefix("id: ")
    assert known != first.partition("\n")[0].removeprefix("id: ")
    (again,) = hear(query, headers={"Last-Event-ID": known})
    assert '"topics": []' in again
    (later,) = hear(f"{query}&last=something")
    assert '"topics": ["sweep"]' in later


def test_what_happened_while_a_page_was_on_its_way_is_told_at_once(client, hear):
    """By how long ago it was asked for; nothing that is older."""
    client.init("r")
    query = "topics=run,home&entity=local&project=p&run=r"
    (event,) = hear(f"{query}&age=5000")
    assert '"topics": ["run", "home"]' in event
    time.sleep(events.SLACK_S)
    (event,) = hear(query)
    assert '"topics": []' in event


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("topics=project&entity=local&project=none", 404),
        ("topics=sweep&entity=local&project=p&sweep=none", 404),
        ("topics=run&entity=local&project=p&run=none", 404),
        ("topics=else&entity=local&project=p", 400),
    ],
)
def test_what_is_not_there_has_no_stream(client, query, status):
    """As with pages: also what is hidden from who asks."""
    client.init("r")
    assert client.http.get(f"{events.EVENTS}?{query}").status_code == status


def test_a_page_may_ask_whether_it_would_be_let_in(client):
    """One whose session has ended stops asking."""
    assert client.http.head(events.EVENTS).status_code == 200
    assert client.http.head(events.EVENTS, headers={"Authorization": ""}).status_code == 401


def test_there_are_not_more_streams_than_the_server_bears(client, monkeypatch):
    """One more is told so, and its browser comes back."""
    monkeypatch.setattr(events, "MOST_PAGES", 0)
    assert client.http.get(events.EVENTS).status_code == 503
