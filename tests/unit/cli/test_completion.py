"""What a shell offers when somebody presses Tab, by the protocol of each shell."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from sweeper.backend.choose import LastSweep, remember
from sweeper.backend.embedded_server import data_dir
from sweeper.backend.server_record import ServerRecord, write
from sweeper.cli import app
from sweeper.cli.completion import TIMEOUT_S
from sweeper.journal.attempt import Attempt
from sweeper.journal.directories import SweepDir
from sweeper.ref import SweepRef
from sweeper.settings import Settings
from tests.conftest import ROOT, clean_environ

MAIN = "import sys; sys.argv[0] = 'sweeper'; from sweeper.cli import main; sys.exit(main())"


def line_of(line, shell):
    """Give the variables in which a shell tells of a command line."""
    at = len(line.split()) - (not line.endswith(" "))
    told = {"COMP_WORDS": line, "COMP_CWORD": str(at), "_TYPER_COMPLETE_ARGS": line}
    return told | {"_SWEEPER_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}


@pytest.fixture
def press_tab(environ) -> Callable[..., list[str]]:
    """Press Tab behind a command line in one of the shells; give what it is told."""

    def press(home, line, shell="bash", **more):
        env = {**environ, "SWEEPER_HOME": str(home), **more, **line_of(line, shell)}
        done = CliRunner().invoke(app, [], env=env, prog_name="sweeper")
        assert (done.exit_code, done.stderr) == (0, "")
        return [told for told in done.stdout.splitlines() if told]

    return press


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_is_offered_sweeps(embedded, press_tab, shell):
    """By the protocol of each: bare words; words with what is said beside them."""
    ref, _ = embedded.sweep(text="name: my try\nmethod: grid\nparameters: {lr: {values: [1, 2]}}")
    told = press_tab(embedded.home, f"sweeper status {ref.sweep_id[:4]}", shell)
    expected = {
        "bash": ref.sweep_id,
        "zsh": f'"{ref.sweep_id}":"p my try pending"',
        "fish": f"{ref.sweep_id}\tp my try pending",
    }
    assert any(expected[shell] in line for line in told)


def test_a_project_and_an_entity_can_be_typed(embedded, press_tab):
    """PROJECT/ID and ENTITY/PROJECT/ID; the projects themselves for `--project`."""
    ref, _ = embedded.sweep()
    assert f"p/{ref.sweep_id}" in press_tab(embedded.home, f"sweeper pause p/{ref.sweep_id[:3]}")
    assert ref.path in press_tab(embedded.home, f"sweeper export {ref.path[:-3]}")
    assert ref.sweep_id in press_tab(embedded.home, f"sweeper delete {ref.sweep_id[:3]}")
    assert "p" in press_tab(embedded.home, "sweeper list --project ")


def test_runs_are_those_of_the_sweep_on_the_line(embedded, press_tab):
    """Else of the one created last; what stands on the line already is not offered again."""
    ref, runs = embedded.sweep(0, 0)
    assert set(press_tab(embedded.home, f"sweeper retry {ref} ")) == set(runs)
    assert press_tab(embedded.home, f"sweeper show --sweep {ref.sweep_id} {runs[0][:7]}") == [runs[0]]
    assert press_tab(embedded.home, f"sweeper compare --sweep {ref} {runs[0]} ") == [runs[1]]
    remember(Settings(home=embedded.home), LastSweep(ref.path, "local", embedded.url))
    assert set(press_tab(embedded.home, "sweeper show ")) == set(runs)


def test_without_a_server_there_is_what_this_machine_knows(home, press_tab):
    """Sweeps, runs and slots of its launches; no server is started."""
    ref = SweepRef("e", "p", "abcd1234")
    launch = SweepDir.of(home, ref).new_launch()
    launch.append(Attempt(run_id="r1", slot="gpu0"))
    remember(Settings(home=home), LastSweep(ref.path, "local", "http://127.0.0.1:1"))
    assert press_tab(home, "sweeper status ") == ["abcd1234"]
    assert press_tab(home, "sweeper show ") == ["r1"]
    assert press_tab(home, "sweeper logs ") == ["gpu0", "r1"]
    assert press_tab(home, "sweeper list --project ") == ["p"]
    assert not (home / "server").exists()


def test_nothing_is_offered_where_nothing_is(home, press_tab):
    """Before the first sweep, and with a note or a home that is damaged."""
    assert press_tab(home, "sweeper status ") == press_tab(home, "sweeper show ") == []
    home.mkdir()
    (home / "last-sweep.json").write_text('{"sweep": 5')
    (home / "sweeps").write_text("no folder")
    for line in ("sweeper status ", "sweeper show ", "sweeper logs ", "sweeper show --sweep a/b/c/d "):
        assert press_tab(home, line) == []
    assert press_tab(home, "sweeper status ", SWEEPER_HOME="~nobody-there/x") == []


def test_a_server_that_does_not_answer_is_not_waited_for(home, press_tab):
    """One that listens and says nothing costs less than a second; the folders of this machine have to do."""
    SweepDir.of(home, SweepRef("e", "p", "abcd1234")).new_launch()
    data = data_dir(home)
    data.mkdir()
    (data / "serve.lock").touch()
    with socket.create_server(("127.0.0.1", 0)) as silent, (data / "serve.lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        write(data, ServerRecord(os.getpid(), url, None, "s" * 64))
        for more in ({}, {"WANDB_BASE_URL": url, "WANDB_API_KEY": "k" * 40}):
            began = time.monotonic()
            assert press_tab(home, "sweeper status ", **more) == ["abcd1234"]
            assert time.monotonic() - began < 2 * (TIMEOUT_S + TIMEOUT_S)


def test_what_others_have_called_something_is_no_shell_code(embedded, press_tab):
    """Typer's line for zsh is evaluated by it: a name is told without what a shell obeys, or not at all."""
    name = "$(touch owned) `id` '; rm -rf ~ \\\" [red]"
    text = f"name: {json.dumps(name)}\nmethod: grid\nparameters: {{lr: {{values: [1, 2]}}}}"
    ref, _ = embedded.sweep(text=text)
    for shell in ("zsh", "fish"):
        (line,) = [line for line in press_tab(embedded.home, "sweeper status ", shell) if ref.sweep_id in line]
        about = line.partition(ref.sweep_id)[2]
        assert not set(about) & set("$`';\\()[]") - set("'()")
        assert "$(" not in about
        assert "touch owned" in about
    query = 'mutation { upsertModel(input: {name: "$(id)"}) { inserted } }'
    embedded.wire.graphql(query)
    assert "$(id)" not in press_tab(embedded.home, "sweeper list --project ")


BASH = """
eval "$(_SWEEPER_COMPLETE=source_bash sweeper)"
COMP_WORDS=(sweeper status {start}); COMP_CWORD=2
"$(complete -p sweeper | sed 's/.*-F \\([^ ]*\\).*/\\1/')" sweeper
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")
def test_bash_completes(embedded, tmp_path):
    """The function that bash gets, asked as bash asks it."""
    ref, _ = embedded.sweep()
    script = tmp_path / "sweeper"
    script.write_text(f"#!{sys.executable}\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n{MAIN}\n")
    script.chmod(0o755)
    env = clean_environ(embedded.home)
    env["PATH"] = f"{tmp_path}:{env['PATH']}"
    command = ["bash", "--norc", "-c", BASH.format(start=ref.sweep_id[:5])]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=60)
    assert done.stdout.splitlines() == [ref.sweep_id], done.stderr
