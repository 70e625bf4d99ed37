"""Sweep files with faults: each has its place and its fix, and all of them come at once."""

from __future__ import annotations

import json

import pytest
import yaml
from pydantic import ValidationError

from sweeper.definition import placed_faults, yaml_document
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError

TOP = "method: random\nparameters:\n  lr: {min: 0.1, max: 0.2}\n"
METRIC = TOP + "metric: {name: a}\n"
FAULTS = {
    "a typo in a method": ("method: bayess\nparameters: {a: {value: 1}}", 1, "method", "did you mean `bayes`?"),
    "a method in capitals": ("method: GRID\nparameters: {a: {value: 1}}", 1, "method", "did you mean `grid`?"),
    "no method": ("parameters: {a: {value: 1}}", 1, "", "add `method:`"),
    "no parameters": ("method: random", 1, "", "add `parameters:`"),
    "parameters as a list": ("method: random\nparameters: [a]", 2, "parameters", "indent"),
    "parameters without any": ("method: random\nparameters: {}", 2, "parameters", "1 or more"),
    "a key without a value": ("method: random\nparameters:", 2, "parameters", "give it a value"),
    "a typo at the top": (TOP + "run_capp: 3", 4, "run_capp", "did you mean `run_cap`?"),
    "a number as a key": (TOP + "3: 4", 4, "3", "choose from method"),
    "a name with a leading digit": ("method: random\nparameters:\n  1a: {value: 3}", 3, "parameters.1a", "letter"),
    "a name with a slash": ("method: random\nparameters:\n  a/b: {value: 3}", 3, "parameters.a/b", "letter"),
    "a name in Greek": ("method: random\nparameters:\n  \u03bb: {value: 3}", 3, "parameters.\u03bb", "letter"),
    "two ways to one name": (
        "method: random\nparameters:\n  g: {parameters: {a: {value: 1}}}\n  g.a: {value: 2}",
        4,
        "parameters.g.a",
        "rename",
    ),
    "a goal in other words": (
        TOP + "metric: {name: acc, goal: maximise}",
        4,
        "metric.goal",
        "did you mean `maximize`?",
    ),
    "a goal cut short": (TOP + "metric: {name: acc, goal: max}", 4, "metric.goal", "minimize, maximize"),
    "a metric without a name": (TOP + "metric: {goal: maximize}", 4, "metric", "add `name:`"),
    "a metric with an empty name": (TOP + "metric: {name: ''}", 4, "metric.name", "1 or more"),
    "a metric that is a word": (TOP + "metric: acc", 4, "metric", "indent"),
    "a metric named by a number": (TOP + "metric: {name: 3}", 4, "metric.name", "in quotes"),
    "a target as text": (TOP + "metric: {name: a, target: 1e-3}", 4, "metric.target", "write 0.001"),
    "an infinite target": (TOP + "metric: {name: a, target: .inf}", 4, "metric.target", "finite"),
    "an unknown impute": (TOP + "metric: {name: a, impute: mean}", 4, "metric.impute", "worst, best, latest"),
    "a truth for a word": (
        TOP + "metric: {name: a, impute_while_running: false}",
        4,
        "metric.impute_while_running",
        'quotes: "false"',
    ),
    "run_cap 0": (TOP + "run_cap: 0", 4, "run_cap", "at least 1"),
    "half a run": (TOP + "run_cap: 1.5", 4, "run_cap", "write 2"),
    "run_cap in quotes": (TOP + "run_cap: '3'", 4, "run_cap", "write 3"),
    "run_cap true": (TOP + "run_cap: true", 4, "run_cap", "write a number"),
    "run_cap of 65 bits": (TOP + "run_cap: 99999999999999999999", 4, "run_cap", "with a point"),
    "a name that is a number": (TOP + "name: 3", 4, "name", "in quotes"),
    "a description that is a date": (TOP + "description: 2024-01-01", 4, "description", "quotes"),
    "a project that is a list": (TOP + "project: [a]", 4, "project", "text"),
    "a grid over a continuum": (
        "method: grid\nparameters:\n  g:\n    parameters:\n      lr: {min: 0.1, max: 0.2}",
        5,
        "parameters.g.parameters.lr",
        "`values:`",
    ),
    "a grid with probabilities": (
        "method: grid\nparameters:\n  a: {values: [1, 2], probabilities: [0.5, 0.5]}",
        3,
        "parameters.a",
        "leave them out",
    ),
    "bayes without a metric": ("method: bayes\nparameters: {a: {min: 1, max: 3}}", 1, "method", "add `metric:"),
    "bayes with constants alone": (
        "method: bayes\nmetric: {name: a}\nparameters:\n  a: {value: 1}\n  b: {values: [2]}",
        3,
        "parameters",
        "vary one",
    ),
    "hyperband without a metric": (
        TOP + "early_terminate: {type: hyperband, min_iter: 3}",
        4,
        "early_terminate",
        "metric",
    ),
    "hyperband in other words": (METRIC + "early_terminate: {type: asha}", 5, "early_terminate.type", "hyperband"),
    "asha in other words": (METRIC + "sweeper: {early_terminate: {type: ash}}", 5, "sweeper.early_terminate", "asha"),
    "asha without a type": (METRIC + "sweeper: {early_terminate: {eta: 3}}", 5, "sweeper.early_terminate", "`type:`"),
    "asha as a word": (METRIC + "sweeper: {early_terminate: asha}", 5, "sweeper.early_terminate", "indent"),
    "asha without a metric": (
        TOP + "sweeper: {early_terminate: {type: asha, min_iter: 1}}",
        4,
        "sweeper.early_terminate",
        "metric",
    ),
    "asha without rungs": (
        METRIC + "sweeper: {early_terminate: {type: asha, min_iter: 9, max_iter: 9}}",
        5,
        "sweeper.early_terminate.max_iter",
        "more than 9",
    ),
    "asha beside hyperband": (
        METRIC
        + "early_terminate: {type: hyperband, min_iter: 1}\nsweeper: {early_terminate: {type: asha, min_iter: 1}}",
        6,
        "sweeper.early_terminate",
        "leave one out",
    ),
    "median with a wrong percentile": (
        METRIC + "sweeper: {early_terminate: {type: median, percentile: 100}}",
        5,
        "sweeper.early_terminate.percentile",
        "33",
    ),
    "hyperband without a type": (METRIC + "early_terminate: {min_iter: 3}", 5, "early_terminate", "add `type:`"),
    "hyperband as a word": (METRIC + "early_terminate: hyperband", 5, "early_terminate", "indent"),
    "hyperband alone": (METRIC + "early_terminate: {type: hyperband}", 5, "early_terminate", "min_iter: 3"),
    "hyperband without rungs": (
        METRIC + "early_terminate: {type: hyperband, max_iter: 2, s: 3}",
        5,
        "early_terminate.max_iter",
        "at least 3",
    ),
    "hyperband without s": (
        METRIC + "early_terminate: {type: hyperband, max_iter: 27}",
        5,
        "early_terminate.max_iter",
        "add `s: 2`",
    ),
    "hyperband with half a rung": (
        METRIC + "early_terminate: {type: hyperband, max_iter: 27, s: 2.5}",
        5,
        "early_terminate.s",
        "write 2",
    ),
    "hyperband with a rung at 0": (
        METRIC + "early_terminate: {type: hyperband, min_iter: 0}",
        5,
        "early_terminate.min_iter",
        "at least 1",
    ),
    "hyperband that keeps all": (
        METRIC + "early_terminate: {type: hyperband, min_iter: 1, eta: 1}",
        5,
        "early_terminate.eta",
        "write `eta: 3`",
    ),
    "two metrics without custom": (TOP + "metrics: [{name: a}, {name: b}]", 4, "metrics", "`metric:`"),
    "one metric as a list": (TOP + "metrics: [{name: a}]", 4, "metrics", "2 or more"),
    "metric and metrics": (METRIC + "metrics: [{name: a}, {name: b}]", 5, "metrics", "keep one"),
    "custom without a scheduler": ("method: custom\nparameters: {a: {value: 1}}", 1, "method", "scheduler:"),
    "a scheduler without a source": (
        TOP + "scheduler: {engine: wandb, optimizer: f}",
        4,
        "scheduler.optimizer",
        "source: FILE.py",
    ),
    "Optuna with random": (TOP + "scheduler: {engine: optuna}", 4, "scheduler.engine", "method custom"),
    "a scheduler and hyperband": (
        METRIC + "scheduler: {engine: wandb}\nearly_terminate: {type: hyperband, min_iter: 1}",
        6,
        "early_terminate",
        "leave it out",
    ),
    "a scheduler and a local controller": (
        TOP + "scheduler: {engine: wandb}\ncontroller: {type: local}",
        5,
        "controller",
        "leave it out",
    ),
    "a controller elsewhere": (TOP + "controller: {type: locale}", 4, "controller.type", "`local`"),
    "a job and an image": (TOP + "job: a\nimage_uri: b", 5, "image_uri", "keep one"),
    "another kind": (TOP + "kind: sweeps", 4, "kind", "`sweep`"),
    "a command as text": (TOP + "command: python train.py", 4, "command", "write a list"),
    "a command line": (
        TOP + "command: python 'my train.py' ${args}",
        4,
        "command",
        '["python", "my train.py", "${args}"]',
    ),
    "an open command line": (TOP + "command: python 'my", 4, "command", "write a list"),
    "a command of parameters": (TOP + "command: ['${env}', '${args}']", 4, "command.1", "begin with one"),
    "a metric's name alone": (TOP + "metric: loss", 4, "metric", "`name: loss`"),
    "metrics as a list of one": (TOP + "metric: [{name: loss}]", 4, "metric", "without `- `"),
    "a rule's name alone": (METRIC + "early_terminate: hyperband", 5, "early_terminate", "`type: hyperband`"),
    "parameters with dashes": (
        "method: random\nparameters:\n  - lr: {value: 1}",
        2,
        "parameters",
        "without `- `",
    ),
    "one value as values": ("method: random\nparameters:\n  a: {values: 0.1}", 3, "parameters.a.values", "[0.1]"),
    "values as one text": ("method: random\nparameters:\n  a: {values: '1, 2'}", 3, "parameters.a.values", "[1, 2]"),
    "a key that belongs to metric": (TOP + "goal: minimize", 4, "goal", "below `metric:`"),
    "a key that belongs to hyperband": (TOP + "min_iter: 3", 4, "min_iter", "below `early_terminate:`"),
    "a key of ours at the top": (TOP + "seed: 3", 4, "seed", "below `sweeper:`"),
    "a key of other tools": (TOP + "count: 3", 4, "count", "did you mean `run_cap`?"),
    "no space after a key": ("method: random\nparameters:\n  a:\n    min:3", 3, "parameters.a", "`min: 3`"),
    "no space after keys": ("method: random\nparameters:\n  a: {min:3, max:4}", 3, "parameters.a.min:3", "`min: 3`"),
    "a distribution of other tools": (
        "method: random\nparameters:\n  a: {distribution: loguniform, min: 0.1, max: 1.0}",
        3,
        "parameters.a.distribution",
        "`log_uniform_values`",
    ),
    "a decimal comma": ("method: random\nparameters:\n  a:\n    min: 0,5\n    max: 1.0", 4, "parameters.a.min", "0.5"),
    "a power": ("method: random\nparameters: {a: {min: 10**-4, max: 1.0}}", 2, "parameters.a.min", "write 0.0001"),
    "thirds": (
        "method: random\nparameters: {a: {values: [1, 2, 3], probabilities: [1/3, 1/3, 1/3]}}",
        2,
        "parameters.a.probabilities.0",
        "write 0.333333",
    ),
    "an unknown macro": (TOP + "command: ['${env}', '${progam}']", 4, "command.1", "did you mean `program`?"),
    "a strange macro": (TOP + "command: ['${xyz}']", 4, "command.0", "or envvar:NAME"),
    "a macro for a parameter": (TOP + "command: ['--lr=${lr}']", 4, "command.0", "write ${args}"),
    "a macro inside an item": (TOP + "command: [a, b, 'x ${args}']", 4, "command.2", "an item of its own"),
    "a variable in small letters": (TOP + "command: ['${envvar:home}']", 4, "command.0", "rename"),
    "a key twice": ("method: random\nmethod: grid\nparameters: {a: {value: 1}}", 2, "method", "keep one"),
    "a parameter twice": (
        "method: random\nparameters:\n  a: {value: 1}\n  a: {value: 1}",
        4,
        "parameters.a",
        "keep one",
    ),
    "settings as a word": (TOP + "settings: x", 4, "settings", "indent"),
    "a launch that is too large": (TOP + "launch: {a: 1.0e+400}", 4, "launch.a", "finite"),
}


