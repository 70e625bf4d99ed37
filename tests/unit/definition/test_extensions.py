"""The key `sweeper:`: what it says beyond W&B's format, and what a wrong one says."""

from __future__ import annotations

import pytest
import yaml

from sweeper.definition.extensions import format_name
from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError

BASE = """\
method: grid
parameters:
  opt: {values: [adam, sgd]}
  mom: {values: [0.5, 0.9]}
  n: {min: 1, max: 3}
  flag: {values: [true, false]}
  kernels: {values: [[8, 16], [16, 32]]}
  g: {parameters: {x: {values: [1, 2]}, y.z: {values: [1, 2]}}}
sweeper: """


def define(beyond: str, **top: object) -> SweepDefinition:
    return SweepDefinition.model_validate({**yaml.safe_load(BASE + beyond), **top})


EVERYTHING = """{seed: 7, order: random, repeats: 3, repeat_parameter: fold, \
initial: [{opt: sgd, g: {x: 2}}, {g.x: 1, n: 2}], conditions: {mom: {opt: sgd}, g: {n: [1, 2]}}, \
run_name: "{opt}-{number:03d}-fold{fold}"}"""


def test_everything_at_once_is_kept():
    """What the file says under `sweeper:` is what comes back."""
    definition = define(EVERYTHING)
    assert definition.to_dict()["sweeper"] == yaml.safe_load(EVERYTHING)
    assert SweepDefinition.model_validate(definition.to_dict()) == definition
    assert definition.seed == 7
    assert definition.sweeper.used == list(yaml.safe_load(EVERYTHING))


def test_a_file_without_the_key_has_none_of_it():
    """And does not get it written into what goes to a server."""
    data = {"method": "grid", "parameters": {"a": {"value": 1}}}
    definition = SweepDefinition.model_validate(data)
    assert definition.to_dict() == data
    assert definition.sweeper.used == []
    assert definition.seed is None
    assert definition.run_name({"a": 1}, 1) is None


