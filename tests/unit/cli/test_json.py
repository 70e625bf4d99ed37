"""What the verbs print with `--json`: as docs/json.md says, for every verb there is."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.core import TyperGroup
from typer.main import get_command

from sweeper.cli import app
from sweeper.cli.output import json_text, print_json
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from tests.conftest import ROOT, clean_environ
from tests.documented_json import assert_documented, documented

WITHOUT = {"schema": "it prints a JSON Schema, and nothing else, with or without an option"}
"""Verbs that have no `--json`, and why."""
KEY = "k" * 40
SERIES = "method: bayes\nmetrics: [{name: loss, goal: minimize}, {name: lr, goal: maximize}]\n"


def leaves(group: Any, *before: str) -> dict[str, Any]:
    """Give every verb of the command line by its words."""
    found: dict[str, Any] = {}
    for name, command in group.commands.items():
        words = (*before, name)
        found |= leaves(command, *words) if isinstance(command, TyperGroup) else {" ".join(words): command}
    return found


VERBS = leaves(get_command(app))


@pytest.mark.parametrize("verb", sorted(set(VERBS) - set(WITHOUT)))
def test_every_verb_has_json_and_its_section(verb):
    """A verb that a script cannot read, or whose keys nobody has promised, is not finished."""
    options = [option for parameter in VERBS[verb].params for option in parameter.opts]
    assert "--json" in options
    assert verb in documented(), f"docs/json.md has no section for `sweeper {verb} --json`"


def test_every_section_is_a_verbs():
    """And its tables are compared with what the verb prints, in a test."""
    assert set(documented()) - {"error"} <= set(VERBS)
    assert set(WITHOUT) <= set(VERBS)
    texts = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    compared = set(re.findall(r"(?:assert_documented|told)\(\s*\"([a-z -]+)\"", texts))
    assert set(documented()) - compared == set()


def test_what_json_does_not_have_is_null(capsys):
    """A strict parser reads all of it, also the parts of a document that comes in lines."""
    assert json_text({"loss": float("nan"), "at": datetime(2026, 1, 2, tzinfo=UTC)}) == (
        '{"loss": null, "at": "2026-01-02T00:00:00+00:00"}'
    )
    print_json({"loss": float("nan"), "best": [float("inf"), 0.5]})
    assert json.loads(capsys.readouterr().out, parse_constant=pytest.fail) == {"loss": None, "best": [None, 0.5]}


@pytest.mark.parametrize("environ", [{"PYTHONIOENCODING": "latin-1"}, {"FORCE_COLOR": "1"}])
def test_json_is_json_whatever_the_stream_is(home, environ):
    """Letters that its encoding lacks are escaped as JSON does it, and a pipe gets no colours."""
    text = "größe … 😀 \udcff"
    code = "from sweeper.cli.output import print_json\nfrom sweeper.cli.streams import prepare_streams\n"
    code += f"prepare_streams()\nprint_json([{text!r}])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=clean_environ(home) | environ, capture_output=True, check=True
    )
    assert json.loads(done.stdout.decode("ascii" if "PYTHONIOENCODING" in environ else "utf-8")) == [text]


def test_files_are_checked(told, tmp_path):
    """An object for each, be it good or bad."""
    (tmp_path / "bad.yaml").write_text("method: random\nparameters: {a: {vales: [1]}}")
    good = tmp_path / "good.yaml"
    good.write_text((ROOT / "tests" / "data" / "good.yaml").read_text() + "command: [sh, -c, 'exit 0', '${args}']\n")
    assert [file["ok"] for file in told("check", good, tmp_path / "bad.yaml", code=1)] == [True, False]


def test_what_is_read_of_a_sweep(told, embedded, tmp_path):
    """Its status, the best run, the front of several metrics, the table, and what would be sent elsewhere."""
    ref, runs = embedded.sweep(0, 0, None)
    assert told("status", ref, "--importance", home=embedded.home)["state"] == "running"
    best = told("best", ref, home=embedded.home)
    assert (best["run"], best["state"], best["value"], best["download"]) == (runs[0], "finished", 0.1, None)
    several, _ = embedded.sweep(0, text=SERIES + "parameters: {lr: {values: [0.1, 0.2]}}\n")
    assert told("best", several, code=1, home=embedded.home)["front"] == []
    written = told("export", ref, "-o", tmp_path / "runs.csv", "--history", home=embedded.home)
    assert (Path(written["file"]).is_file(), written["format"], written["history"]) == (True, "csv", True)
    sent = told("sync", ref, "--dry-run", "--to", "https://w.org/", home=embedded.home)
    assert [run["outcome"] for run in sent["runs"]] == ["to be sent", "to be sent", "not ended"]


def test_a_table_without_a_file_is_the_document(here, embedded):
    """As with `--format json`; another format has to be asked for, and is no JSON."""
    ref, runs = embedded.sweep(0)
    assert here("export", ref, "--json").stdout == here("export", ref, "--format", "json").stdout
    assert [row["run"] for row in json.loads(here("export", ref, "--json").stdout)] == runs


def test_what_is_done_to_a_sweep(told, embedded):
    """The state in which it is then, in lower case, and whether anything was changed."""
    ref, (failed, running) = embedded.sweep(1, None)

    def after(verb: str) -> tuple[str, bool]:
        document = told(verb, ref, home=embedded.home)
        return document["state"], document["changed"]

    assert told("pause", ref, home=embedded.home) == {"sweep": ref.path, "state": "paused", "changed": True}
    assert after("pause") == ("paused", False)
    assert told("resume", ref, home=embedded.home)["state"] == "running"
    named = told("stop", ref, "--run", failed, "--run", running, home=embedded.home)
    assert [(run["state"], run["stopping"]) for run in named["runs"]] == [("failed", False), ("running", True)]
    assert after("stop") == ("finished", True)
    other, _ = embedded.sweep(0)
    assert told("cancel", other, home=embedded.home)["state"] == "canceled"


def test_what_waits_once_more(told, embedded):
    """And why the rest does not: then not all is well."""
    ref, (finished, failed) = embedded.sweep(0, 1)
    document = told("retry", ref, finished, failed, code=1, home=embedded.home)
    assert (document["waiting"], list(document["refused"])) == ([failed], [finished])


def test_a_log_is_text_in_a_document(told, home, tmp_path):
    """Whole, also if it is followed to its end; without what a terminal obeys, or with it."""
    launch = SweepDir.of(home, SweepRef("local", "p", "s")).new_launch()
    log = tmp_path / "a.log"
    log.write_text("\x1b[32mloss\x1b[0m 0.5\nend")
    launch.append(Attempt(run_id="r1", slot="gpu0", log=str(log), outcome=AttemptOutcome.FINISHED))
    assert told("logs", "r1") == {"log": str(log), "ended": True, "text": "loss 0.5\nend"}
    assert told("logs", "-f", "gpu0", "--raw")["text"] == "\x1b[32mloss\x1b[0m 0.5\nend"


def test_the_machine_is_looked_at(told, embedded):
    """Each finding is an object; how serious they are is the exit code's."""
    found = told("doctor", home=embedded.home)
    assert {finding["verdict"] for finding in found} <= {"ok", "warn"}


