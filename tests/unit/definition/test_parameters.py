"""Parameters and groups of them: which form each one has, and what a wrong one says."""

from __future__ import annotations

import math

import pytest
from pydantic import ValidationError

from sweeper.definition.parameters import flat_forms
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError
from sweeper.space.distributions import Categorical


def define(form: str) -> SweepDefinition:
    return SweepDefinition.from_yaml(f"method: random\nparameters:\n  p: {form}\n", "my.yaml")


def test_groups_are_opened_in_the_order_of_the_file():
    """Each leaf with the path of keys that leads to it."""
    forms = define("{parameters: {b: {value: 1}, a: {parameters: {c: {value: 2}}}, d: {value: 3}}}").parameters
    assert [path for path, _ in flat_forms(forms)] == [("p", "b"), ("p", "a", "c"), ("p", "d")]


WRONG = {
    "a bare number": ("3", "", "3 is not a parameter", "write {value: 3}"),
    "a bare truth": ("true", "", "True is not a parameter", "write {value: true}"),
    "a bare word": ("adam", "", "'adam' is not a parameter", 'write {value: "adam"}'),
    "a bare list": ("[1, null]", "", "is not a parameter", "write {values: [1, null]}"),
    "nothing": ("", "", "is empty", "give it a value"),
    "an empty list": ("[]", "", "[] is not a parameter", "`values:`"),
    "an empty mapping": ("{}", "", "{} is not a parameter", "`value:`"),
    "a typo": ("{vales: [1]}", "vales", "unknown key", "did you mean `values`?"),
    "a typo in capitals": ("{VALUES: [1]}", "VALUES", "unknown key", "did you mean `values`?"),
    "a typo beside a value": ("{value: 1, vale: 2}", "vale", "unknown key", "did you mean `value`?"),
    "a typo in probabilities": ("{values: [1, 2], probability: [1, 0]}", "probability", "unknown", "`probabilities`"),
    "a typo in distribution": ("{distrbution: uniform, min: 1, max: 2}", "distrbution", "unknown", "`distribution`"),
    "a strange key": ("{value: 1, foo: 2}", "foo", "unknown key", "distribution, value"),
    "a distribution with a typo": ("{distribution: unifrm, min: 1, max: 2}", "distribution", "'unifrm'", "`uniform`"),
    "a distribution in capitals": ("{distribution: Uniform, min: 1, max: 2}", "distribution", "'Uniform'", "`uniform`"),
    "a distribution that is a list": (
        "{distribution: [uniform], min: 1}",
        "distribution",
        "unknown",
        "choose from constant",
    ),
    "value and values": ("{value: 1, values: [2]}", "values", "does not belong to `constant`", "distribution, value"),
    "a range with values": ("{min: 1, max: 2, values: [3]}", "min", "does not belong to `categorical`", "values"),
    "values of a uniform": ("{distribution: uniform, values: [1], min: 0, max: 1}", "values", "`uniform`", "min, max"),
    "half a range": ("{min: 1}", "", "has no `max`", "`max:`"),
    "the other half": ("{max: 1}", "", "has no `min`", "`min:`"),
    "half of a uniform": ("{distribution: uniform, min: 1}", "", "has no `max`", "add `max:`"),
    "only probabilities": ("{probabilities: [1]}", "", "has no `values`", "add `values:`"),
    "only a name": ("{distribution: categorical}", "", "has no `values`", "add `values:`"),
    "q without a distribution": ("{min: 1, max: 9, q: 2}", "", "`q` needs a `distribution:`", "q_uniform"),
    "mu without a distribution": ("{mu: 1, sigma: 2}", "", "`mu` needs a `distribution:`", "normal"),
    "no list of values": ("{values: 3}", "values", "3 does not fit", "write a list"),
    "no values": ("{values: []}", "values", "[] is too short", "1 or more"),
    "1e-5 as a limit": ("{min: 1e-5, max: 0.1}", "min", "YAML reads 1e-5 as text", "write 1.0e-5"),
    "1e3 as the upper limit": ("{min: 0.1, max: 1E+3}", "max", "YAML reads 1E+3 as text", "write 1000.0"),
    "1e-5 in quotes as a limit": ("{min: '1e-5', max: 0.1}", "min", "'1e-5' is not a number", "write 1.0e-5"),
    "1e-5 in a probability": ("{values: [1, 2], probabilities: [1e-1, 0.9]}", "probabilities.0", "as text", "0.1"),
    "008 as a limit": ("{min: 008, max: 9}", "min", "YAML reads 008 as text", "write 8"),
    "a word as a limit": ("{min: low, max: 9}", "min", "'low' is not a number", "write a number"),
    "a truth as a limit": ("{min: false, max: true}", "min", "False is not a number", "write a number"),
    "nothing as a limit": ("{min: , max: 9}", "min", "is empty", "give it a value"),
    "an infinite limit": ("{min: 0.1, max: .inf}", "max", "not a finite number", "finite"),
    "a limit that overflows": ("{min: 0.1, max: 1.0e+400}", "max", "inf is not a finite number", "finite"),
    "a value that overflows": ("{value: [1, 1.0e+400]}", "value.1", "inf is not a finite number", "finite"),
    "no number among values": ("{values: [1, .nan]}", "values.1", "not a finite number", "finite"),
    "a whole number of 65 bits": ("{min: 0, max: 9223372036854775808}", "max", "too large", "9223372036854775807"),
    "a real limit of 65 bits": ("{distribution: uniform, min: 0, max: 0x8fffffffffffffff}", "max", "64 bits", "1.0e"),
    "a value of 65 bits": ("{values: [1, 9223372036854775808]}", "values.1", "64 bits", "with a point"),
    "a limit of 200 digits": (f"{{min: 1, max: {'9' * 200}}}", "max", "200 digits", "1.0e+30"),
    "mixed limits": ("{min: 1, max: 10.0}", "min", "min 1 and max 10.0 mix", "both as whole numbers"),
    "an int_uniform of reals": ("{distribution: int_uniform, min: 1.0, max: 3}", "min", "1.0 does not fit", "whole"),
    "equal limits": ("{min: 3, max: 3}", "min", "min 3 is not below max 3", "`value:`"),
    "limits in the wrong order": ("{min: 0.5, max: 0.1}", "min", "min 0.5 is not below max 0.1", "swap them"),
    "exponents for values": (
        "{distribution: log_uniform_values, min: -9.21, max: -2.3}",
        "min",
        "give values, not exponents",
        "min: 0.0001, max: 0.1",
    ),
    "0 has no logarithm": ("{distribution: log_uniform_values, min: 0, max: 1}", "min", "no logarithm", "0.00001"),
    "values for exponents": (
        "{distribution: log_uniform, min: 0.0001, max: 0.1}",
        "min",
        "values from 1 to 1.105",
        "`distribution: log_uniform_values`",
    ),
    "large values for exponents": ("{distribution: log_uniform, min: 16, max: 256}", "max", "out of reach", "_values"),
    "values for inverse exponents": (
        "{distribution: inv_log_uniform, min: 0.1, max: 0.9}",
        "min",
        "values from 0.4066 to 0.9048",
        "_values",
    ),
    "values for quantised exponents": ("{distribution: q_log_uniform, min: 32, max: 512}", "max", "here", "_values"),
    "probabilities that miss 1": ("{values: [1, 2], probabilities: [0.5, 0.6]}", "probabilities", "1.1", "sum to 1"),
    "a probability below 0": ("{values: [1, 2], probabilities: [1.5, -0.5]}", "probabilities", "sum to 1", "below 0"),
    "too few probabilities": ("{values: [1, 2], probabilities: [1]}", "probabilities", "1 for 2 values", "each value"),
    "words as probabilities": ("{values: [1], probabilities: [all]}", "probabilities.0", "'all'", "write a number"),
    "a negative sigma": ("{distribution: normal, sigma: -1}", "sigma", "is negative", "0 or more"),
    "a shape of 0": ("{distribution: beta, a: 0}", "a", "not above 0", "such as 1"),
    "a step of 0": ("{distribution: q_normal, q: 0}", "q", "not above 0", "distance"),
    "no multiple in reach": ("{distribution: q_uniform, min: 1, max: 3, q: 5}", "q", "no multiple", "smaller q"),
    "a group without parameters": ("{lr: {value: 1}, wd: {min: 1, max: 2}}", "", "`parameters:`", "put lr, wd under"),
    "a group of a and b": ("{a: {value: 1}, b: {value: 2}}", "", "a group needs `parameters:`", "put a, b under"),
    "a group of min and max": ("{min: {value: 1}, max: {value: 2}}", "", "a group needs", "put min, max under"),
    "a group and a value": ("{parameters: {a: {value: 1}}, value: 3}", "value", "unknown key", "parameters"),
    "an empty group": ("{parameters: {}}", "parameters", "{} is too short", "1 or more"),
    "a group that is a list": ("{parameters: [a]}", "parameters", "does not fit", "indent"),
    "a member that is a number": ("{parameters: {a: 3}}", "parameters.a", "3 is not a parameter", "{value: 3}"),
    "a member with a digit": ("{parameters: {1a: {value: 3}}}", "parameters.1a", "'1a' does not fit", "letter"),
    "a member with a space": ("{parameters: {a b: {value: 3}}}", "parameters.a b", "does not fit", "letter"),
}