WRONG = {
    "not a mapping": ("3", "", "3 does not fit", "indent"),
    "an unknown key": ("{sed: 3}", "sed", "unknown key", "did you mean `seed`?"),
    "a negative seed": ("{seed: -1}", "seed", "-1 is too small", "at least 0"),
    "a seed of 65 bits": ("{seed: 9223372036854775808}", "seed", "too large", "9223372036854775807"),
    "an unknown order": ("{order: shuffled}", "order", "'shuffled' is not known", "sorted, random"),
    "no repeats": ("{repeats: 0}", "repeats", "0 is too small", "at least 1"),
    "too many repeats": ("{repeats: 1001}", "repeats", "1001 is too large", "at most 1000"),
    "half a repeat": ("{repeats: 2.5}", "repeats", "not a whole number", "write 2"),
    "nothing to count": ("{repeat_parameter: seed}", "repeat_parameter", "nothing to count", "repeats: 3"),
    "a count in a parameter": ("{repeats: 2, repeat_parameter: opt}", "repeat_parameter", "opt is a parameter", ""),
    "a count in a group": ("{repeats: 2, repeat_parameter: g}", "repeat_parameter", "g is a parameter", ""),
    "a count in a member": ("{repeats: 2, repeat_parameter: g.x}", "repeat_parameter", "g.x is a parameter", ""),
    "a count with a digit": ("{repeats: 2, repeat_parameter: 2x}", "repeat_parameter", "'2x'", "letter"),
    "one initial point": ("{initial: {opt: sgd}}", "initial", "does not fit", "write a list"),
    "an initial number": ("{initial: [3]}", "initial.0", "3 does not fit", "indent"),
    "an initial stranger": ("{initial: [{}, {optt: sgd}]}", "initial.1.optt", "called 'optt'", "`opt`"),
    "an initial value outside": ("{initial: [{opt: lion}]}", "initial.0.opt", "opt never is 'lion'", "can have"),
    "an initial number outside": ("{initial: [{n: 4}]}", "initial.0.n", "n never is 4", "can have"),
    "an initial truth for a number": ("{initial: [{n: true}]}", "initial.0.n", "n never is True", "can have"),
    "an initial nothing": ("{initial: [{n: null}]}", "initial.0.n", "n never is None", "can have"),
    "an initial member outside": ("{initial: [{g: {x: 3}}]}", "initial.0.g.x", "g.x never is 3", "can have"),
    "an initial dotted member outside": ("{initial: [{g.x: 3}]}", "initial.0.g.x", "g.x never is 3", "can have"),
    "an initial strange member": ("{initial: [{g: {w: 3}}]}", "initial.0.g.w", "called 'g.w'", "g."),
    "an initial group as a value": ("{initial: [{g: 3}]}", "initial.0.g", "called 'g'", ""),
    "an initial value that is not there": (
        "{conditions: {mom: {opt: sgd}}, initial: [{opt: adam, mom: 0.5}]}",
        "initial.0.mom",
        "mom is not there if opt is 'adam'",
        "leave it out",
    ),
    "an initial count": (
        "{repeats: 2, repeat_parameter: fold, initial: [{fold: 1}]}",
        "initial.0.fold",
        "called 'fold'",
        "",
    ),
    "a condition on nothing": ("{conditions: {momm: {opt: sgd}}}", "conditions.momm", "no parameter or group", "`mom`"),
    "a condition by nothing": ("{conditions: {mom: {optt: sgd}}}", "conditions.mom.optt", "'optt'", "`opt`"),
    "a condition by a group": ("{conditions: {mom: {g: 1}}}", "conditions.mom.g", "'g'", ""),
    "a condition that never holds": (
        "{conditions: {mom: {opt: sdg}}}",
        "conditions.mom.opt",
        "never is 'sdg'",
        "`sgd`",
    ),
    "a condition by a wrong number": ("{conditions: {mom: {n: 9}}}", "conditions.mom.n", "n never is 9", "1, 2, 3"),
    "a condition by 1 for true": ("{conditions: {mom: {flag: 1}}}", "conditions.mom.flag", "flag never is 1", ""),
    "a condition by a list for a value": (
        "{conditions: {mom: {kernels: [8, 16]}}}",
        "conditions.mom.kernels.0",
        "kernels never is 8",
        "[8, 16]",
    ),
    "a condition without values": ("{conditions: {mom: {opt: []}}}", "conditions.mom.opt", "can never hold", "list"),
    "conditions that exclude each other": (
        "{conditions: {g: {opt: sgd}, g.x: {opt: adam}}}",
        "conditions.g.x.opt",
        "can never hold",
        "no other condition excludes",
    ),
    "a condition that is a word": ("{conditions: {mom: sgd}}", "conditions.mom", "'sgd' does not fit", "indent"),
    "a condition on itself": ("{conditions: {opt: {opt: sgd}}}", "conditions.opt", "opt depends on itself", "leave"),
    "a group that hangs on its member": ("{conditions: {g: {g.x: 1}}}", "conditions.g", "depends on itself", "leave"),
    "a circle of two": ("{conditions: {opt: {n: 1}, n: {opt: sgd}}}", "conditions.opt", "by way of n", "leave out"),
    "a circle of three": (
        "{conditions: {opt: {n: 1}, n: {flag: true}, flag: {opt: sgd}}}",
        "conditions.opt",
        "opt depends on itself, by way of n, flag",
        "leave out",
    ),
    "a condition by the count": (
        "{repeats: 2, repeat_parameter: fold, conditions: {mom: {fold: 1}}}",
        "conditions.mom.fold",
        "called 'fold'",
        "",
    ),
    "a name that is a number": ("{run_name: 3}", "run_name", "3 does not fit", "text"),
    "an empty name": ("{run_name: ''}", "run_name", "'' is too short", "1 or more"),
    "a name of pages": (f"{{run_name: {'x' * 201}}}", "run_name", "is too long", "200 characters"),
    "a name with a stranger": ("{run_name: '{lr}'}", "run_name", "called 'lr'", ""),
    "a name with a group": ("{run_name: '{g}'}", "run_name", "called 'g'", ""),
    "a name without a name": ("{run_name: '{}'}", "run_name", "called ''", ""),
    "a name with a position": ("{run_name: '{0}'}", "run_name", "called '0'", ""),
    "a name that looks inside": ("{run_name: '{n.__class__}'}", "run_name", "called 'n.__class__'", ""),
    "a name that takes a part": ("{run_name: '{kernels[0]}'}", "run_name", "called 'kernels[0]'", ""),
    "a name that converts": ("{run_name: '{n!r}'}", "run_name", "{n!r} is no format", "{name:.1e}"),
    "a name as wide as the memory": ("{run_name: '{n:1000000000}'}", "run_name", "{n:1000000000} is no", "{name:.1e}"),
    "a name as deep as the memory": ("{run_name: '{n:.999f}'}", "run_name", "{n:.999f} is no format", "{name:.1e}"),
    "a name within a name": ("{run_name: '{n:{mom}}'}", "run_name", "is no format", "{name:.1e}"),
    "a character for a number": ("{run_name: '{n:c}'}", "run_name", "{n:c} is no format", "{name:.1e}"),
    "a word as a number": ("{run_name: '{opt:.1e}'}", "run_name", "cannot be written as `.1e`", "write {opt}"),
    "a list with a width": ("{run_name: '{kernels:9}'}", "run_name", "cannot be written as `9`", "write {kernels}"),
    "an open brace": ("{run_name: '{n'}", "run_name", "'{n'", "{{ for a brace"),
    "a closing brace": ("{run_name: 'n}'}", "run_name", "'n}'", "{{ for a brace"),
}


