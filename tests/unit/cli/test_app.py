"""The command line as a person meets it: help, examples, exit codes, and what is not imported."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from sweeper.cli import app, main
from sweeper.cli.server import app as server
from sweeper.errors import SweeperError
from sweeper.processes import python
from tests.conftest import clean_environ
from tests.documented_json import assert_documented

COMMANDS = [command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands]
SERVER_COMMANDS = [command.name or getattr(command.callback, "__name__", "") for command in server.registered_commands]


def invoke(*args: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(args), env={"COLUMNS": "80", "TERM": "dumb"})
    return result.exit_code, result.output


@pytest.mark.parametrize("command", [*((name,) for name in COMMANDS), *(("server", name) for name in SERVER_COMMANDS)])
def test_every_command_shows_an_example(command):
    """`--help` says what the command does and shows one that works."""
    code, text = invoke(*command, "--help")
    assert code == 0
    assert f"Example: sweeper {' '.join(command)}" in text
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text  # no word is cut off


def test_the_help_names_every_command():
    """Nothing is hidden."""
    _, text = invoke("--help")
    assert all(f" {name} " in text for name in [*COMMANDS, "server"])


@pytest.mark.parametrize("args", [["nonsense"], ["launch", "--count", "0"], ["launch", "--workers", "x"], ["create"]])
def test_a_usage_error_exits_with_2(args):
    """Typer's own errors keep their exit code."""
    assert invoke(*args)[0] == 2


def test_help_imports_nothing_heavy():
    """`sweeper --help` answers before torch, wandb, optuna, ray or the server could be imported."""
    code = (
        "import sys, sweeper.cli; "
        "print([m for m in ('torch', 'wandb', 'optuna', 'ray', 'numpy', 'starlette', 'pydantic') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]"


def test_a_sweep_is_read_without_the_sdk(embedded, tmp_path):
    """`sweeper status` on our own server: the import of wandb would take longer than all the rest."""
    ref, _ = embedded.sweep(0, None)
    command = python("-X", "importtime", "-m", "sweeper", "status", "--backend", "local", ref.path)
    env = {**clean_environ(embedded.home), "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True)
    assert ref.path in done.stdout
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "sweeper.backend.own_sweeps" in imported
    assert imported & {"wandb", "numpy", "torch", "optuna", "sweeper.definition.sweep_definition"} == set()


def test_the_version_is_the_packages():
    """`--version` and the package metadata agree."""
    from importlib.metadata import version

    assert invoke("--version") == (0, f"sweeper {version('sweeper')}\n")


@pytest.fixture
def argv(environ, monkeypatch):
    """What a person typed behind `sweeper`, in an environment of the test's own."""
    assert environ

    def type_in(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["sweeper", *words])

    return type_in


def test_an_error_is_two_lines_and_exit_code_1(argv, capsys):
    """What is wrong, and what to do; a traceback only for who asks for one."""
    argv("logs", "gpu0")
    assert main() == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == [
        "error: no run or slot 'gpu0' on this machine",
        "  `sweeper status` lists the runs and their slots",
    ]


def test_an_error_is_a_document_for_who_reads_json(argv, capsys):
    """On stdout, whatever the verb's own document is; the words on stderr and the exit code stay."""
    argv("logs", "gpu0", "--json")
    assert main() == 1
    said = capsys.readouterr()
    assert_documented("error", json.loads(said.out))
    assert json.loads(said.out) == {
        "error": {
            "message": "no run or slot 'gpu0' on this machine",
            "hint": "`sweeper status` lists the runs and their slots",
        }
    }
    assert said.err.startswith("error: no run or slot 'gpu0' on this machine\n")
    argv("logs", "--json")  # of what?
    assert main() == 2
    said = capsys.readouterr()
    assert_documented("error", json.loads(said.out))
    assert "Missing argument" in said.err


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (KeyError("x"), ["error: KeyError: 'x'", "  this is a fault of sweeper: SWEEPER_DEBUG=1 shows where"]),
        (SweeperError("no [b]run[/b]"), ["error: no [b]run[/b]"]),
    ],
)
def test_whatever_a_command_raises_no_traceback_is_printed(argv, capsys, raised, said):
    """A fault of ours is called one; what the user can act on needs no more than its words."""

    def command() -> None:
        raise raised

    app.command("raise", hidden=True)(command)
    argv("raise")
    try:
        assert main() == 1
    finally:
        app.registered_commands.pop()
    assert capsys.readouterr().err.splitlines() == said


def test_the_debug_switch_shows_the_traceback(argv, capsys, monkeypatch):
    """Before the two lines, which stay."""
    monkeypatch.setenv("SWEEPER_DEBUG", "1")
    argv("logs", "gpu0")
    assert main() == 1
    said = capsys.readouterr().err
    assert said.startswith("Traceback")
    assert "\nerror: no run or slot" in said


COMMANDS_AT_HOME = ["status", "create x.yaml", "launch", "server status", "serve", "logs r", "doctor"]


@pytest.mark.parametrize("command", COMMANDS_AT_HOME)
def test_a_home_of_others_is_refused_by_every_command(sweeper, home, command):
    """What they put there would be believed; nothing is read or started."""
    home.mkdir()
    home.chmod(0o777)
    error = sweeper(*command.split()).exception
    assert isinstance(error, SweeperError)
    assert "other users can write into" in error.message
    assert list(home.iterdir()) == []
