"""What was sent where, on disk."""

from __future__ import annotations

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


def test_a_torn_line_is_no_line(tmp_path):
    """A kill in the midst of a note loses that note and no other."""
    ledger = Ledger(tmp_path / "sent.jsonl", "a/p")
    ledger.begin("r1")
    with ledger.file.open("a") as file:
        file.write('{"to": "a/p", "run": "r2", "be')
    ledger.begin("r3")
    assert ledger.runs("begun") == ["r1", "r3"]


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