@pytest.mark.parametrize(("beyond", "key", "found", "fix"), WRONG.values(), ids=WRONG)
def test_what_is_wrong_has_its_place_and_its_fix(beyond, key, found, fix):
    """A fault under `sweeper:` is a fault like others."""
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(BASE + beyond, "my.yaml")
    faults = {".".join(map(str, fault.path)): fault for fault in caught.value.faults}
    fault = faults[f"sweeper.{key}" if key else "sweeper"]
    assert found in fault.message
    assert fix in fault.fix
    assert fault.line == 9
    assert f"my.yaml:9:{fault.column}: " in caught.value.message


def test_a_condition_by_a_continuous_parameter_is_refused():
    """It would never be exactly that number."""
    text = BASE.replace("grid", "random").replace("{min: 1, max: 3}", "{min: 1.0, max: 3.0}")
    with pytest.raises(DefinitionError, match="n is continuous") as caught:
        SweepDefinition.from_yaml(text + "{conditions: {mom: {n: 1.5}}}", "my.yaml")
    assert [".".join(map(str, fault.path)) for fault in caught.value.faults] == ["sweeper.conditions.mom.n"]


@pytest.mark.parametrize("method", ["random", "bayes"])
def test_only_a_grid_has_an_order(method):
    """Elsewhere the key would do nothing, so it is refused."""
    text = BASE.replace("grid", f"{method}\nmetric: {{name: a}}")
    with pytest.raises(DefinitionError, match="`order: random` does not go with method"):
        SweepDefinition.from_yaml(text + "{order: random}")


def test_faults_of_every_key_come_at_once():
    """Six wrong keys are six faults."""
    beyond = "{seed: x, order: y, repeats: 0, initial: 3, conditions: 4, run_name: 5}"
    with pytest.raises(DefinitionError) as caught:
        SweepDefinition.from_yaml(BASE + beyond)
    assert len(caught.value.faults) == 6


