"""What a killed process left in its transaction log and its server lacks: sent once, in order, and by nobody else."""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import replace

import pytest

from sweeper.backend import transaction_log, unsent_rows
from sweeper.backend.own_server import HistoryEnd
from sweeper.backend.transaction_log import new_record
from sweeper.backend.unsent_rows import deliver, lacking, newest_log, rows_of, summed_up
from sweeper.ref import RunRef
from sweeper.settings import Settings

HEAD = b":W&B\x00\x00\x00"


def history(**values):
    """Make a record of a row, as wandb-core writes one."""
    record = new_record()
    for key, value in values.items():
        record.history.item.add(nested_key=[key], value_json=json.dumps(value))
    return record


def row(step: int, **more) -> dict:
    """Make a row of the process that began at 100."""
    return {"_step": step, "_timestamp": 100.0 + step, "loss": 1.0 / (step + 1), **more}


def summary(*path: str, value: object = None, remove: bool = False):
    """Make a record of a change of the summary."""
    record = new_record()
    if remove:
        record.summary.remove.add(nested_key=[*path])
    else:
        record.summary.update.add(nested_key=[*path], value_json=json.dumps(value))
    return record


@pytest.fixture
def dead(embedded, tmp_path):
    """A run whose process `dead` has logged four rows and sent one; what delivers the rest."""
    _, (run,) = embedded.sweep(None)
    wire = embedded.wire
    return Dead(embedded, RunRef("local", "p", run), tmp_path, wire.history(run))


class Dead:
    """A run whose process is gone."""

    def __init__(self, embedded, ref: RunRef, folder, sent: list[dict]) -> None:
        self.wire, self.ref, self.folder = embedded.wire, ref, folder
        self.settings = Settings(home=folder, base_url=embedded.url, api_key=embedded.wire.key)
        self.sent = sent
        self.rows = [sent[0], *(row(step) for step in (1, 2, 3))]
        self.write([history(**self.rows[0]), *map(history_of, self.rows[1:])])

    def write(self, records) -> None:
        """Write its transaction log."""
        folder = self.folder / "wandb" / f"run-20260101_000000-{self.ref.run_id}"
        folder.mkdir(parents=True, exist_ok=True)
        self.log = folder / f"run-{self.ref.run_id}.wandb"
        transaction_log.write(self.log, HEAD, records)

    def deliver(self, holder: str = "dead", clock=time.monotonic, **changes) -> int:
        """Deliver what it left."""
        return deliver(self.ref, self.folder, holder=holder, settings=replace(self.settings, **changes), clock=clock)

    def history(self) -> list[int]:
        """Read the steps on the server."""
        return [found["_step"] for found in self.wire.history(self.ref.run_id)]


def history_of(values: dict):
    """Make a record of a row."""
    return history(**values)


def test_what_the_server_lacks_is_sent_once(dead):
    """The three rows behind the one it has, in their order; another time nothing, and the run goes on."""
    assert (dead.deliver(), dead.history()) == (3, [0, 1, 2, 3])
    assert (dead.deliver(), dead.history()) == (0, [0, 1, 2, 3])
    found = dead.wire.run(dead.ref.run_id, "state historyLineCount")
    assert found == {"state": "running", "historyLineCount": 4}
    assert dead.wire.history(dead.ref.run_id)[3]["loss"] == 0.25


def test_a_long_remainder_goes_in_pieces(dead, monkeypatch):
    """Each behind the last; when time is up what was sent has no hole."""
    monkeypatch.setattr(unsent_rows, "AT_ONCE", 2)
    times = iter([5.0, 14.9, 15.0])
    assert (dead.deliver(clock=lambda: next(times)), dead.history()) == (2, [0, 1, 2])
    monkeypatch.setattr(unsent_rows, "AT_ONCE", 1)
    assert (dead.deliver(), dead.history()) == (1, [0, 1, 2, 3])


def test_the_summary_is_brought_up_to_the_rows(dead):
    """What else it has stays."""
    dead.wire.stream(dead.ref.run_id, files={"wandb-summary.json": {"content": ['{"loss": 9, "own": 1, "old": 2}']}})
    dead.write([*map(history_of, dead.rows), summary("loss", value=0.25), summary("old", remove=True)])
    assert dead.deliver() == 3
    told = json.loads(dead.wire.run(dead.ref.run_id, "summaryMetrics")["summaryMetrics"])
    assert (told["loss"], told["own"], "old" in told) == (0.25, 1, False)


def test_what_is_no_number_is_sent_as_it_was_logged(dead):
    """NaN, a large integer, text and a nested value."""
    values = row(1, nan=float("nan"), large=2**62 + 1, text="ä", inner={"a": {"b": 1}})
    dead.write([*map(history_of, dead.rows[:1]), history_of(values)])
    assert dead.deliver() == 1
    found = dead.wire.history(dead.ref.run_id)[1]
    assert math.isnan(found["nan"])
    assert (found["large"], found["text"], found["inner"]) == (2**62 + 1, "ä", {"a": {"b": 1}})


def test_a_run_that_has_another_holder_takes_nothing(dead):
    """It was handed out again: the server refuses, and nobody is told of an error."""
    wire = dead.wire
    assert dead.deliver() == 3
    again = 'mutation($id: ID!) { updateRunState(input: {id: $id, state: "pending"}) { success } }'
    wire.graphql(again, id=wire.run(dead.ref.run_id, "id")["id"])
    dead.write([*map(history_of, dead.rows), history_of(row(4))])
    assert (dead.deliver(), dead.history()) == (0, [0, 1, 2, 3])


