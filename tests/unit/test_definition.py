"""Sweep files: what loads, and what an error says."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from sweeper.definition import SweepDefinition
from sweeper.errors import DefinitionError

SWEEPS = sorted((Path(__file__).parents[2] / "sweeps").glob("*.yaml"))
GOOD = """\
method: bayes
metric: {name: accuracy, goal: maximize}
run_cap: 20
parameters:
  lr: {distribution: log_uniform_values, min: 0.0001, max: 0.1}
  batch: {values: [32, 64]}
  epochs: {min: 1, max: 5}
  opt:
    parameters:
      name: {values: [adam, sgd], probabilities: [0.25, 0.75]}
  dataset: {value: digits}
early_terminate: {type: hyperband, min_iter: 2}
"""


@pytest.mark.parametrize("file", SWEEPS, ids=lambda file: file.name)
def test_every_shipped_sweep_loads(file):
    """The files in sweeps/ are valid, and say in three lines what they do, cost and how to run."""
    definition = SweepDefinition.from_file(file)
    head = file.read_text().splitlines()[:3]
    assert definition.metric is not None
    assert all(line.startswith("# ") for line in head)
    assert f"sweeper create sweeps/{file.name}" in "".join(head)


def test_the_shipped_sweeps_are_the_promised_five():
    """quickstart, random, grid, bayes and hyperband."""
    assert {file.stem for file in SWEEPS} == {"quickstart", "random", "grid", "bayes", "hyperband"}


def test_yaml_to_model_to_yaml_is_the_identity():
    """What the file said is what the server gets, and reads as the same definition."""
    definition = SweepDefinition.from_yaml(GOOD)
    written = definition.to_dict()
    assert written == {
        **yaml.safe_load(GOOD),
        "early_terminate": {"type": "hyperband", "min_iter": 2, "strict": True},
    }
    assert SweepDefinition.model_validate(written) == SweepDefinition.from_yaml(yaml.safe_dump(written))


def test_bounds_imply_their_law_as_in_wandb():
    """Whole bounds make an integer, real bounds a real number."""
    text = "method: random\nparameters: {n: {min: 1, max: 3}, x: {min: 1.0, max: 3.0}}"
    laws = SweepDefinition.from_yaml(text).space.laws
    assert isinstance(laws["n"].ppf(0.5), int)
    assert isinstance(laws["x"].ppf(0.5), float)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("method: grid\nparameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}}", 6),
        ("method: grid\nrun_cap: 4\nparameters: {a: {values: [1, 2, 3]}, b: {values: [x, y]}}", 4),
        ("method: random\nparameters: {a: {min: 0.0, max: 1.0}}", None),
        ("method: random\nrun_cap: 7\nparameters: {a: {min: 0.0, max: 1.0}}", 7),
        ("method: grid\nparameters: {g: {parameters: {a: {values: [1, 2]}, b: {min: 1, max: 3}}}}", 6),
    ],
)
def test_the_number_of_runs_is_known_before_the_first(text, expected):
    """It is the grid's size over nested parameters too, or run_cap, whichever is smaller."""
    assert SweepDefinition.from_yaml(text).expected_runs == expected