def test_a_condition_holds_for_all_members_of_a_group():
    """A lone value is a list of one, and a member's own condition comes on top."""
    space = define("{conditions: {g: {opt: [adam, sgd]}, g.x: {opt: sgd, n: 2}, mom: {flag: true}}}").space
    assert space.conditions == {
        "g.x": {"opt": ("sgd",), "n": (2,)},
        "g.y.z": {"opt": ("adam", "sgd")},
        "mom": {"flag": (True,)},
    }


def test_a_name_is_no_group_because_another_begins_like_it():
    """`mom` is not `momentum`."""
    parameters = {name: {"values": [1, 2]} for name in ("mom", "momentum", "opt")}
    beyond = {"conditions": {"mom": {"opt": 1}}}
    data = {"method": "grid", "parameters": parameters, "sweeper": beyond}
    assert SweepDefinition.model_validate(data).space.conditions.keys() == {"mom"}


def test_a_condition_may_ask_for_a_list_or_a_truth():
    """Values are compared as in JSON."""
    space = define("{conditions: {mom: {kernels: [[8, 16]]}, n: {flag: false}}}").space
    assert space.active({"kernels": [8, 16], "mom": 0.5, "flag": True, "n": 1}) == {
        "kernels": [8, 16],
        "mom": 0.5,
        "flag": True,
    }


@pytest.mark.parametrize(
    ("beyond", "configurations", "runs"),
    [
        ("{}", 192, 192),
        ("{order: random, seed: 1, run_name: x}", 192, 192),
        ("{repeats: 3}", 192, 576),
        ("{repeats: 3, repeat_parameter: fold}", 192, 576),
        ("{conditions: {mom: {opt: sgd}}}", 144, 144),
        ("{conditions: {g: {opt: sgd}}}", 120, 120),
        ("{conditions: {g: {opt: sgd}}, repeats: 2, repeat_parameter: fold}", 120, 240),
    ],
)
def test_the_number_of_runs_is_known(beyond, configurations, runs):
    """Conditions make configurations fewer, repeats make runs more."""
    definition = define(beyond)
    assert (definition.configurations, definition.expected_runs) == (configurations, runs)
    assert define(beyond, run_cap=50).expected_runs == 50


def test_a_search_of_more_than_any_server_counts_goes_on_for_ever():
    """2^100 configurations have no number in 64 bits."""
    parameters = {f"p{n}": {"values": [1, 2]} for n in range(100)}
    definition = SweepDefinition.model_validate({"method": "grid", "parameters": parameters})
    assert (definition.configurations, definition.expected_runs) == (None, None)


@pytest.mark.parametrize(
    ("template", "name"),
    [
        ("{opt}-lr{lr:.1e}", "adam-lr3.0e-04"),
        ("run {number:03d}", "run 012"),
        ("{{{opt}}}", "{adam}"),
        ("{g.x}/{missing}", "1.5/-"),
        ("{kernels} {flag} {none}", "[8, 16] True None"),
        ("{opt:.1e}{lr:d}", "adam0.0003"),
        ("{lr:>10.1%}|{opt:5}|", "      0.0%|adam |"),
    ],
)
def test_a_run_is_named_by_its_parameters(template, name):
    """Python's formats; what is not there is `-`, and what does not fit is written plainly."""
    params = {"opt": "adam", "lr": 3e-4, "g.x": 1.5, "kernels": [8, 16], "flag": True, "none": None}
    assert format_name(template, params, 12) == name


def test_a_parameter_called_number_comes_before_the_count():
    """The user's own words win."""
    assert format_name("{number}", {"number": "own"}, 12) == "own"


def test_a_name_may_use_the_count_of_the_repeat():
    """As it is in the run's config."""
    definition = define("{repeats: 2, repeat_parameter: fold, run_name: '{opt}-{fold}'}")
    assert definition.run_name({"opt": "sgd", "fold": 2}, 1) == "sgd-2"
