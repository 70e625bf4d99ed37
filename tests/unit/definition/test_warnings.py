"""What is allowed in a sweep file and probably not meant."""

from __future__ import annotations

import pytest

from sweeper.definition import yaml_document
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.definition.warnings import advise


def warnings(text: str) -> list[yaml_document.Fault]:
    found = yaml_document.read(text, "my.yaml")
    return advise(SweepDefinition.from_document(found, "my.yaml"), found)


@pytest.mark.parametrize(
    ("change", "key", "word"),
    [
        ("metric: {name: val_acc}", "metric.name", "goal: maximize"),
        ("metric: {name: loss, goal: maximize}", "metric.name", "goal: minimize"),
        ("metric: {name: 'x '}", "metric.name", "write `x`"),
        ("p: {values: [on, x]}", "parameters.p.values.0", "true"),
        ("p: {value: 010}", "parameters.p.value", "8"),
        ("p: {distribution: log_uniform, min: -9, max: -2}", "parameters.p.distribution", "log_uniform_values"),
        ("p: {min: 1.0, max: 10.0}", "parameters.p.min", "min: 1, max: 10"),
        ("p: {distribution: q_uniform, min: 1, max: 11, q: 4}", "parameters.p.q", "multiples of q"),
        ("p: {values: [1, 1, 2]}", "parameters.p.values", "twice"),
        ("run_cap: 9", "run_cap", "2 runs"),
        ("run_cap: 9", "run_cap", "no configuration is tried again, as W&B would"),
        ("p: {values: [1, 2], probabilities: [0.2, 0.8]}", "parameters.p.probabilities", "only decide the order"),
        ("p: {value: 1e-5}", "parameters.p.value", 'write 1.0e-5, or "1e-5" for a text'),
        ("p: {parameters: {x: {values: [0.1, 1E5]}}}", "parameters.p.parameters.x.values.1", "write 100000.0"),
        ("p: {values: [None, 2]}", "parameters.p.values.0", "write null"),
        ("p: {values: [0o17, 2]}", "parameters.p.values.0", "write 15"),
        ("p: {values: [1/3, 2]}", "parameters.p.values.0", "write 0.333333"),
        ("p: {values: [10**-4, 2]}", "parameters.p.values.0", "write 0.0001"),
        ("p: {values: [1/0, 2]}", "parameters.p.values.0", "does not calculate"),
        ("p: {values: [0.1 0.2 1e-3]}", "parameters.p.values.0", "with commas: [0.1, 0.2, 1e-3]"),
        ("p: {values: [\u201cadam\u201d, sgd]}", "parameters.p.values.0", "straight quotes"),
        ("p: {value: ~/data}", "parameters.p.value", "no shell expands it"),
        ("p: {values: [$DATA/a, b]}", "parameters.p.values", "no shell expands it"),
        ("p: {value: }", "parameters.p.value", "reads as null"),
        ("p: {value: 1:30}", "parameters.p.value", "write 90"),
        ("settings: {x: 1e-5}", "settings.x", "write 1.0e-5"),
        ("early_terminate: {type: hyperband, min_iter: 2}\nmetric: {name: a}", "early_terminate", "strict"),
        ('command: ["${program}", "${args}"]', "command", "program: train.py"),
        ('command: ["${program}", "${args}"]\nprogram: x.py\np: {parameters: {q: {value: 1}}}', "command", "args_json"),
    ],
)
def test_what_is_probably_not_meant_gets_a_warning(change, key, word):
    """A warning has a place and a fix, and does not keep the sweep from running."""
    lines = ["method: random", "parameters:", "  a: {values: [1, 2]}"]
    for line in change.split("\n"):
        lines.insert(3, f"  {line}") if line.startswith("p:") else lines.append(line)
    [warning] = warnings("\n".join(lines))
    assert (".".join(map(str, warning.path)), warning.level) == (key, "warning")
    assert word in warning.message + warning.fix
    assert warning.line > 0


def test_warnings_come_in_the_order_of_the_file():
    """Whatever finds them."""
    text = """\
run_cap: 9
method: random
parameters: {a: {values: [1, 1]}, b: {values: [on]}}
metric: {name: accuracy}
"""
    found = warnings(text)
    assert [warning.path[0] for warning in found] == ["run_cap", "parameters", "parameters", "metric"]
    assert [warning.line for warning in found] == [1, 3, 3, 4]


def test_texts_that_are_meant_as_texts_get_no_warning():
    """In quotes, in a name, or like no number at all."""
    text = """\
name: 1e-5
method: random
program: 1e5
parameters: {a: {values: ["1e-5", 'None', none, v1.0, 1/x, 0x1f]}}
"""
    assert warnings(text) == []
