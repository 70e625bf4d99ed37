"""Which trainer a sweep takes, and why."""

from __future__ import annotations

import pytest

from sweeper.definition.command_macros import DEFAULT_COMMAND
from sweeper.definition.program import choose, here, is_shipped


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder to stand in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("asked", "program", "chosen", "why"),
    [
        (None, None, "trainer.train:train", "the shipped one: the file names no program"),
        (None, "trainer/train.py", "trainer.train:train", "the shipped one, as the file's `program:` says"),
        (None, "json:dumps", "json:dumps", "as the file's `program:` says"),
        ("json:dumps", "trainer/train.py", "json:dumps", "as --trainer says"),
    ],
)
def test_the_option_wins_over_the_file_and_that_over_the_shipped_trainer(asked, program, chosen, why):
    """The shipped files name their script for `wandb agent`; here that is the shipped function."""
    choice = choose(asked, program)
    assert (choice.target, choice.why, choice.command) == (chosen, why, None)
    assert str(choice) == f"{chosen}, {why}"
    assert choice.by_default == (asked is None and program is None)


@pytest.mark.parametrize(
    ("asked", "program", "command", "script"),
    [
        ("json:dumps", "mine.py", [], None),
        (None, "mine.py", [], "mine.py"),
        (None, "mine.py", ["${env}", "${interpreter}", "${program}", "${args}"], "mine.py"),
        (None, "trainer/train.py", ["sh", "-c", "true"], "sh -c true"),
        (None, None, ["sh", "-c", "true"], "sh -c true"),
        (None, None, ["python", 3], "python 3"),
        (None, "json:dumps", ["sh", "${args}"], "sh ${args}"),
        (None, "", [], "nothing"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_script_or_command_trains_where_the_file_names_one(asked, program, command, script):
    """A function that the user asks for wins; a command that does not have ${program} is told as it stands."""
    choice = choose(asked, program, command)
    if script is None:
        assert (choice.target, choice.command) == (asked, None)
    else:
        assert (choice.target, choice.program) == (script, program)
        assert choice.command == (tuple(map(str, command)) or DEFAULT_COMMAND)


@pytest.mark.parametrize("own", ["trainer/train.py", "trainer/__init__.py", "trainer.py"])
def test_a_module_of_the_users_hides_the_shipped_trainer(folder, own):
    """What lies in the current folder is found first, by the worker too."""
    assert is_shipped("trainer/train.py")
    assert is_shipped("trainer.train:train")
    (folder / own).parent.mkdir(exist_ok=True)
    (folder / own).touch()
    assert not is_shipped("trainer/train.py")
    assert not is_shipped("trainer.train:train")
    assert not is_shipped("train.py")


def test_modules_of_the_current_folder_are_found_as_in_a_worker(folder):
    """And only for as long as that is wanted."""
    import sys

    before = list(sys.path)
    with here():
        assert sys.path == [str(folder), *before]
    assert sys.path == before
