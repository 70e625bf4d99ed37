"""`sweeper edit` of real sweeps, with agents at work."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
import threading
from collections import Counter

import pytest

from sweeper.errors import DefinitionError, LaunchError, SweeperError
from tests.conftest import clean_environ
from tests.documented_json import assert_documented
from tests.unit.conftest import GRID

WIDER = GRID.replace("0.4]", "0.4, 0.5, 0.6]")


@pytest.fixture
def file(tmp_path):
    def write(text):
        place = tmp_path / "sweep.yaml"
        place.write_text(text)
        return place

    return write


def told(done):
    assert done.exit_code == 0, done.exception
    found = json.loads(done.stdout)
    assert_documented("edit", found)
    return found


def state(here, ref):
    return json.loads(here("status", ref, "--json").stdout)["state"].lower()


def drained(embedded, sweep):
    """What an agent is given until it is sent home, each run ended at once."""
    found, agent = [], embedded.wire.agent(sweep)
    while (command := embedded.wire.beat(agent)).get("type") == "run":
        found.append(command["args"]["lr"]["value"])
        embedded.wire.init(command["run_id"], sweep)
        embedded.wire.stream(command["run_id"], complete=True, exitcode=0)
    return found


def test_a_sweep_that_has_started_gets_another_file(here, embedded, file):
    """What changes is said in words, what is new is run, and what was dropped is not."""
    ref, _ = embedded.sweep(0, 0)
    narrower = file(GRID.replace("0.1, 0.2, 0.3, 0.4", "0.2, 0.3, 0.7").replace("loss}", "loss, target: 0.01}"))
    done = here("edit", ref, narrower, "--yes")
    assert done.stdout.splitlines() == [
        "parameters.lr: 0.1, 0.2, 0.3, 0.4 -> 0.2, 0.3, 0.7 (adds 0.7; drops 0.1, 0.4)",
        "metric.target: nothing -> 0.01",
        "1 of 2 runs had a configuration that the file does not ask for: kept as history",
        "2 runs to come, 4 in all",
        f"sweep {ref} has its new file, and is running",
        f"next: sweeper launch {ref}",
    ], done.exception
    assert drained(embedded, ref.sweep_id) == [0.3, 0.7]
    assert state(here, ref) == "finished"
    again = here("edit", ref, narrower, "--yes")
    assert again.stdout == f"nothing changes: sweep {ref} has this file\n"


def test_a_finished_sweep_goes_on(here, embedded, file):
    """With `--json` for scripts, the same keys whether it was done or only asked."""
    ref, _ = embedded.sweep(0, 0, 0, 0)
    assert drained(embedded, ref.sweep_id) == []
    asked = told(here("edit", ref, file(WIDER), "--dry-run", "--json"))
    assert (asked["applied"], asked["state"], asked["runs"], asked["expected_runs"]) == (False, "running", 4, 6)
    assert state(here, ref) == "finished"
    made = told(here("edit", ref, file(WIDER), "--yes", "--json"))
    assert made == asked | {"applied": True}
    assert made["changes"] == [
        {
            "key": "parameters.lr",
            "old": "0.1, 0.2, 0.3, 0.4",
            "new": "0.1, 0.2, 0.3, 0.4, 0.5, 0.6",
            "note": "adds 0.5, 0.6",
        }
    ]
    assert drained(embedded, ref.sweep_id) == [0.5, 0.6]


def test_a_run_under_way_is_not_orphaned(here, embedded, file):
    """The place in the file, the run, and what to do; nothing is half done."""
    ref, (run,) = embedded.sweep(None)
    for more in (["--yes"], ["--dry-run"]):
        error = here("edit", ref, file(WIDER.replace("0.1, ", "")), *more).exception
        assert isinstance(error, DefinitionError)
        assert "sweep.yaml:4:14: parameters.lr: drops what 1 run under way has: " + f"{run} (0.1)" in error.message
        assert f"sweeper stop {ref} --run {run}" in error.message
    assert here("edit", ref, file(GRID), "--yes").stdout.startswith("nothing changes")


def test_what_would_make_past_runs_wrong_is_refused_with_its_place(here, embedded, file):
    """Every fault at once."""
    ref, _ = embedded.sweep(0)
    wrong = "method: grid\nmetric: {name: acc, goal: maximize}\nprogram: a.py\nparameters: {rate: {values: [1]}}\n"
    error = here("edit", ref, file(wrong), "--yes").exception
    assert isinstance(error, DefinitionError)
    assert [(fault.line, ".".join(map(str, fault.path))) for fault in error.faults] == [
        (2, "metric.name"),
        (2, "metric.goal"),
        (3, "program"),
        (4, "parameters"),
        (4, "parameters.rate"),
    ]
    assert here("edit", ref, file(GRID), "--yes").stdout.startswith("nothing changes")


def test_nobody_is_asked_where_there_is_no_terminal(here, embedded, file):
    """The changes are said, and how to make them; a file with faults is refused before any server is asked."""
    ref, _ = embedded.sweep(0)
    done = here("edit", ref, file(WIDER))
    assert isinstance(done.exception, SweeperError)
    assert "--yes" in done.exception.hint
    assert "adds 0.5, 0.6" in done.stdout
    assert isinstance(here("edit", ref, file("method: gird")).exception, DefinitionError)
    assert here("edit", "a", "b", "c").exit_code == 2
    here("cancel", ref)
    assert isinstance(here("edit", ref, file(WIDER), "--yes").exception, LaunchError)


@pytest.mark.parametrize(("answer", "code"), [("y", 0), ("n", 1)])
def test_a_person_is_asked(embedded, file, answer, code):
    """At a terminal, after all has been said; whoever says no has changed nothing."""
    ref, _ = embedded.sweep(0)
    mine, theirs = pty.openpty()
    command = [sys.executable, "-m", "sweeper", "edit", ref.path, str(file(WIDER))]
    with subprocess.Popen(
        command,
        env=clean_environ(embedded.home),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        os.write(mine, f"{answer}\n".encode())
        out, err = process.communicate(timeout=60)
    os.close(mine)
    os.close(theirs)
    assert (process.returncode, f"Change sweep {ref}? [y/N]" in err) == (code, True), err
    assert ("has its new file" if answer == "y" else "is as it was") in out


def test_agents_at_work_over_the_wire_while_the_file_changes(here, embedded, file):
    """Six agents take and end runs while the file is given other values, again and again: each runs once."""
    first = "method: grid\nparameters: {lr: {values: [%s]}}\n"
    ref, _ = embedded.sweep(text=first % ", ".join(map(str, range(12))))
    found: list[int] = []
    stop = threading.Event()

    def work():
        agent = embedded.wire.agent(ref.sweep_id)
        while not stop.is_set():
            command = embedded.wire.beat(agent)
            if command.get("type") != "run":
                stop.wait(0.05)
                continue
            found.append(command["args"]["lr"]["value"])
            embedded.wire.init(command["run_id"], ref.sweep_id)
            embedded.wire.stream(command["run_id"], complete=True, exitcode=0)

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    wanted: set[int] = set(range(12))
    for low in (3, 6, 0, 9):
        values = set(range(low, low + 30))
        while True:
            done = here("edit", ref, file(first % ", ".join(map(str, values))), "--yes")
            if done.exit_code == 0:
                break
            assert "under way" in done.exception.message
        wanted = values
    stop.set()
    for thread in threads:
        thread.join()
    found += drained(embedded, ref.sweep_id)
    assert max(Counter(found).values()) == 1
    assert wanted <= set(found)
    assert state(here, ref) == "finished"
