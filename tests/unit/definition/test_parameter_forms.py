"""The forms of a parameter: which distribution each one gives, and how its range is read."""

from __future__ import annotations

import json
import math

import pytest
import yaml

from sweeper.definition import parameters
from sweeper.definition.parameter_forms import Form
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.space.distributions import Beta, Categorical, IntUniform, LogNormal, LogUniform, Normal, Uniform
from sweeper.space.quantized import Quantized

FORMS = {
    "constant": ("{value: 3}", Categorical((3,))),
    "constant, explicit": ("{distribution: constant, value: null}", Categorical((None,))),
    "a mapping as constant": ("{value: {a: [1, {b: x}]}}", Categorical(({"a": [1, {"b": "x"}]},))),
    "categorical": ("{values: [1, 0.5, x, true, null, [1]]}", Categorical((1, 0.5, "x", True, None, [1]))),
    "categorical, explicit": ("{distribution: categorical, values: [1]}", Categorical((1,))),
    "weighted": ("{values: [a, b], probabilities: [0.25, 0.75]}", Categorical(("a", "b"), (0.25, 0.75))),
    "weighted, explicit": (
        "{distribution: categorical_w_probabilities, values: [a, b], probabilities: [1, 0]}",
        Categorical(("a", "b"), (1.0, 0.0)),
    ),
    "weighted in thirds": (
        "{values: [a, b, c], probabilities: [0.333333, 0.333333, 0.333333]}",
        Categorical(("a", "b", "c"), (0.333333,) * 3),
    ),
    "int_uniform": ("{min: -3, max: 7}", IntUniform(-3, 7)),
    "int_uniform, explicit": ("{distribution: int_uniform, min: 0, max: 1}", IntUniform(0, 1)),
    "int_uniform of 64 bits": (f"{{min: 1_000, max: {2**63 - 1}}}", IntUniform(1000, 2**63 - 1)),
    "uniform": ("{min: 0.5, max: 2.0}", Uniform(0.5, 2.0)),
    "uniform, explicit": ("{distribution: uniform, min: 1, max: 2}", Uniform(1, 2)),
    "uniform, explicit and mixed": ("{distribution: uniform, min: 1, max: 2.5}", Uniform(1, 2.5)),
    "q_uniform": ("{distribution: q_uniform, min: 0, max: 1}", Quantized(Uniform(0, 1), 1.0)),
    "q_uniform with q": ("{distribution: q_uniform, min: 8, max: 64, q: 8}", Quantized(Uniform(8, 64), 8)),
    "log_uniform_values": ("{distribution: log_uniform_values, min: 0.1, max: 10}", LogUniform(0.1, 10)),
    "inv_log_uniform_values": ("{distribution: inv_log_uniform_values, min: 0.1, max: 10}", LogUniform(0.1, 10)),
    "q_log_uniform_values": (
        "{distribution: q_log_uniform_values, min: 1, max: 256, q: 8}",
        Quantized(LogUniform(1, 256), 8),
    ),
    "log_uniform": ("{distribution: log_uniform, min: -2, max: 1}", LogUniform(math.exp(-2), math.exp(1))),
    "inv_log_uniform": ("{distribution: inv_log_uniform, min: -2, max: 1}", LogUniform(math.exp(-1), math.exp(2))),
    "q_log_uniform": (
        "{distribution: q_log_uniform, min: 0, max: 5, q: 2}",
        Quantized(LogUniform(math.exp(0), math.exp(5)), 2),
    ),
    "normal": ("{distribution: normal}", Normal(0.0, 1.0)),
    "normal with mu and sigma": ("{distribution: normal, mu: 3, sigma: 0.5}", Normal(3, 0.5)),
    "q_normal": ("{distribution: q_normal, mu: 3, q: 0.5}", Quantized(Normal(3, 1.0), 0.5)),
    "log_normal": ("{distribution: log_normal, sigma: 2}", LogNormal(0.0, 2)),
    "q_log_normal": ("{distribution: q_log_normal, mu: 1, q: 2}", Quantized(LogNormal(1, 1.0), 2)),
    "beta": ("{distribution: beta, a: 2}", Beta(2, 1)),
    "q_beta": ("{distribution: q_beta, b: 2, q: 0.25}", Quantized(Beta(1, 2), 0.25)),
}


