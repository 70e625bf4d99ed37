"""Texts that are no YAML: the bracket, quote or colon that a person has to mend, and its line."""

from __future__ import annotations

import pytest
import yaml

from sweeper.definition.yaml_syntax import explain, strange_space

PROBLEMS = {
    "a list that is never closed": (
        "a:\n  lr:\n    values: [0.1, 0.2\n  b:\n    value: 1\nmetric:\n  name: x\n",
        (3, 13),
        "the `[` here is never closed: line 4",
        "add `]`",
    ),
    "braces over lines": ("p: {lr: {values: [1]}\nmetric:\n  name: a\n", (1, 4), "the `{` here", "add `}`"),
    "braces until the end": ("p: {\n  a: 1\n", (1, 4), "the `{` here is never closed", "add `}`"),
    "an inner bracket": ("p: {lr: [1, 2,\n  b: 3}\n", (1, 9), "the `[` here is never closed: line 2", "add `]`"),
    "a bracket of another kind": ("p: {lr: [1, 2}\n", (1, 14), "`}`, while the `[` of column 9", "close that with `]`"),
    "one bracket too many": ("p: [1, 2]]\n", (1, 10), "found ']'", "remove the `]`"),
    "a quote until the end": ("a: 1\nname: 'x\nb: 2\n", (2, 7), "the `'` here is never closed", "add `'`"),
    "a quote that closes late": (
        'name: "x\nmetric: {name: "loss"}\n',
        (1, 7),
        "closed only on line 2",
        "where the text ends",
    ),
    "an apostrophe": ("name: 'bob's sweep'\n", (1, 12), 'ends before "s sweep\'"', "twice"),
    "no space after a colon": (
        "method:random\nparameters:\n  a: 1\n",
        (1, 7),
        "no space after the colon",
        "`method: random`",
    ),
    "a comma that is missing": ('{"a": 1 "b": 2}', (1, 12), "but got ':'", "comma"),
    "braces without quotes": ("a: {b: ${c}}", (1, 9), "but got '{'", "quotes"),
    "keys in different columns": ("a:\n  b: 1\n c: 2", (3, 2), "<block mapping start>", "same column"),
    "a tab": ("a:\n\tb: 1", (2, 1), "a tab", "spaces"),
}


@pytest.mark.parametrize(("text", "place", "found", "fix"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_no_yaml_is_told_where_it_is_to_be_mended(text, place, found, fix):
    """Not where the reader gave up, which may be the end of the file."""
    with pytest.raises(yaml.MarkedYAMLError) as caught:
        yaml.safe_load(text)
    problem = explain(caught.value, text)
    assert (problem.line, problem.column) == place
    assert found in problem.message
    assert fix in problem.fix


@pytest.mark.parametrize("space", ["\u00a0", "\u2003", "\u3000"])
def test_a_space_that_is_none_is_named(space):
    """It would become part of the key's name."""
    problem = strange_space(f"a:\n {space}b: 1\n")
    assert problem is not None
    assert (problem.line, problem.column) == (2, 2)
    assert strange_space(f"a: x{space}y\n  b: {space}\n") is None
