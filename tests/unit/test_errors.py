"""The errors a user meets."""

from __future__ import annotations

import re

import sweeper.errors
from sweeper.errors import DefinitionError, SweeperError


def _kinds(error: type[SweeperError]) -> set[tuple[str, str]]:
    """Pair each error below one with the one above it."""
    below = [kind for kind in error.__subclasses__() if kind.__module__ == sweeper.errors.__name__]
    return {(kind.__name__, error.__name__) for kind in below}.union(*map(_kinds, below))


def test_the_tree_of_errors_is_the_one_that_is_drawn():
    """Whoever catches one sees in the module's first lines what else they catch."""
    drawn, parents = set(), ["SweeperError"]
    for branch, name in re.findall(r"^([│ ]*[├└]──) (\w+)", sweeper.errors.__doc__, re.MULTILINE):
        depth = (len(branch) + 1) // 4
        drawn.add((name, parents[depth - 1]))
        parents[depth:] = [name]
    assert drawn == _kinds(SweeperError)


def test_an_error_keeps_its_fix_apart():
    """The message is one line, the fix another; a log of the exception alone has the message."""
    error = SweeperError("no such sweep", "see `sweeper status`")
    assert (str(error), error.hint, SweeperError("x").hint) == ("no such sweep", "see `sweeper status`", "")


def test_faults_of_a_file_stay_as_they_were_found():
    """In their order, and whatever becomes of the list that they came in."""
    found = ["first", "second"]
    error = DefinitionError("two faults", faults=found)
    found.clear()
    assert error.faults == ("first", "second")