def define(form: str) -> SweepDefinition:
    return SweepDefinition.from_yaml(f"method: random\nparameters:\n  p: {form}\n", "my.yaml")


def text(value: object) -> str:
    """A text that tells 1 from 1.0 and true, but not the order of keys."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize(("form", "distribution"), FORMS.values(), ids=FORMS)
def test_a_form_gives_its_distribution_at_any_depth(form, distribution):
    """Written out or implied by its keys, at the top or three groups down."""
    nested = "{parameters: {a: {parameters: {b: {parameters: {c.d: " + form + "}}}}}}"
    assert define(form).space.distributions == {"p": distribution}
    assert define(nested).space.distributions == {"p.a.b.c.d": distribution}
    assert define(nested).space.paths == {"p.a.b.c.d": ("p", "a", "b", "c.d")}


@pytest.mark.parametrize("form", [form for form, _ in FORMS.values()], ids=FORMS)
def test_a_form_gives_back_what_was_written(form):
    """No default is written out, and no number changes its type."""
    definition = define(form)
    written = definition.to_dict()
    assert text(written["parameters"]["p"]) == text(yaml.safe_load(form))
    assert SweepDefinition.model_validate(written) == definition


def test_every_distribution_has_a_test():
    """The table above is complete."""
    forms = [yaml.safe_load(form) for form, _ in FORMS.values()]
    assert {form["distribution"] for form in forms if "distribution" in form} == set(parameters.FORMS)


def form_of(text: str) -> Form:
    [form] = define(text).forms.values()
    return form


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("{value: 0.5}", "0.5"),
        ("{values: [1, x, true]}", "1, x, true"),
        ("{values: [a, b], probabilities: [0.25, 0.75]}", "a 25%, b 75%"),
        ("{min: 1, max: 9}", "1 to 9"),
        ("{min: 0.0, max: 0.9}", "0 to 0.9"),
        ("{distribution: normal, mu: 1, sigma: 2}", "mean 1, deviation 2"),
        ("{distribution: log_normal, mu: 1, sigma: 2}", "mean 1, deviation 2 of the log"),
        ("{distribution: beta, a: 2, b: 5}", "0 to 1, a 2, b 5"),
    ],
)
def test_a_form_says_what_it_can_take(form, text):
    """In the words of the file, for a row of a table."""
    assert form_of(form).range_text() == text


@pytest.mark.parametrize("name", parameters.FORMS)
def test_every_form_is_known_by_the_name_that_asks_for_it(name):
    """The table follows from the classes, each of which names its distribution once."""
    assert parameters.FORMS[name].name() == name
    assert {"distribution", *parameters.FORMS[name].model_fields} <= set(parameters.KEYS)


@pytest.mark.parametrize(
    ("form", "key"),
    [
        ("{values: [1, 1.0, 2]}", "values"),
        ("{values: [a, a], probabilities: [0.5, 0.5]}", "values"),
        ("{min: 1.0, max: 10.0}", "min"),
    ],
)
def test_a_form_names_what_was_probably_not_meant(form, key):
    """By the key that it is about."""
    assert [warning[0] for warning in form_of(form).warnings()] == [key]


@pytest.mark.parametrize(
    "form",
    [
        "{values: [1, true]}",
        "{min: 0.0, max: 1.0}",
        "{min: 1.5, max: 10.0}",
        "{distribution: uniform, min: 1.0, max: 10.0}",
        "{distribution: normal}",
    ],
)
def test_what_is_meant_is_not_questioned(form):
    """Whole limits are, where the distribution is written; from 0 to 1 everybody means real numbers."""
    assert list(form_of(form).warnings()) == []
