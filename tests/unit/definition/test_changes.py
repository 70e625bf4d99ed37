"""What another file changes of a sweep, in words, and what a started sweep cannot take."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from sweeper.definition import yaml_document
from sweeper.definition.changes import changes, refusals
from sweeper.definition.sweep_definition import SweepDefinition

FILE = {
    "method": "random",
    "metric": {"name": "loss"},
    "parameters": {
        "lr": {"distribution": "log_uniform_values", "min": 0.001, "max": 0.1},
        "size": {"values": [16, 32]},
        "opt": {"parameters": {"name": {"values": ["adam", "sgd"]}}},
        "epochs": {"value": 3},
    },
}


def define(**more):
    return SweepDefinition.model_validate({**FILE, **more})


def with_parameters(**more):
    kept = {name: form for name, form in {**FILE["parameters"], **more}.items() if form is not None}
    return define(parameters=kept)


def said(new, old=None):
    return [str(change) for change in changes(old or define(), new)]


@pytest.mark.parametrize(
    ("new", "words"),
    [
        (define(metric={"name": "loss", "goal": "minimize"}), []),  # a default that is written out
        (define(run_cap=20), ["run_cap: nothing -> 20"]),
        (define(method="bayes"), ["method: random -> bayes"]),
        (define(metric={"name": "loss", "target": 0.1}), ["metric.target: nothing -> 0.1"]),
        (with_parameters(size={"values": [32, 64]}), ["parameters.size: 16, 32 -> 32, 64 (adds 64; drops 16)"]),
        (with_parameters(size={"values": [32, 16]}), ["parameters.size: 16, 32 -> 32, 16 (another order)"]),
        (with_parameters(epochs={"values": [3, 4]}), ["parameters.epochs: 3 -> 3, 4 (adds 4)"]),
        (
            with_parameters(lr={"distribution": "log_uniform_values", "min": 0.01, "max": 0.1}),
            ["parameters.lr: log_uniform_values 0.001 to 0.1 -> log_uniform_values 0.01 to 0.1"],
        ),
        (
            define(early_terminate={"type": "hyperband", "min_iter": 3}),
            ["early_terminate: nothing -> type hyperband, min_iter 3, eta 3, strict true"],
        ),
        (define(sweeper={"repeats": 2}), ["sweeper.repeats: 1 -> 2"]),
    ],
)
def test_what_changes_is_said_old_to_new(new, words):
    """A key of which nothing changed is not named, however it is written."""
    assert said(new) == words
    assert not refusals(define(), new)


def test_a_key_of_one_of_several_metrics_is_named():
    """By its place in the list."""
    old = define(method="bayes", metric=None, metrics=[{"name": "a"}, {"name": "b"}])
    new = define(method="bayes", metric=None, metrics=[{"name": "a"}, {"name": "b", "target": 2}])
    assert said(new, old) == ["metrics.1.target: nothing -> 2"]
    assert not refusals(old, new)


@pytest.mark.parametrize(
    ("new", "path", "word"),
    [
        (define(metric={"name": "acc"}), "metric.name", "was loss, and is to be acc"),
        (define(metric={"name": "loss", "goal": "maximize"}), "metric.goal", "was minimize"),
        (define(metric=None), "metric", "was minimize loss, and is to be none"),
        (define(method="bayes", metric=None, metrics=[{"name": "loss"}, {"name": "b"}]), "metrics", "is to be"),
        (define(program="b.py"), "program", "another program's"),
        (define(command=["python", "b.py"]), "command", "another way"),
        (define(project="q"), "project", "stays in its project"),
        (with_parameters(size=None), "parameters", "`size` is missing"),
        (with_parameters(width={"values": [1, 2]}), "parameters.width", "is new"),
        (with_parameters(size={"values": ["16", "32"]}), "parameters.size", "is to be text, and was a number"),
        (with_parameters(size={"values": [16, True]}), "parameters.size", "true or false"),
        (define(sweeper={"repeats": 2, "repeat_parameter": "seed"}), "sweeper.repeat_parameter", "was nothing"),
    ],
)
def test_what_would_make_past_runs_wrong_is_refused(new, path, word):
    """Where it stands, why not, and what to do instead."""
    found = [one for one in refusals(define(), new) if ".".join(map(str, one.path)) == path]
    assert found
    assert word in found[0].message
    assert found[0].fix


def test_a_parameter_that_goes_into_a_group_is_another_one():
    """Its name in the trainer's config changes, though the dotted one is the same."""
    flat = with_parameters(**{"opt": None, "opt.name": {"values": ["adam"]}})
    paths = {refusal.path for refusal in refusals(define(), flat)}
    assert paths == {("parameters",), ("parameters", "opt.name")}


def test_a_sweep_with_a_scheduler_of_its_own_is_left_to_that():
    """It reads the file once."""
    scheduled = define(method="custom", scheduler={"engine": "optuna"})
    for old, new in ((scheduled, scheduled), (scheduled, define()), (define(), scheduled)):
        (refusal,) = refusals(old, new)
        assert "scheduler" in refusal.message


def test_a_refusal_has_its_place_in_the_file():
    """As every fault of a file has."""
    text = yaml.safe_dump({**FILE, "program": "b.py"}, sort_keys=False)
    (refusal,) = refusals(define(), SweepDefinition.from_yaml(text))
    fault = refusal.placed(yaml_document.read(text, "f"))
    assert text.splitlines()[fault.line - 1] == "program: b.py"
    assert str(refusal).startswith("program: was nothing")


VALUES = st.lists(st.one_of(st.integers(-3, 3), st.floats(0, 1, width=16)), min_size=1, max_size=4, unique_by=repr)


@given(old=VALUES, new=VALUES)
def test_numbers_may_become_any_other_numbers(old, new):
    """And what comes and goes is said exactly if anything does."""
    one, other = (with_parameters(size={"values": values}) for values in (old, new))
    assert not refusals(one, other)
    assert bool(changes(one, other)) == (
        one.space.distributions["size"].support != other.space.distributions["size"].support
    )