@pytest.mark.parametrize(("text", "line", "key", "fix"), FAULTS.values(), ids=FAULTS)
def test_a_fault_names_file_line_key_and_fix(text, line, key, fix):
    """The first line is `file:line:column: key: what`, the next says what to write."""
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(text, "my.yaml")
    fault = next(f for f in caught.value.faults if ".".join(map(str, f.path)) == key and fix in f.fix)
    place = f"my.yaml:{line}:{fault.column}: " + (f"{key}: " if key else "")
    assert f"{place}{fault.message}\n    {fault.fix}" in caught.value.message


ONLY_IN_TEXT = ("stands twice", "is a date", "YAML reads", "is empty")


@pytest.mark.parametrize("text", [text for text, *_ in FAULTS.values()], ids=FAULTS)
def test_a_dict_has_the_same_faults_as_a_file(text):
    """`model_validate` says what `from_yaml` says, but for what only a text can hold."""
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(text)
    wanted = {(fault.message, fault.fix) for fault in caught.value.faults}
    wanted = {(found, fix) for found, fix in wanted if not any(words in found for words in ONLY_IN_TEXT)}
    said = set()
    try:
        SweepDefinition.model_validate(yaml_document.read(text, "my.yaml").data)
    except ValidationError as error:
        said = {(detail["msg"], detail["ctx"]["fix"]) for detail in error.errors()}
    assert {(found.replace(".inf", "inf"), fix) for found, fix in wanted} <= said