@pytest.mark.parametrize(("form", "key", "found", "fix"), WRONG.values(), ids=WRONG)
def test_a_wrong_form_says_where_what_and_what_instead_at_any_depth(form, key, found, fix):
    """W&B checks the top level alone; a fault three groups down has its place as well."""
    nested = "{parameters: {a: {parameters: {b: " + form + "}}}}"
    for written, path in ((form, ""), (nested, ".parameters.a.parameters.b")):
        with pytest.raises(DefinitionError) as caught:
            define(written)
        wanted = ".".join(part for part in (f"parameters.p{path}", key) if part)
        fault = next(fault for fault in caught.value.faults if ".".join(map(str, fault.path)) == wanted)
        assert found in fault.message
        assert fix in fault.fix
        assert fault.line == 3
        assert fault.column > 2
        assert f"my.yaml:3:{fault.column}: {wanted}: {fault.message}\n    {fault.fix}" in caught.value.message


@pytest.mark.parametrize(
    ("form", "faults"),
    [
        ("{distribution: uniform}", ["has no `min`", "has no `max`"]),
        ("{distribution: q_normal, mu: x, sigma: -1, q: 0, foo: 1}", ["'x'", "negative", "q 0", "unknown key"]),
        ("{distribution: beta, a: 0, b: -1}", ["a 0", "b -1"]),
        ("{min: 1e-5, max: .inf}", ["1e-5", ".inf"]),
        ("{values: [1e-5, .nan, 2024-01-01], probabilities: [x]}", [".nan", "a date", "'x'"]),
        ("{parameters: {a: {vale: 1}, b: {min: 2, max: 1}, c: 3}}", ["`vale`", "min 2", "3 is not"]),
    ],
)
def test_all_faults_of_a_form_come_at_once(form, faults):
    """One look, not one run for each."""
    with pytest.raises(DefinitionError) as caught:
        define(form)
    assert len(caught.value.faults) == len(faults)
    assert all(any(found in fault.message for fault in caught.value.faults) for found in faults)


