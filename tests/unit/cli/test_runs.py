"""`sweeper runs` against a real server."""

from __future__ import annotations

import csv
import io
import json

TEXT = """
method: grid
metric: {name: loss}
parameters: {lr: {values: [0.4, 0.1, 0.3, 0.2]}, fixed: {value: 7}}
"""


def ids(done):
    assert done.exit_code == 0, done.exception
    return [run["id"] for run in json.loads(done.stdout)["runs"]]


def test_runs_are_sorted_and_filtered(here, told, embedded):
    """By the metric with the best first, by anything else upwards, and the other way round."""
    ref, runs = embedded.sweep(0, 0, 1, None, text=TEXT)
    a, b, c, d = runs

    def asked(*words):
        return ids(here("runs", ref, "--json", *words))

    assert asked() == runs
    assert asked("--sort", "loss") == [b, d, c, a]
    assert asked("--sort", "-lr") == [a, c, d, b]
    assert asked("--filter", "loss<0.35 state!=failed") == [b, d]
    assert asked("-f", "state=finished", "-f", "lr=0.4") == [a]
    assert asked("--top", 3) == [b, d, a]  # the failed one is none of the best
    assert asked("--top", 1, "--sort", "-loss") == [a]
    assert asked("--filter", "fixed=8") == []
    found = told(
        "runs", ref, "-f", "lr>0.1 state!=failed", "--top", 1, "--columns", "fixed,created", home=embedded.home
    )
    assert (found["total"], found["matching"], found["metric"], found["goal"]) == (4, 2, "loss", "minimize")
    assert list(found["runs"][0]["columns"]) == ["fixed", "created_at"]
    assert found["runs"][0]["state"] == "running"


def test_what_is_no_number_is_null_in_json(told, embedded):
    """A NaN that somebody has logged or given."""
    ref, (id_,) = embedded.sweep(0)
    query = """mutation($n: String, $s: String) {
        upsertBucket(input: {name: $n, modelName: "p", summaryMetrics: $s}) { inserted } }"""
    embedded.wire.graphql(query, n=id_, s='{"x": NaN}')
    (run,) = told("runs", ref, "--columns", "x", home=embedded.home)["runs"]
    assert run["columns"] == {"x": None}


def test_csv_is_the_tables_own(here, embedded):
    """Every run has each column; the columns that were asked for, in that order."""
    ref, runs = embedded.sweep(0, 1, text=TEXT)
    rows = list(csv.DictReader(io.StringIO(here("runs", ref, "--csv").stdout)))
    assert [(row["id"], row["state"], row["best"], row["lr"]) for row in rows] == [
        (runs[0], "finished", "0.4", "0.4"),
        (runs[1], "failed", "0.1", "0.1"),
    ]
    assert here("runs", ref, "--csv", "--columns", "lr,id", "-f", "lr=0.1").stdout == f"lr,id\n0.1,{runs[1]}\n"
    assert here("runs", ref, "--csv", "-f", "lr=5", "--columns", "id").stdout == "id\n"


def test_the_table_has_a_line_a_run(here, embedded):
    """Within 80 columns; how many there are, and what to ask next, below it."""
    ref, runs = embedded.sweep(0, 0, None, text=TEXT)
    lines = here("runs", ref).stdout.splitlines()
    assert lines[0].split() == ["run", "lr", "best", "last", "state", "time"]
    assert [line.split()[0] for line in lines[1:4]] == runs
    assert lines[4] == "3 runs, best minimize loss"
    assert lines[5] == f"next: sweeper show {runs[0]} --sweep {ref}"
    assert max(map(len, lines)) <= 80
    lines = here("runs", ref, "-f", "lr<0.35", "--top", 1).stdout.splitlines()
    assert lines[2] == "1 of 3 runs, 2 match, best minimize loss"
    assert here("runs", ref, "-f", "lr=9").stdout.splitlines() == ["0 of 3 runs, best minimize loss"]


def test_a_sweep_without_runs_says_so(here, embedded):
    """And what gives some."""
    ref, _ = embedded.sweep()
    assert here("runs", ref).stdout.splitlines() == ["no run yet", f"next: sweeper launch {ref}"]


def test_what_is_wrong_is_told_with_its_place(here, embedded):
    """A filter before any server is asked; a name that is none with what there is."""
    ref, _ = embedded.sweep(0)
    done = here("runs", "no/such/sweep", "--filter", "loss=>1")
    assert done.exception.message.endswith("\n    loss=>1\n        ^")
    assert done.stderr == ""  # no server was named yet
    done = here("runs", ref, "--filter", "los>1")
    assert done.exception.message.endswith("\n    los>1\n    ^")
    assert done.exception.hint.startswith("did you mean loss? There are: loss, lr")
    for option in ("--sort", "--columns"):
        assert here("runs", ref, option, "nothing").exception.message == f"{option}: no run has a column 'nothing'"
    assert "exclude each other" in here("runs", ref, "--csv", "--json").exception.message
    assert here("runs", ref, "--top", 0).exit_code == 2
