"""What is made of a run's transaction logs before they are sent to another server."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from sweeper.backend import transaction_log
from sweeper.backend.run_reader import ServerRun
from sweeper.backend.transaction_log import new_record
from sweeper.results.sync_staging import find_logs, stage, step_of
from sweeper.run import RunState

HEAD = b":W&B\xe1\xbe\x00"


@dataclass
class Handle:
    """The history that the SDK would read from the server."""

    history: list[dict]

    def scan_history(self, keys=(), min_step=0, max_step=10**9, **_page):
        """Read rows: whole ones, or some of their values."""
        wanted = [row for row in self.history if min_step <= row["_step"] < max_step]
        return iter([{key: row[key] for key in keys} for row in wanted] if keys else wanted)


def server_run(*steps: int, state: RunState = RunState.FINISHED, **more) -> ServerRun:
    """A run whose server has rows of these steps."""
    rows = [{"_step": step, "loss": f"server {step}"} for step in steps]
    known = {"config": {"lr": 0.1}, "summary": {"loss": math.nan, "_wandb": {"runtime": 3}}, "notes": "", "tags": ()}
    known |= {
        "name": "run-7",
        "sweep": "s",
        "created_at": datetime(2026, 1, 2, tzinfo=UTC),
        "last_step": max(steps, default=None),
    }
    return ServerRun(id="r", state=state, handle=Handle(rows), **{**known, **more})


def write_log(folder, stamp: str, *steps: int, exit_code: int | None = 0, label: str = "log", files=()) -> None:
    """Write the log of an attempt that logged these steps."""
    records = [new_record()]
    records[0].header.version_info.producer = "test"
    start = new_record()
    start.run.run_id, start.run.sweep_id, start.run.host, start.run.project = "r", "s", "box", "p"
    start.run.config.update.add(key="old", value_json="1")
    alert = new_record()
    alert.alert.title = "look!"
    summary = new_record()
    summary.summary.update.add(key="loss", value_json="1")
    records += [start, alert, summary]
    for step in steps:
        record = new_record()
        record.history.item.add(nested_key=["_step"], value_json=str(step))
        record.history.item.add(nested_key=["loss"], value_json=json.dumps(f"{label} {step}"))
        records.append(record)
    for name in files:
        record = new_record()
        record.files.files.add(path=name)
        records.append(record)
    if exit_code is not None:
        records.append(new_record())
        records[-1].exit.exit_code, records[-1].exit.runtime = exit_code, 12
    path = folder / "wandb" / f"run-{stamp}-r"
    (path / "files").mkdir(parents=True)
    transaction_log.write(path / "run-r.wandb", HEAD, records)


def staged(tmp_path, run: ServerRun, **more):
    """Stage the run; give its log's records and the rest."""
    into = tmp_path / "staged"
    into.mkdir()
    result = stage(run, find_logs(tmp_path).get("r", ()), into, **more)
    return list(transaction_log.read(into / "run-r.wandb")), result


def losses(records) -> list:
    """What the log's rows say, in order."""
    rows = [{(*item.nested_key, item.key)[0]: item.value_json for item in r.history.item} for r in records]
    return [json.loads(row["loss"]) for row in rows if row]


def test_logs_are_found_by_run_and_time(tmp_path):
    """Attempts stand in order; the link to the latest run is none; offline runs count."""
    write_log(tmp_path, "20260102_000000")
    write_log(tmp_path, "20260101_000000")
    (tmp_path / "wandb" / "latest-run").symlink_to("run-20260102_000000-r")
    (tmp_path / "wandb" / "offline-run-20260101_120000-q").mkdir()
    (tmp_path / "wandb" / "offline-run-20260101_120000-q" / "run-q.wandb").touch()
    found = find_logs(tmp_path)
    assert [path.parent.name for path in found["r"]] == ["run-20260101_000000-r", "run-20260102_000000-r"]
    assert set(found) == {"r", "q"}


def test_an_offline_attempt_stands_in_its_place(tmp_path):
    """By its time, as the others."""
    write_log(tmp_path, "20260101_000000")
    write_log(tmp_path, "20260103_000000")
    (tmp_path / "wandb" / "offline-run-20260102_000000-r").mkdir()
    (tmp_path / "wandb" / "offline-run-20260102_000000-r" / "run-r.wandb").touch()
    days = [path.parent.name.removeprefix("offline-")[4:12] for path in find_logs(tmp_path)["r"]]
    assert days == ["20260101", "20260102", "20260103"]