TEN = """\
method: bayess
metric: {name: acc, goal: maximise}
run_cap: 0
run_name: x
command: ["${progam}"]
parameters:
  lr: {min: 1e-5, max: 0.1}
  batch: {values: 32}
  depth: {min: 5, max: 2}
  group: {inner: {min: 1, max: 10.0}}
  outer: {parameters: {inner: {min: 1, max: 10.0}}}
  batch: {values: 32}
early_terminate: {type: hyperband, max_iter: 2, s: 3}
sweeper: {seed: -1, repeats: 0}
"""


def test_all_faults_are_reported_at_once_in_the_order_of_the_file():
    """A file with fourteen faults needs one look, not fourteen."""
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(TEN, "f")
    assert [(fault.line, ".".join(map(str, fault.path))) for fault in caught.value.faults] == [
        (1, "method"),
        (2, "metric.goal"),
        (3, "run_cap"),
        (4, "run_name"),
        (5, "command.0"),
        (7, "parameters.lr.min"),
        (8, "parameters.batch.values"),
        (9, "parameters.depth.min"),
        (10, "parameters.group"),
        (11, "parameters.outer.parameters.inner.min"),
        (12, "parameters.batch"),
        (13, "early_terminate.max_iter"),
        (14, "sweeper.seed"),
        (14, "sweeper.repeats"),
    ]
    assert len(caught.value.message.splitlines()) == 28