def test_a_text_that_looks_like_a_number_is_a_value_as_in_wandb():
    """At any depth; the check warns of it, and where a number has to stand it is a fault."""
    assert define("{values: [0.1, 1e-5]}").space.distributions["p"] == Categorical((0.1, "1e-5"))
    assert define("{value: {eps: [1e-5]}}").space.distributions["p"] == Categorical(({"eps": ["1e-5"]},))


def test_quotes_make_a_text_of_what_looks_like_a_number():
    """Whoever wants the text `1e-5` writes it in quotes."""
    assert define("{values: ['1e-5', \"1e-4\", on]}").space.distributions["p"] == Categorical(("1e-5", "1e-4", True))


HUGE = 10**5000
LOOP: list[object] = []
LOOP.append(LOOP)
DEEP: object = {"value": 1}
for _ in range(1000):
    DEEP = {"parameters": {"x": DEEP}}


@pytest.mark.parametrize(
    "form",
    [
        {"value": math.nan},
        {"values": [1, math.inf]},
        {"value": {1, 2}},
        {"value": b"x"},
        {"value": object()},
        {"value": {1: 2, "a": 3}},
        {"value": {None: 3}},
        {"value": LOOP},
        {"value": HUGE},
        {"values": (1, 2)},
        {"min": HUGE, "max": 2 * HUGE},
        {"min": 0.5, "max": HUGE},
        {"distribution": HUGE},
        {HUGE: 1},
        {None: {"value": 1}},
        [{b"": 1}],
        [object()],
        {HUGE: {"value": 1}},
        HUGE,
        LOOP,
        DEEP,
    ],
    ids=lambda _: "form",
)
def test_what_only_python_can_write_is_a_validation_error_too(form):
    """Sets, loops, numbers of pages and keys that are no text do not crash."""
    with pytest.raises(ValidationError):
        SweepDefinition.model_validate({"method": "random", "parameters": {"p": form}})


def test_a_tuple_is_a_list():
    """As in JSON, so that what comes back from a server is equal to what was sent."""
    definition = SweepDefinition.model_validate({"method": "random", "parameters": {"p": {"value": (1, (2,))}}})
    assert definition.to_dict()["parameters"]["p"] == {"value": [1, [2]]}