def test_a_server_of_others_data_is_told_of(told, embedded, tmp_path):
    """Where it is, what is in it, its backup, and that backup put into place."""
    home = embedded.home
    status = told("server status", home=home)
    assert (status["running"], status["url"], status["pid"]) == (True, embedded.url, embedded.pid)
    assert told("server url", home=home)["url"].startswith(embedded.url)
    backup = told("server backup", tmp_path / "all.tar.gz", home=home)
    assert (backup["bytes"] > 0, backup["missing"]) == (True, [])
    assert told("server restore", backup["file"], "--data", tmp_path / "new")["before"] is None
    again = told("server restore", backup["file"], "--data", tmp_path / "new", "--force")
    assert Path(again["before"]).is_dir()
    assert "fail" not in {finding["verdict"] for finding in told("server check", home=home)}


def test_users_and_their_keys(told, tmp_path):
    """A key is in the document that makes it, and in no other."""
    data = ("--data", tmp_path / "data")
    assert told("server add-user", "alice", "--key", "-", *data, text=KEY) == {"name": "alice", "key": KEY}
    assert told("server rotate-key", "alice", *data)["key"] != KEY
    assert {"name": "alice", "keys": 1, "sessions": 0} in told("server users", *data)
    assert told("server remove-user", "alice", *data) == {"name": "alice"}


def test_a_server_says_when_it_listens_and_is_stopped(told, home):
    """One document, at once, although it goes on; what is not there has no address."""
    command = [sys.executable, "-m", "sweeper", "serve", "--json", "--data", str(home / "server")]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    with subprocess.Popen(command, env=clean_environ(home), **pipes) as process:
        lines = list(iter(process.stdout.readline, "}\n"))
        served = json.loads("".join([*lines, "}"]))
        assert_documented("serve", served)
        assert told("server status")["url"] == served["url"]
        assert told("server stop") == {"stopped": True, "url": served["url"], "pid": process.pid}
        assert process.wait(timeout=10) == 0
        assert process.stdout.read() == ""
    assert told("server status", code=1)["running"] is False
    assert told("server stop") == {"stopped": False, "url": None, "pid": None}