def test_the_run_is_the_servers_and_belongs_to_no_sweep(tmp_path):
    """Name, config and summary are the server's; the sweep's id, alerts and old values are gone."""
    write_log(tmp_path, "1", 0, 1)
    records, result = staged(tmp_path, server_run(0, 1, notes="well", tags=("a",)))
    kinds = [record.WhichOneof("record_type") for record in records]
    assert kinds == ["header", "run", "history", "history", "summary", "exit"]
    run = records[1].run
    assert (run.run_id, run.sweep_id, run.display_name, run.host) == ("r", "", "run-7", "box")
    assert (run.notes, list(run.tags), run.start_time.seconds) == ("well", ["a"], 1767312000)
    assert {item.key: item.value_json for item in run.config.update} == {"lr": "0.1"}
    summary = {item.key: item.value_json for item in records[4].summary.update}
    assert summary == {"loss": "NaN", "_wandb": '{"runtime": 3}'}
    assert (records[5].exit.exit_code, records[5].exit.runtime) == (0, 12)
    assert (result.last_step, result.notes) == (1, ())


@pytest.mark.parametrize(
    ("state", "logged", "sent"),
    [("finished", 1, 0), ("killed", 1, 255), ("failed", 3, 3), ("failed", 0, 1), ("crashed", None, 1)],
)
def test_the_exit_code_says_the_servers_state(tmp_path, state, logged, sent):
    """A run that was stopped arrives as killed, not as failed."""
    write_log(tmp_path, "1", 0, exit_code=logged)
    records, _ = staged(tmp_path, server_run(0, state=RunState(state)))
    assert records[-1].exit.exit_code == sent


def test_rows_that_a_killed_process_did_not_write_come_from_the_server(tmp_path):
    """They stand in their places, and the user is told."""
    write_log(tmp_path, "1", exit_code=None)
    write_log(tmp_path, "2", 3, 5)
    records, result = staged(tmp_path, server_run(0, 1, 3, 4, 5, 6))
    assert losses(records) == ["server 0", "server 1", "log 3", "server 4", "log 5", "server 6"]
    assert result.notes == ("4 rows that its log lacks were read from the server",)


def test_an_attempt_that_began_anew_takes_the_place_of_earlier_ones(tmp_path):
    """Earlier rows count as far as the server kept them; the last attempt's all count, sent or not."""
    write_log(tmp_path, "1", 0, 1, 2, 3, 4, label="first")
    write_log(tmp_path, "2", 2, 3, label="second")
    write_log(tmp_path, "3", 3, 5, label="third")
    records, result = staged(tmp_path, server_run(0, 1, 2, 3))
    assert losses(records) == ["first 0", "first 1", "second 2", "third 3", "third 5"]
    assert result.last_step == 5


def test_what_is_there_already_is_not_sent_again(tmp_path):
    """A sync that was killed goes on behind the last row that arrived."""
    write_log(tmp_path, "1", 0, 1, 3)
    records, result = staged(tmp_path, server_run(0, 1, 2, 3, 4), behind=1)
    assert losses(records) == ["server 2", "log 3", "server 4"]
    assert result.last_step == 4


def test_a_run_without_a_log_is_made_of_what_the_server_has(tmp_path):
    """Also one whose process was killed before its log had a word in it."""
    records, result = staged(tmp_path, server_run(0, 1))
    assert losses(records) == ["server 0", "server 1"]
    assert records[0].run.display_name == "run-7"
    assert "no transaction log" in result.notes[0]


