"""What was sent where, on disk."""

from __future__ import annotations

import os
import stat

from sweeper.results.sync_ledger import Ledger, targets


def test_what_was_noted_is_known(tmp_path):
    """Per server and project: what was begun, what has arrived, and the newest sweep with its runs."""
    ledger, other = (Ledger(tmp_path / "sent.jsonl", target) for target in ("a/p", "b/p"))
    assert (ledger.runs("begun"), ledger.sweep()) == ([], (None, set()))
    ledger.begin("r1")
    ledger.begin("r2")
    ledger.sent("r1")
    assert (ledger.runs("begun"), ledger.runs("sent"), other.runs("begun")) == (["r1", "r2"], ["r1"], [])
    ledger.attached("e/p/old", ["r1"])
    ledger.attached("e/p/new", ["r1", "r2"])
    ledger.attached("e/p/new", ["r3"])
    sweep, runs = ledger.sweep()
    assert (sweep.path, runs) == ("e/p/new", {"r1", "r2", "r3"})


def test_a_note_is_on_disk_before_the_next_thing_is_done(tmp_path, monkeypatch):
    """Whole: a run that was sent after it is known for ours, whatever becomes of the machine."""
    ledger, on_disk = Ledger(tmp_path / "sent.jsonl", "a/p"), []

    def fsync(descriptor: int) -> None:
        on_disk.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), ledger.file.read_text()))

    monkeypatch.setattr(os, "fsync", fsync)
    ledger.begin("r1")
    ledger.sent("r1")
    ledger.attached("e/p/s", ["r1"])
    assert [folder for folder, _ in on_disk] == [False, True] * 3  # the file, and its name
    assert [text.count("\n\n") for _, text in on_disk] == [0, 0, 1, 1, 2, 2]
    assert all(text.endswith("}\n") for _, text in on_disk)


def test_a_sweep_of_another_server_is_none_of_ours(tmp_path):
    """Each target has its own; runs keep the order in which they were sent, each once."""
    ledger, other = (Ledger(tmp_path / "sent.jsonl", target) for target in ("a/p", "b/p"))
    other.attached("e/p/there", ["r9"])
    for run in ("r2", "r1", "r2"):
        ledger.sent(run)
    assert (ledger.runs("sent"), ledger.runs("begun"), ledger.sweep()) == (["r2", "r1"], [], (None, set()))
    ledger.attached("e/p/old", ["r1"])
    ledger.attached("e/p/new", [])
    sweep, runs = ledger.sweep()
    assert (sweep.path, runs) == ("e/p/new", set())


def test_a_torn_line_is_no_line(tmp_path):
    """A kill in the midst of a note loses that note and no other."""
    ledger = Ledger(tmp_path / "sent.jsonl", "a/p")
    ledger.begin("r1")
    with ledger.file.open("a") as file:
        file.write('{"to": "a/p", "run": "r2", "be')
    ledger.begin("r3")
    assert ledger.runs("begun") == ["r1", "r3"]


def test_bytes_that_are_no_text_are_no_line(tmp_path):
    """A disk that was full, a file that somebody wrote to: the other lines count."""
    ledger = Ledger(tmp_path / "sent.jsonl", "a/p")
    ledger.begin("r1")
    with ledger.file.open("ab") as file:
        file.write(b"\xff\xfe{\x00\n")
    ledger.sent("r1")
    assert (ledger.runs("begun"), ledger.runs("sent")) == (["r1"], ["r1"])


def test_all_targets_are_known_each_once(tmp_path):
    """In the order of their first line; what is torn or strange is none."""
    file = tmp_path / "sent.jsonl"
    assert targets(file) == []
    for target in ("a/p", "b/p", "a/p"):
        Ledger(file, target).begin("r")
    with file.open("a") as lines:
        lines.write('[]\n{"run": "x"}\n{"to": "c')
    assert targets(file) == ["a/p", "b/p"]
    assert Ledger(file, "a/p").runs("begun") == ["r"]
