"""All about one run."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from sweeper.backend.run_facts import RunFacts
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import ResultError
from sweeper.journal.attempt import Attempt, AttemptOutcome
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.results.one_run import chosen_keys, gather, run_again
from sweeper.results.status import RunCounts, RunStatus, SweepFacts, SweepStatus
from sweeper.run import RunState, SweepState

REF = SweepRef("e", "p", "s")
FACTS = RunFacts(
    name="run-1",
    sweep="s",
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    heard_at=None,
    host="box",
    user="ann",
    config={"lr": 0.1, "opt": "adam", "data": {"path": "/x"}},
    summary={"acc": 0.9, "_wandb": {}, "_sweeper": {"suggestion": {"engine": "bayes/1", "runs": 3, "seed": 7}}},
    logged=dict.fromkeys(["loss", "epoch", "acc", "a", "b", "c"], "number") | {"note": "text"},
    files=(("m.onnx", 5),),
)


def run(id_, **params):
    return RunStatus(
        id=id_,
        name="run-1",
        state=RunState.FAILED,
        params=params,
        best=0.9,
        last=0.8,
        duration_s=3.0,
        slot="gpu0",
        reason="exit code 1",
        log="/log",
    )


RUNS = (run("r1", opt="adam", lr=0.1), run("r2", opt="adam", lr=0.2))
STATUS = SweepStatus(
    facts=SweepFacts(
        sweep="e/p/s",
        name="try",
        url="http://h/e/p/sweeps/s",
        state=SweepState.RUNNING,
        method="random",
        metric="acc",
        goal="maximize",
    ),
    progress=RunCounts(done=2, total=None, counts={}, elapsed_s=None),
    runs=RUNS,
)


class Reader:
    """A server that knows one run."""

    def facts(self, ref):
        """Tell of it."""
        assert ref.path == "e/p/r1"
        return FACTS

    def curves(self, _ref, keys, points, _facts):
        """Give a point of each curve."""
        return dict.fromkeys(keys, ((points, 1.0),))


def gathered(tmp_path, **more):
    return gather(
        REF, RUNS[0], STATUS, reader=Reader(), directory=SweepDir(tmp_path), definition=None, points=9, **more
    )


def test_what_varies_comes_first(tmp_path):
    """And the config's rest is what the sweep did not vary; W&B's own words are left out of the summary."""
    one = gathered(tmp_path)
    assert list(one.params) == ["lr", "opt"]
    assert one.other_config == {"data.path": "/x"}
    assert one.summary == {"acc": 0.9}
    assert one.suggestion["engine"] == "bayes/1"
    assert one.page == "http://h/e/p/runs/r1"


def test_the_metrics_curve_comes_first():
    """Then what else was logged, but what only counts; some of all of them."""
    assert chosen_keys(FACTS, ["acc"]) == ("acc", "loss", "a", "b")
    assert chosen_keys(FACTS, ["acc.max"]) == ("acc", "loss", "a", "b")
    assert chosen_keys(FACTS, [""]) == ("loss", "acc", "a", "b")


def test_a_key_can_be_chosen(tmp_path):
    """One that it did not log as a number names the nearest; all of them are not too many for who asks."""
    assert list(gathered(tmp_path, keys=["epoch"]).curves) == ["epoch"]
    assert len(gathered(tmp_path, everything=True).curves) == 6
    with pytest.raises(ResultError, match="--key los: run r1 logged no los") as raised:
        gathered(tmp_path, keys=["los"])
    assert raised.value.hint == "did you mean loss? it logged: loss, epoch, acc, a, b, c"
    with pytest.raises(ResultError, match="logged text as note"):
        gathered(tmp_path, keys=["note"])


def test_attempts_are_told_with_their_ends(tmp_path):
    """The last word on each; those of other runs are theirs."""
    launch = SweepDir(tmp_path).new_launch()
    first = Attempt(run_id="r1", slot="gpu0", log="1.log")
    launch.append(first)
    launch.append(first.ended(AttemptOutcome.DIED))
    launch.append(Attempt(run_id="r2", slot="gpu0", log="2.log"))
    launch.append(Attempt(run_id="r1", slot="gpu0", log="3.log", attempt=2))
    told = json.loads(json.dumps(gathered(tmp_path).to_json()))
    assert [(one["log"], one["outcome"]) for one in told["attempts"]] == [("1.log", "died"), ("3.log", None)]
    assert (told["host"], told["varying"], told["files"]) == ("box", ["lr"], [{"name": "m.onnx", "size_bytes": 5}])
    assert told["curves"]["acc"] == [[9, 1.0]]


@pytest.mark.parametrize(
    ("program", "begins"),
    [
        ("my train.py", "python 'my train.py' --lr=0.1 --opt=adam"),
        ("my.module:train", "cat <<'END' >again-r1.yaml\nname: again r1\nmethod: grid\nprogram: my.module:train\n"),
    ],
)
def test_what_runs_it_again_is_told(program, begins):
    """A script's command line; of a function, the sweep of one configuration."""
    text = f"method: grid\nprogram: {program}\nparameters: {{lr: {{value: 0.1}}, opt: {{values: [adam, sgd]}}}}"
    told = run_again(SweepDefinition.from_yaml(text, by_hand=False), FACTS.config, "r1")
    assert told.startswith(begins)
    assert "sgd" not in told
