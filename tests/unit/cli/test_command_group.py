"""Words of other tools, and misspelt ones."""

from __future__ import annotations

import pytest

from sweeper.cli import app
from sweeper.cli.command_group import OTHER_WORDS


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (["agent", "abc"], "sweeper launch"),
        (["sweep", "grid.yaml"], "sweeper create"),
        (["grid.yaml"], "sweeper create grid.yaml"),
        (["run"], "sweeper launch"),
        (["ls"], "sweeper list"),
        (["trials"], "sweeper runs"),
        (["describe", "r1"], "sweeper show RUN"),
        (["diff", "r1", "r2"], "sweeper compare"),
        (["prune"], "sweeper server prune"),
        (["lanch"], "'launch'"),
    ],
)
def test_an_unknown_command_names_the_one_that_is_meant(sweeper, args, says):
    """W&B's words are the ones that people come with."""
    done = sweeper(*args)
    assert done.exit_code == 2
    assert "No such command" in done.output
    assert "Did you mean" in done.output
    assert says in done.output


def test_no_word_hides_a_command():
    """And each leads to one that exists."""
    commands = {command.name or command.callback.__name__ for command in app.registered_commands}
    assert not commands & set(OTHER_WORDS)
    groups = {group.name for group in app.registered_groups}
    assert {word.split()[0] for word in OTHER_WORDS.values()} <= commands | groups | {"--help", "--version"}
