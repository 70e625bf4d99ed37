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
    assert found("python", "x.py", "${envvar:HOME}/${envvar:USER}", "${envvar:HOME}") == []


@pytest.mark.parametrize(
    "item",
    [
        "hydra.run.dir=out/${now:%H-%M-%S}",
        "hydra.sweep.subdir=${hydra.job.num}_${hydra.job.id}",
        "model.lr=${lr}",
        "cd ${HOME} && exec python train.py",
        "--out=$HOME/${x}",
        "x ${",
        "}${",
    ],
)
def test_what_stands_inside_a_longer_item_is_for_the_program(item):
    """Hydra, OmegaConf and shells have `${...}` too: the agent passes it on as it is written."""
    assert found("python", "x.py", item) == []


@pytest.mark.parametrize(
    ("item", "message", "fix"),
    [
        ("--all=${args}", "${args} inside an item is not replaced", "an item of its own"),
        ("exec ${interpreter} x.py", "${interpreter} inside an item is not replaced", "an item of its own"),
        ("--lr=${lr}", "${lr}: a parameter has no macro of its own", "${args}"),
        ("out/${envvar:user}", "only capitals", "rename"),
        ("${now:%H}", "unknown macro ${now:%H}", "or envvar:NAME"),
        ("${now:%H}/${now:%M}", "takes it for one macro", "other text"),
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


@pytest.mark.parametrize(
    ("command", "message", "index"),
    [
        (["${args}"], "${args} cannot start a program", 0),
        (["${env}", "${args_no_hyphens}"], "${args_no_hyphens} cannot start a program", 1),
        (["${args}", "python", "x.py"], "${args} cannot start a program", 0),
        (["${interpreter}"], "Python without a program", 0),
        (["${env}"], "${env} alone", 0),
    ],
)
def test_a_command_starts_with_a_program(command, message, index):
    """The agent would try to run the first parameter, and say nothing when that fails."""
    [(said, advised, path)] = found(*command)
    assert message in said
    assert "${program}" in advised
    assert path == ("command", index)