def test_a_faulty_parameter_does_not_hide_the_rules_about_the_others():
    """Rules that need several keys are checked on what is right."""
    text = (
        "method: grid\nparameters:\n  a: 3\n  b: {min: 0.1, max: 0.2}\n"
        "sweeper: {repeats: 0}\nmetrics: [{name: a}, {name: b}]"
    )
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(text)
    assert [".".join(map(str, fault.path)) for fault in caught.value.faults] == [
        "parameters.a",
        "parameters.b",
        "sweeper.repeats",
        "metrics",
    ]


def test_what_depends_on_a_faulty_parameter_is_not_blamed():
    """A name, a point and a condition may use the parameter that is to be mended."""
    text = (
        "method: random\nparameters:\n  a: {vales: [1, 2]}\n  b: {value: 1}\n"
        "sweeper: {run_name: '{a}', initial: [{a: 1}], conditions: {b: {a: 1}}}"
    )
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(text)
    assert [".".join(map(str, fault.path)) for fault in caught.value.faults] == ["parameters.a.vales"]


def test_what_depends_on_a_faulty_key_is_not_blamed():
    """A metric that is to be mended is no missing metric."""
    text = TOP.replace("random", "bayes") + "metric: {nam: a}\nearly_terminate: {type: hyperband, min_iter: 1}"
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(text)
    assert [".".join(map(str, fault.path)) for fault in caught.value.faults] == ["metric", "metric.nam"]


