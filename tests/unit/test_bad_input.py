"""Whatever stands in a sweep file: a definition that works, or a fault with its place. Nothing else, ever."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from sweeper.definition.sweep_definition import SweepDefinition
from sweeper.errors import DefinitionError
from sweeper.run import Run, RunState
from sweeper.search import suggest

EXAMPLES = 150
"""Make it thousands for a night's run."""
bounded = settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))

ROOT = Path(__file__).parents[2]
FILES = [*sorted((ROOT / "sweeps").glob("*.yaml")), ROOT / "tests" / "data" / "everything.yaml"]
TEXTS = [file.read_text() for file in FILES]
LINES = sorted({line for text in TEXTS for line in text.splitlines()})
NASTY = [
    *("\t", " ", "  ", "\n", "\r", "\x00", "\x07", "\x1b[31m", "\ufeff", "\u2028", "\u00e9", "\U0001f600", "\x85"),
    *("!!python/object/apply:os.system ['touch pwned']", "!!python/name:os.system ''", "!x", "!!int x", "!!bool x"),
    *("!!float", "!!map [a]", "!!set {a}", "!!omap [a: 1]", "!!binary aGk=", "!!timestamp 2024", "!!str", "!!null x"),
    *("&a", "*a", "&a {<<: *a}", "<<: *rate", "<<: {value: 3}", "&a [*a]", "*rate", "<<", "="),
    *("1e400", "1.0e+400", "-1.0e+308", "5.0e-324", ".nan", ".inf", "-.INF", "1e-5", "'1e-5'", "1_0", "010", "1:30"),
    *("0x" + "f" * 5000, "9" * 5000, "9223372036854775807", "9223372036854775808", "-1", "0", "0.0", "1", "1.0", "2.5"),
    *("[" * 60 + "]" * 60, "[" * 2000, "{" * 500, "- " * 300, "[[[]]]", "{}", "[]", "''", '"', "'", "|", ">", "%", "@"),
    *(
        "${x}",
        "${args}",
        "{lr:1000000000}",
        "{lr.__class__}",
        "{",
        "}",
        "{{}}",
        "'{number:03d}'",
        "`",
        "#",
        "?",
        "? [a]",
    ),
    *("2024-01-01", "null", "~", "true", "off", "Yes", "---", "...", ":", ",", "- a", "a: 1", "1: 2", '"\\ud800"'),
    *(
        "method: grid",
        "method: bayes",
        "method: custom",
        "run_cap: 3",
        "values:",
        "min: 3",
        "max: 3",
        "q: 0.3",
        "value:",
    ),
    *(
        "order: random",
        "repeats: 3",
        "repeats: 1",
        "conditions: {}",
        "initial: [{}]",
        "probabilities: [1]",
        "distribution",
    ),
    *("uniform", "log_uniform", "beta", "q_normal", "parameters:", "grid", "bayes", "custom", "x" * 2000),
]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A real file after one to six accidents."""
    text = draw(st.sampled_from(TEXTS))
    for _ in range(draw(st.integers(1, 6))):
        text = draw(st.sampled_from([characters, lines, tokens]))(draw, text)
    return text


def characters(draw: st.DrawFn, text: str) -> str:
    """Delete, double or replace a few characters."""
    start = draw(st.integers(0, len(text)))
    end = start + draw(st.integers(0, 8))
    return text[:start] + draw(st.sampled_from(["", text[start:end] * 2, *NASTY])) + text[end:]


def lines(draw: st.DrawFn, text: str) -> str:
    """Delete, double or replace a line, or put one in from another file."""
    found = text.splitlines()
    at = draw(st.integers(0, len(found) - 1)) if found else 0
    other = draw(st.sampled_from(LINES))
    found[at : at + 1] = draw(st.sampled_from([[], found[at : at + 1] * 2, [other], [other, *found[at : at + 1]]]))
    return "\n".join(found)


def tokens(draw: st.DrawFn, text: str) -> str:
    """Replace what stands after a colon or a comma."""
    places = [index for index, character in enumerate(text) if character in ":,[{"]
    if not places:
        return text
    start = draw(st.sampled_from(places)) + 1
    end = min((text.find(stop, start) for stop in ",]}\n" if stop in text[start:]), default=len(text))
    return f"{text[:start]} {draw(st.sampled_from(NASTY))}{text[end:]}"


def use(definition: SweepDefinition) -> None:
    """Do with a definition what a server does."""
    written = json.loads(json.dumps(definition.to_dict(), allow_nan=False))
    assert SweepDefinition.model_validate(written) == definition
    quoted = yaml.safe_dump(written, default_style='"')  # without, the text "1e-5" would lose its quotes
    assert SweepDefinition.from_yaml(quoted) == definition
    assert definition.configurations != 0
    assert not definition.early_terminate or definition.early_terminate.rungs()
    runs: list[Run] = []
    while len(runs) < 3 and (suggestion := suggest(definition, runs, seed=definition.seed or 0)):
        json.dumps(definition.space.nest(suggestion.params), allow_nan=False)
        assert definition.space.contains(suggestion.params)
        assert isinstance(definition.run_name(suggestion.params, len(runs) + 1), str | None)
        runs.append(Run(id=str(len(runs)), state=RunState.FINISHED, params=suggestion.params, history=(0.5,)))
    assert len(runs) == min(3, definition.expected_runs or 3) or definition.metric


@given(text=mutated())
@bounded
def test_a_mutated_file_is_a_definition_or_a_fault(text):
    """Nothing in a file may cause a traceback, run code or take for ever."""
    definition = refusal = None
    try:
        definition = SweepDefinition.from_yaml(text, "my.yaml")
    except DefinitionError as error:
        refusal = error
    if definition is not None:
        use(definition)
    if refusal is not None:
        assert "my.yaml" in refusal.message
        assert refusal.faults
        assert all(fault.message and fault.fix and fault.line > 0 for fault in refusal.faults)
        refusal.message.encode()
    assert not Path("pwned").exists()


KEYS = sorted(
    {*re.findall(r"(\w+):", "".join(TEXTS)), *SweepDefinition.model_fields, "max_iter", "s", "order", "metrics"}
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.integers(),
    st.floats(),
    st.sampled_from(
        ["", "a", "b", "1e-5", "grid", "random", "bayes", "uniform", "q_normal", "beta", "worst", "{a}", *KEYS]
    ),
    st.text(max_size=5),
    st.binary(max_size=2),
    st.dates(),
)
keys = st.one_of(st.sampled_from([*KEYS, "a", "b", "g"]), scalars)
anything = st.recursive(
    scalars,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(keys, inner, max_size=4), st.tuples(inner)),
    max_leaves=12,
)


@st.composite
def grafted(draw: st.DrawFn) -> Any:
    """The dict of a real file in which something else stands at one to four places."""
    data = yaml.safe_load(draw(st.sampled_from(TEXTS)))
    for _ in range(draw(st.integers(1, 4))):
        data = _graft(draw, data)
    return data


def _graft(draw: st.DrawFn, node: Any) -> Any:
    """Replace a random part of the tree, add to it or take from it."""
    if not isinstance(node, dict | list) or not node or draw(st.integers(0, 9)) == 0:
        return draw(anything)
    copy = dict(node) if isinstance(node, dict) else dict(enumerate(node))
    key = draw(st.sampled_from(list(copy)))
    match draw(st.integers(0, 9)):
        case 0:
            del copy[key]
        case 1:
            copy[draw(keys)] = draw(anything)
        case _:
            copy[key] = _graft(draw, copy[key])
    return copy if isinstance(node, dict) else list(copy.values())


@given(data=st.one_of(grafted(), anything, st.dictionaries(st.sampled_from(KEYS), anything, max_size=6)))
@bounded
def test_any_dict_is_a_definition_or_a_validation_error(data):
    """Whatever Python hands over, pydantic's own error says what is wrong with it."""
    faults: list[Any] = []
    try:
        definition = SweepDefinition.model_validate(data)
    except ValidationError as error:
        definition, faults = None, error.errors()
    assert all(fault["msg"] and fault["ctx"]["fix"] for fault in faults)
    assert faults or definition is not None
    if definition is not None:
        use(definition)