@pytest.mark.parametrize("exitcode", [0, 1])
def test_a_run_that_reported_its_end_stays_ended(dead, exitcode):
    """Its process had sent all."""
    dead.wire.stream(dead.ref.run_id, complete=True, exitcode=exitcode)
    assert (dead.deliver(), dead.history()) == (0, [0])
    assert dead.wire.run(dead.ref.run_id, "state")["state"] == ("failed" if exitcode else "finished")


@pytest.mark.parametrize("length", [0, 6, 7, 20])
def test_a_torn_log_holds_what_was_whole(dead, length):
    """Nothing, half a header, the header alone, half a record."""
    dead.log.write_bytes(dead.log.read_bytes()[:length])
    assert (dead.deliver(), dead.history()) == (0, [0])


def test_a_log_that_is_torn_in_its_last_record_holds_the_others(dead):
    """A kill in the middle of a write costs that row."""
    dead.log.write_bytes(dead.log.read_bytes()[:-3])
    assert (dead.deliver(), dead.history()) == (2, [0, 1, 2])


def test_nothing_is_sent_where_nobody_would_take_it(dead, serving):
    """A process without a name, no server, none of ours, a dead one, no log."""
    assert dead.deliver(holder="") == 0
    assert dead.deliver(base_url=None) == 0
    with serving() as server:
        assert dead.deliver(base_url=server.url) == 0
        assert [path for _, path, _ in server.seen] == ["/healthz"]
    assert dead.deliver(base_url="http://127.0.0.1:9") == 0
    assert dead.deliver(api_key="wrong" * 8) == 0
    assert deliver(replace(dead.ref, run_id="another"), dead.folder, holder="dead", settings=dead.settings) == 0
    dead.log.unlink()
    assert dead.deliver() == 0
    assert dead.history() == [0]


def test_the_last_log_is_the_last_attempts(tmp_path):
    """By when it was written; those of other runs are none."""
    assert newest_log(tmp_path, "r") is None
    for name, at in (("run-2-r", 10), ("run-1-r", 20), ("run-3-s", 30), ("offline-run-4-r", 40)):
        log = tmp_path / "wandb" / name / f"run-{name[-1]}.wandb"
        log.parent.mkdir(parents=True)
        log.touch()
        os.utime(log, (at, at))
    assert newest_log(tmp_path, "r") == tmp_path / "wandb" / "run-1-r" / "run-r.wandb"
    (odd := tmp_path / "wandb" / "run-1-a[b]" / "run-a[b].wandb").parent.mkdir()
    odd.touch()
    assert newest_log(tmp_path, "a[b]") == odd


class InTurn(list):
    """Answers, each for one request."""

    def __iter__(self):
        """Give the parts of the next one."""
        return iter(self.pop(0))


@pytest.mark.parametrize("answer", [(502, {}, b"<html>Bad Gateway"), (400, {}, b"{}"), (500, {}, b"[]")])
def test_a_server_behind_a_broken_proxy_breaks_nothing(dead, serving, answer):
    """It said who it is, and then something else answers: a launch, which asks for its lost runs, goes on."""
    with serving() as server:
        server.answer = InTurn([(200, {}, b'{"service": "sweeper"}'), answer])
        assert dead.deliver(base_url=server.url) == 0
    assert server.answer == []


@pytest.mark.parametrize(
    ("last", "steps"),
    [
        (None, [5, 6, 8]),
        ({"_step": 4, "_timestamp": 1.0}, [5, 6, 8]),  # of the attempt before
        (row(5), [6, 8]),
        (row(6), [8]),
        (row(8), []),
        ({**row(6), "_timestamp": 7.0}, []),  # another process has logged that step
        ({"_step": 7, "_timestamp": 107.0}, []),
        ({"_step": 9, "_timestamp": 109.0}, []),
        ({"loss": 1.0}, []),
        ({"_step": True}, []),
    ],
)
def test_the_rows_behind_the_servers_end_are_what_it_lacks(last, steps):
    """If it ends with one of them, or before the first."""
    rows = [row(5), row(6), row(8)]
    assert [found["_step"] for found in lacking(rows, HistoryEnd("running", 1, last, {}))] == steps
    assert lacking([], HistoryEnd("running", 1, last, {})) == []


def test_rows_are_read_as_they_were_logged(tmp_path):
    """Nested names, both ways of naming a key; a row without a step is none."""
    record, plain = history(_step=1), new_record()
    record.history.item.add(nested_key=["a", "b"], value_json="2")
    record.history.item.add(nested_key=["a", "c"], value_json="3")
    plain.history.item.add(key="_step", value_json="2")
    transaction_log.write(
        tmp_path / "log", HEAD, [record, plain, history(loss=1), history(_step=3.0), summary("a", value=1)]
    )
    assert list(rows_of(tmp_path / "log")) == [{"_step": 1, "a": {"b": 2, "c": 3}}, {"_step": 2}]


def test_a_summary_is_what_all_records_make_of_it():
    """The last one counts; what is given is not changed."""
    given = {"a": {"b": 1}, "c": 2, "d": 3}
    records = [
        summary("a", "x", value=5), summary("c", value=7), summary("c", value=8), summary("d", remove=True),
        summary("e", remove=True), history(_step=1, z=1), summary("c", "deep", value=1),
    ]  # fmt: skip
    assert summed_up(given, records) == {"a": {"b": 1, "x": 5}, "c": {"deep": 1}}
    assert given == {"a": {"b": 1}, "c": 2, "d": 3}