BASE = "method: random\nparameters:\n  lr: {min: 0.1, max: 0.2}\n"
FAULTS = {
    "typo in a method": ("method: bayess\nparameters: {a: {value: 1}}", 1, "method", "did you mean `bayes`?"),
    "typo at the top": (BASE + "run_capp: 3", 4, "run_capp", "did you mean `run_cap`?"),
    "typo in a parameter": (
        "method: random\nparameters:\n  lr: {vales: [1]}",
        3,
        "parameters.lr.vales",
        "did you mean `values`?",
    ),
    "typo beside a value": ("method: random\nparameters:\n  k: {value: 1, foo: 2}", 3, "parameters.k.foo", "value"),
    "typo in a distribution": (
        "method: random\nparameters:\n  u: {distribution: unifrm, min: 1, max: 2}",
        3,
        "parameters.u.distribution",
        "did you mean `uniform`?",
    ),
    "a bare number": ("method: random\nparameters:\n  x: 3", 3, "parameters.x", "write {value: 3}"),
    "a bare list": ("method: random\nparameters:\n  x: [1, 2]", 3, "parameters.x", "write {values: [1, 2]}"),
    "1e-5 is text": ("method: random\nparameters:\n  w: {min: 1e-5, max: 0.1}", 3, "parameters.w.min", "1.0e-05"),
    "mixed bounds": ("method: random\nparameters:\n  z: {min: 1, max: 10.0}", 3, "parameters.z.min", "distribution:"),
    "min above max": ("method: random\nparameters:\n  m: {min: 5, max: 2}", 3, "parameters.m.min", "swap them"),
    "a group without parameters": (
        "method: random\nparameters:\n  g: {lr: {value: 3}}",
        3,
        "parameters.g",
        "put lr under `parameters:`",
    ),
    "half a range": ("method: random\nparameters:\n  c: {min: 1}", 3, "parameters.c", "`max`"),
    "probabilities": (
        "method: random\nparameters:\n  a: {values: [1, 2], probabilities: [0.5, 0.6]}",
        3,
        "parameters.a.probabilities",
        "sum to 1",
    ),
    "q too large": (
        "method: random\nparameters:\n  a: {distribution: q_uniform, min: 1, max: 3, q: 5}",
        3,
        "parameters.a.q",
        "smaller q",
    ),
    "a name with a leading digit": ("method: random\nparameters:\n  1a: {value: 3}", 3, "parameters.1a", "letter"),
    "goal": (BASE + "metric: {name: acc, goal: maximise}", 4, "metric.goal", "did you mean `maximize`?"),
    "metric without a name": (BASE + "metric: {goal: maximize}", 4, "metric", "`name`"),
    "run_cap 0": (BASE + "run_cap: 0", 4, "run_cap", "greater than or equal to 1"),
    "grid over a continuum": (
        "method: grid\nparameters:\n  g:\n    parameters:\n      lr: {min: 0.1, max: 0.2}",
        5,
        "parameters.g.parameters.lr",
        "`values:`",
    ),
    "bayes without a metric": ("method: bayes\nparameters: {a: {min: 1, max: 3}}", 1, "method", "add `metric:"),
    "bayes with constants only": (
        "method: bayes\nmetric: {name: a}\nparameters:\n  a: {value: 1}",
        3,
        "parameters",
        "vary one",
    ),
    "hyperband without a metric": (
        BASE + "early_terminate: {type: hyperband, min_iter: 3}",
        4,
        "early_terminate",
        "metric",
    ),
    "hyperband without rungs": (
        BASE + "metric: {name: a}\nearly_terminate: {type: hyperband, max_iter: 2, s: 3}",
        5,
        "early_terminate.max_iter",
        "at least 3",
    ),
    "hyperband alone": (
        BASE + "metric: {name: a}\nearly_terminate: {type: hyperband}",
        5,
        "early_terminate",
        "min_iter",
    ),
    "a key twice": ("method: random\nmethod: grid\nparameters: {a: {value: 1}}", 2, "method", "keep one"),
    "an empty file": ("", 1, "the file is empty", "start with"),
    "a list": ("- method", 1, "a list stands", "start with"),
    "a tab": ("method: random\n\tparameters: 3", 2, "not YAML", "indent with spaces"),
    "an open bracket": ("method: random\nparameters: [", 2, "not YAML", ""),
}


@pytest.mark.parametrize(("text", "line", "key", "fix"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_file_line_key_and_fix(text, line, key, fix):
    """The first line is `file:line:column: key: what`, the next says what to write."""
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(text, "my.yaml")
    place, _, rest = caught.value.message.partition(" ")
    assert place.startswith(f"my.yaml:{line}:")
    assert key in rest.splitlines()[0]
    assert fix in rest


def test_all_faults_are_reported_at_once_in_the_order_of_the_file():
    """A file with three faults needs one look, not three."""
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml("method: foo\nparameters:\n  a: 3\n  b: {min: 2, max: 1}\n", "f")
    assert [line[:4] for line in caught.value.message.splitlines() if line.startswith("f:")] == ["f:1:", "f:3:", "f:4:"]


@pytest.mark.parametrize("value", ["yes", None, 3.5, [], {}, {"a": {}}, {"a": {"values": []}}, {1: {"value": 2}}])
def test_nonsense_parameters_are_refused_without_a_crash(value):
    """Whatever stands there, the answer is a DefinitionError or a ValidationError."""
    data = {"method": "random", "parameters": value}
    with pytest.raises(ValidationError):
        SweepDefinition.model_validate(data)
    with pytest.raises(DefinitionError):
        SweepDefinition.from_yaml(yaml.safe_dump(data))


@pytest.mark.parametrize(("name", "content"), [("missing.yaml", None), ("binary.yaml", b"\xff\xfe\x00")])
def test_an_unreadable_file_is_one_clear_error(tmp_path, name, content):
    """A missing file or one that is no text is named, with what to do."""
    file = tmp_path / name
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(DefinitionError, match=name) as caught:
        SweepDefinition.from_file(file)
    assert caught.value.hint


LAUGHS = "a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize("text", [LAUGHS, "method: random\nparameters: &a\n  x: *a\n"], ids=["billion", "itself"])
def test_aliases_that_unfold_without_end_are_refused(text):
    """A few lines that stand for millions of values are an error, at once."""
    with pytest.raises(DefinitionError, match="unfolds"):
        SweepDefinition.from_yaml(text)


def test_ordinary_aliases_are_fine():
    """An anchor used twice is how people avoid writing things twice."""
    text = "method: grid\nparameters:\n  a: &two {values: [1, 2]}\n  b: *two\n"
    assert SweepDefinition.from_yaml(text).expected_runs == 4


def test_a_huge_file_is_refused():
    """A megabyte of YAML is no sweep."""
    with pytest.raises(DefinitionError, match="characters"):
        SweepDefinition.from_yaml("# " + "x" * 1_000_001)