@pytest.mark.parametrize("name", [None, 1, ("a", "b"), 10**5000], ids=lambda name: type(name).__name__)
def test_a_name_that_is_no_text_is_a_validation_error(name):
    """Python can write what no file can."""
    with pytest.raises(ValidationError):
        SweepDefinition.model_validate(
            {"method": "grid", "parameters": {name: {"value": 1}, "a": {"min": 0.1, "max": 1.0}}}
        )


@pytest.mark.parametrize("value", ["yes", 3.5, [], {}, {"a": {}}, {"a": {"values": []}}, {1: {"value": 2}}])
def test_nonsense_parameters_are_refused_without_a_crash(value):
    """Whatever stands there, the answer is a DefinitionError or a ValidationError."""
    data = {"method": "random", "parameters": value}
    with pytest.raises(ValidationError):
        SweepDefinition.model_validate(data)
    with pytest.raises(DefinitionError):
        SweepDefinition.from_yaml(yaml.safe_dump(data))


NUMBERS = ["1e-5", "1E5", "+1e-5", "1.5e5", "3e6"]


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize("form", ["{value: %s}", "{values: [%s, 0.1]}", "{parameters: {b: {value: %s}}}"])
def test_a_value_that_yaml_reads_as_text_is_taken(text, form):
    """As W&B takes it; most trainers call `float` on it."""
    file = f"method: random\nparameters: {{a: {form % text}}}\n"
    definition = SweepDefinition.from_yaml(file)
    assert json.dumps(text) in json.dumps(definition.to_dict())


@pytest.mark.parametrize("text", NUMBERS)
@pytest.mark.parametrize(
    "place",
    [
        "parameters: {a: {min: %s, max: 1.0e+9}}",
        "parameters: {a: {min: 0.1, max: %s}}",
        "parameters: {a: {distribution: normal, mu: %s}}",
        "parameters: {a: {distribution: normal, sigma: %s}}",
        "parameters: {a: {distribution: q_uniform, min: 0, max: 9, q: %s}}",
        "parameters: {a: {distribution: beta, a: %s}}",
        "parameters: {a: {values: [1, 2], probabilities: [%s, 0.5]}}",
        "parameters: {a: {value: 1}}\nmetric: {name: x, target: %s}",
        "parameters: {a: {value: 1}}\nrun_cap: %s",
        "parameters: {a: {value: 1}}\nmetric: {name: x}\nearly_terminate: {type: hyperband, min_iter: 1, eta: %s}",
        "parameters: {a: {min: 0.0, max: 1.0}}\nsweeper: {initial: [{a: %s}]}",
        "parameters: {a: {values: [1, 2]}, b: {value: 1}}\nsweeper: {conditions: {b: {a: %s}}}",
        "parameters: {a: {value: 1}}\nsweeper: {repeats: %s}",
    ],
)
def test_where_a_number_has_to_stand_such_a_text_is_a_fault(text, place):
    """W&B refuses it there, too."""
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml("method: random\n" + place % text)
    [fault] = caught.value.faults
    assert fault.message == f"YAML reads {text} as text, not as a number"
    assert fault.fix.startswith("write ")
    assert float(fault.fix.removeprefix("write ")) == float(text)


def test_a_real_parameter_gets_the_number():
    """Where a trainer declares one; everything else stays the text that YAML reads."""
    text = (
        "parameters: {a: {values: [1e-5, x, [1e-3]]}, b: {value: 1e-5}, g: {parameters: {a: {value: 1e-4}}}}\nname: 1e3"
    )
    found = yaml_document.read(text, "my.yaml")
    meant = placed_faults.as_meant(found, ["a", "g", "name"])
    assert meant.data == {
        "parameters": {
            "a": {"values": [1e-5, "x", [1e-3]]},
            "b": {"value": "1e-5"},
            "g": {"parameters": {"a": {"value": "1e-4"}}},
        },
        "name": "1e3",
    }
    assert found.data["parameters"]["a"]["values"][0] == "1e-5"
