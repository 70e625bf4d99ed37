"""The macros of `command:`: which are replaced, and what the others were meant to be."""

from __future__ import annotations

import pytest

from sweeper.definition.command_macros import MACROS, macro_faults


def found(*command: object) -> list[tuple[str, str, tuple[object, ...]]]:
    contexts = [fault.context or {} for fault in macro_faults(command, ["lr"])]
    return [(context["message"], context["fix"], context["path"]) for context in contexts]


def test_every_macro_of_the_agent_is_known():
    """As an item of its own; variables of the environment anywhere."""
    assert found(*(f"${{{name}}}" for name in MACROS), "--out=${envvar:HOME}/x", 3, "$HOME") == []


@pytest.mark.parametrize(
    ("item", "message", "fix"),
    [
        ("--all=${args}", "${args} inside an item is not replaced", "an item of its own"),
        ("${lr}", "${lr}: a parameter has no macro of its own", "${args}"),
        ("${envvar:home}", "only capitals", "rename"),
        ("${arg}", "unknown macro ${arg}", "did you mean `args`?"),
        ("${foo}", "unknown macro ${foo}", "or envvar:NAME"),
    ],
)
def test_what_the_agent_would_not_replace_is_a_fault(item, message, fix):
    """With its place in the list, and what to write instead."""
    [(said, advised, path)] = found("python", item)
    assert message in said
    assert fix in advised
    assert path == ("command", 1)
