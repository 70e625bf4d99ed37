"""Whether a command can be started from the current folder; functions have a page of their own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sweeper.definition.obstacle import Obstacle
from sweeper.definition.program import choose
from sweeper.definition.startable import obstacles

SCRIPT = "import wandb\nwandb.init()\nopen('touched', 'w')\n"
DEFAULT = '["${env}", "${interpreter}", "${program}", "${args}"]'


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder with scripts of every kind."""
    monkeypatch.chdir(tmp_path)
    files = {
        "train.py": SCRIPT,
        "src/net.py": SCRIPT,
        "pkg/__init__.py": "",
        "pkg/fit.py": SCRIPT,
        "app/__main__.py": SCRIPT,
        "broken.py": "x = 1\nprint 'old'\n",
        "train.sh": "set -e\nif true; then :; fi\n",
        "go.sh": "#!/bin/sh\n",
        "walk.ipynb": '{"a": null}',
        "escapes.py": "'\\d'\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "go.sh").chmod(0o700)
    yield tmp_path
    assert not Path("touched").exists()  # nothing was run


def look(program: str | None, *command: object) -> list[Obstacle]:
    return list(obstacles(choose(None, program, command), os.environ))


@pytest.mark.parametrize(
    ("program", "command"),
    [
        ("train.py", []),
        ("./src/net.py", []),
        ("app", []),
        ("escapes.py", []),
        ("train.py", ["${env}", "A=1", "${interpreter}", "-u", "${program}", "${args}"]),
        ("pkg.fit", ["python", "-m", "${program}", "${args}"]),
        ("json.tool", ["python", "-m", "${program}", "${args}"]),
        ("app", ["python", "-m", "${program}"]),
        ("pytest", ["${program}", "${args}"]),
        ("./go.sh", ["${program}", "${args}"]),
        ("./go.sh", ["${env}", "${program}", "${args}"]),
        ("train.sh", ["bash", "${program}", "${args}"]),
        (None, ["bash", "-c", "echo $HOME ${HOME}"]),
        (None, ["python", "-c", "import x", "${args}"]),
        ("train.py", ["nice", "-n", "5", "python", "${program}", "${args}"]),
        ("anything at all", ["ls", "${args}"]),
        ("broken.py", ["bash", "${program}"]),
    ],
)
def test_what_the_agent_can_start_is_not_held_up(program, command):
    """A file is asked for only where the command needs one here."""
    assert look(program, *command) == []


@pytest.mark.parametrize(
    ("program", "command", "kind", "found", "fix"),
    [
        ("trian.py", [], "missing", "no file 'trian.py' here", "did you mean train.py?"),
        ("train", [], "missing", "is a module", "train.py"),
        ("net.py", [], "missing", "no file 'net.py' here", "did you mean src/net.py?"),
        ("nowhere/x.py", [], "missing", "no file", "run from the folder it lies in"),
        ("src", [], "wrong", "'src' is a folder", "src/net.py"),
        ("broken.py", [], "wrong", "broken.py, line 2: SyntaxError", "mend broken.py"),
        ("train.sh", [], "wrong", "train.sh, line 2: SyntaxError", "command: [bash"),
        ("walk.ipynb", [], "wrong", "is a notebook", "nbconvert"),
        ("python train.py --epochs 3", [], "wrong", "is a command line", '"${program}", "--epochs", "3", "${args}"'),
        ("train.py --epochs 3", [], "wrong", "is a command line", "`program: train.py`"),
        ("~/train.py", [], "wrong", "begins with ~", "whole path"),
        ("$HOME/train.py", [], "wrong", "no variable is expanded", "the path itself"),
        ("pkg.fit", [], "missing", "is a module", "pkg/fit.py"),
        ("pytest", [], "missing", "is a module", '"-m"'),
        ("ls", [], "wrong", "is a command", 'command: ["${program}", "${args}"]'),
        ("", [], "wrong", "`program:` is empty", "name the script"),
        ("-", [], "wrong", "no standard input", "name a script"),
        (None, ["python", "${program}"], "wrong", "the file no `program:`", "name the script"),
        ("toy:train", ["python", "${program}"], "wrong", "is a function", "leave `command:` out"),
        ("train.sh", ["${program}"], "wrong", "looked for on PATH", "chmod +x"),
        ("go.sh", ["${env}", "${program}"], "wrong", "looked for on PATH", "write ./go.sh"),
        ("./train.sh", ["${program}"], "wrong", "not executable", "chmod +x ./train.sh"),
        ("./src", ["${program}"], "wrong", "is a folder", "name a file"),
        ("~/x", ["${program}"], "wrong", "begins with ~", "whole path"),
        (None, ["no-such-tool", "x"], "missing", "no command here", "install it"),
        (None, ["${env}", "A=1"], "wrong", "starts no program", "begin with one"),
        (None, ["python", "-u"], "wrong", "gets no script", "${program} before"),
        (None, ["python", "-u", "gone.py", "${args}"], "missing", "no file 'gone.py'", "run from"),
        (None, ["bash", "gone.sh"], "missing", "no file 'gone.sh'", "run from"),
        ("pkg.gone", ["python", "-m", "${program}"], "missing", "no module 'pkg.gone'", "run from"),
        ("train.py", ["python", "-m", "${program}"], "missing", "no module 'train.py'", "did you mean `train`?"),
        ("pkg", ["python", "-m", "${program}"], "wrong", "without __main__.py", "name a module"),
        ("broken", ["python", "-m", "${program}"], "wrong", "SyntaxError", "mend"),
        ("gone.py", ["torchrun", "${program}"], "note", "no file 'gone.py' here", "fine if"),
    ],
)
def test_what_the_agent_cannot_start_is_named(program, command, kind, found, fix):
    """What cannot be right anywhere apart from what may lie elsewhere; the agent would say nothing of either."""
    [said] = look(program, *command)
    assert said.kind == kind
    assert found in said.message
    assert fix in said.fix
    assert said.is_error == (kind != "note")


def test_a_command_without_parameters_is_noted_where_the_script_reads_its_command_line():
    """Every run would be the same; a script that reads `wandb.config` gets its parameters there."""
    Path("cli.py").write_text(
        "import argparse, wandb\nwandb.init(config=vars(argparse.ArgumentParser().parse_args()))\n"
    )
    [said] = look("cli.py", "python", "${program}")
    assert (said.kind, said.key) == ("note", ("command",))
    assert "has no ${args}, and cli.py reads its command line" in said.message
    assert look("cli.py", "python", "${program}", "${args_no_hyphens}") == []
    Path("cli.py").write_text("import argparse, wandb\nlr = wandb.init().config.lr\n")
    assert look("cli.py", "python", "${program}") == []


def test_another_python_reads_another_language():
    """What it imports and which syntax it has, only it knows."""
    other = Path("python3")
    other.write_text("#!/bin/sh\n")
    other.chmod(0o700)
    assert look("broken.py", "./python3", "${program}") == []
    assert look("pkg.gone", "./python3", "-m", "${program}") == []
    [said] = look("gone.py", "./python3", "${program}")
    assert said.kind == "missing"


def test_commands_are_those_on_the_path_of_the_run():
    """It may not be ours; our own Python's folder is on it always."""
    tool = Path("src", "own-tool")
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o700)
    [said] = obstacles(choose(None, "own-tool"), {"PATH": "src"})
    assert "is a command" in said.message
    assert list(obstacles(choose(None, "own-tool", ["${program}"]), {"PATH": "src"})) == []
    assert list(obstacles(choose(None, "pytest", ["${program}"]), {"PATH": "src"})) == []


def test_an_obstacle_has_the_place_of_what_it_is_about():
    """The program's where the program is meant, the item's where that is written out."""
    assert [one.key for one in look("gone.py")] == [("program",)]
    assert [one.key for one in look(None, "python", "gone.py")] == [("command", 1)]