def test_files_are_linked_and_what_is_gone_is_named(tmp_path):
    """Files of later attempts win; what wandb-core writes itself is not linked: it would write into the originals."""
    write_log(tmp_path, "1", 0)
    write_log(tmp_path, "2", 1, files=["model.txt", "media/a.png", "gone.txt", "*.ckpt"])
    first, second = (tmp_path / "wandb" / f"run-{stamp}-r" / "files" for stamp in "12")
    (first / "media").mkdir()
    (first / "media" / "a.png").write_text("first")
    (first / "model.txt").write_text("first")
    (second / "model.txt").write_text("second")
    (second / "output.log").write_text("printed")
    _, result = staged(tmp_path, server_run(0, 1))
    files = tmp_path / "staged" / "files"
    assert {str(path.relative_to(files)) for path in files.rglob("*.*")} == {"model.txt", "media/a.png"}
    assert (files / "model.txt").read_text() == "second"
    assert result.notes == ("gone from the disk: gone.txt",)


def test_an_artifact_whose_files_are_gone_is_left_out(tmp_path):
    """The SDK deletes its copies once they are sent; the others go along."""
    write_log(tmp_path, "1", 0)
    (log,) = find_logs(tmp_path)["r"]
    records = list(transaction_log.read(log))
    for name, place in (("here", log), ("lost", tmp_path / "nowhere")):
        record = new_record()
        record.artifact.name = name
        record.artifact.manifest.contents.add(path="x", local_path=str(place))
        records.insert(-1, record)
    transaction_log.write(log, HEAD, records)
    sent, result = staged(tmp_path, server_run(0))
    assert [record.artifact.name for record in sent if record.HasField("artifact")] == ["here"]
    assert result.notes == ("artifact lost is left out: its files are gone from the disk",)


def test_the_header_is_that_of_the_last_log_that_has_one(tmp_path):
    """It holds the version of the form; a process that was killed at once left none, or half of one."""
    write_log(tmp_path, "1", 0)
    write_log(tmp_path, "2", 1)
    write_log(tmp_path, "3")
    first, second, third = find_logs(tmp_path)["r"]
    first.write_bytes(b":W&B\xe1\xbe\x07" + first.read_bytes()[7:])
    second.write_bytes(b":W&B\xe1\xbe\x08" + second.read_bytes()[7:])
    third.write_bytes(b":W&B\xe1\xbe")
    staged(tmp_path, server_run(0, 1))
    assert (tmp_path / "staged" / "run-r.wandb").read_bytes()[:7] == b":W&B\xe1\xbe\x08"


def test_without_any_header_the_form_is_the_sdks_own(tmp_path):
    """A run that is made of what the server has."""
    staged(tmp_path, server_run(0))
    assert (tmp_path / "staged" / "run-r.wandb").read_bytes()[:7] == HEAD


def test_links_lead_to_files_wherever_somebody_stands(tmp_path, monkeypatch):
    """`wandb sync` runs in a folder of its own."""
    write_log(tmp_path, "1", 0, files=["model.txt"])
    monkeypatch.chdir(tmp_path)
    (tmp_path / "wandb" / "run-1-r" / "files" / "model.txt").write_text("weights")
    logs = tuple(log.relative_to(tmp_path) for log in find_logs(tmp_path)["r"])
    into = tmp_path / "staged"
    into.mkdir()
    result = stage(server_run(0), logs, into)
    monkeypatch.chdir("/")
    assert (into / "files" / "model.txt").read_text() == "weights"
    assert result.notes == ()


def test_a_run_with_no_rows_at_all_is_sent_too(tmp_path):
    """It failed before its first row; with a log and without."""
    write_log(tmp_path, "1", exit_code=3)
    records, result = staged(tmp_path, server_run(state=RunState.FAILED))
    assert [record.WhichOneof("record_type") for record in records] == ["header", "run", "summary", "exit"]
    assert (result.last_step, result.notes) == (None, ())
    assert (records[-1].exit.exit_code, records[-1].exit.runtime) == (3, 12)


def test_time_and_end_are_those_of_the_last_attempt_that_has_them(tmp_path):
    """The last process may have died without a word."""
    write_log(tmp_path, "1", 0, exit_code=4)
    write_log(tmp_path, "2", 1, exit_code=None)
    records, _ = staged(tmp_path, server_run(0, 1, state=RunState.FAILED))
    assert (records[-1].exit.exit_code, records[-1].exit.runtime) == (4, 12)


def test_a_step_is_read_in_every_form():
    """As a value, as a nested value, or beside the values."""
    history = new_record().history
    history.step.num = 3
    assert step_of(history) == 3
    history.item.add(key="_step", value_json="4.0")
    assert step_of(history) == 4
