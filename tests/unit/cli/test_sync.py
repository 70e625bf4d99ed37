"""What `sweeper sync` prints, and what it refuses."""

from __future__ import annotations

import json

import pytest

from sweeper.cli.sync import _show, _tell
from sweeper.errors import BackendError
from sweeper.journal.directories import SweepDir
from sweeper.results.sync import RunSync, SyncResult

SENT = RunSync(run="a", outcome="sent", notes=("2 rows that its log lacks were read from the server",))
FAILED = RunSync(run="b", outcome="failed", error="refused")


def result(*runs: RunSync, **more: str) -> SyncResult:
    return SyncResult(source="local/p/s", to="https://w.org/e/p", runs=runs, **more)


def test_each_run_is_told_as_it_is_done(capsys):
    """What did not go with it, or why it is not there; each moves the bar."""
    steps: list[int] = []
    for run in (SENT, FAILED, RunSync(run="c", outcome="sent before")):
        _tell(run, lambda: steps.append(1))
    assert capsys.readouterr().err.splitlines() == [
        "a sent; 2 rows that its log lacks were read from the server",
        "error: run b was not sent: refused",
    ]
    assert len(steps) == 3


@pytest.mark.parametrize(
    ("runs", "again"),
    [((SENT,), False), ((SENT, FAILED), True), ((RunSync(run="c", outcome="not ended"),), True)],
)
def test_what_is_left_to_send_is_the_next_command(capsys, runs, again):
    """The counts by outcome, the sweep there, and the same command where it has more to do."""
    _show(result(*runs, sweep="e/p/new", url="https://w.org/x"), as_json=False)
    shown = capsys.readouterr().out
    assert f"1 {runs[0].outcome}" in shown
    assert "e/p/new" in shown
    assert ("next: sweeper sync local/p/s" in shown) is again


def test_runs_without_a_sweep_are_no_success(capsys):
    """They are there, and the same command attaches them."""
    _show(result(SENT, error="the server does not answer"), as_json=False)
    said = capsys.readouterr()
    assert "error: the server does not answer" in said.err
    assert "next: sweeper sync" in said.out


def test_the_json_has_everything(capsys):
    """On stdout alone."""
    _show(result(SENT, FAILED, sweep="e/p/new"), as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert list(told) == ["source", "to", "runs", "sweep", "url", "error"]
    assert [run["outcome"] for run in told["runs"]] == ["sent", "failed"]
    assert list(told["runs"][0]) == ["run", "outcome", "notes", "error"]


def test_without_a_key_for_the_other_server_none_is_started(sweeper, home):
    """There is nothing to send to, so there is nothing to read."""
    error = sweeper("sync").exception
    assert isinstance(error, BackendError)
    assert "no W&B server to send to" in error.message
    assert not (home / "server").exists()


def test_a_dry_run_needs_no_key(here, embedded):
    """It says what would be sent, and to whom as far as that is known; the key is asked for where something goes."""
    ref, (done, _) = embedded.sweep(0, None)
    ledger = SweepDir.of(embedded.home, ref).sync / "sent.jsonl"
    asked = ("sync", ref, "--dry-run", "--json", "--to", "https://w.org/")
    found = here(*asked)
    assert found.exit_code == 0
    assert "for which there is no key here yet" in found.stderr
    told = json.loads(found.stdout)
    assert told["to"] == "https://w.org/(the key's own user)/p"
    assert [run["outcome"] for run in told["runs"]] == ["to be sent", "not ended"]
    ledger.parent.mkdir(parents=True)
    ledger.write_text(json.dumps({"run": done, "sent": True, "to": "https://w.org/me/p"}) + "\n{")
    for more, outcome in [
        ((), "sent before"),
        (("--entity", "you"), "to be sent"),
        (("--entity", "me"), "sent before"),
    ]:
        assert json.loads(here(*asked, *more).stdout)["runs"][0]["outcome"] == outcome
    other = here("sync", ref, "--dry-run", "--json", "--to", "https://w.or")  # the first one's name begins so
    assert json.loads(other.stdout)["runs"][0]["outcome"] == "to be sent"
    assert "no server is named" in here("sync", ref, "--dry-run").stderr
    assert "is no address" in str(here("sync", ref, "--dry-run", "--to", "w.org").exception)
    assert "no key for https://w.org" in str(here("sync", ref, "--to", "https://w.org").exception)


@pytest.mark.parametrize("content", [None, "", "two words of some length", "short"])
def test_a_file_without_a_key_is_named(sweeper, home, tmp_path, content):
    """Before anything is asked or started."""
    file = tmp_path / "key"
    if content is not None:
        file.write_text(content)
    error = sweeper("sync", "--to", "https://wandb.acme.org", "--key-file", file).exception
    assert isinstance(error, BackendError)
    assert str(file) in error.message
    assert not (home / "server").exists()
