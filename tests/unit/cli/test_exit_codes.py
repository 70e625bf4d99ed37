"""Exit codes, as docs/exit-codes.md promises them: most by real processes, since Typer has a word in them."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import pytest
from typer.main import get_command

from sweeper.cli import app
from sweeper.cli.command_group import CommandGroup
from tests.conftest import ROOT, clean_environ
from tests.unit.cli.test_json import leaves
from tests.unit.conftest import GRID

TEXT = (ROOT / "docs" / "exit-codes.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `sweeper ([a-z -]+)` \| (\d+) \| (.+) \|$", TEXT, re.MULTILINE)
ASK = """
import os, pty, sys, termios
pid, terminal = pty.fork()
if not pid:
    os.execv(sys.executable, [sys.executable, "-m", "sweeper", "server", "add-user", "a", "--key", "-"])
asked = b""
while b"API key" not in asked:
    asked += os.read(terminal, 1024)
while termios.tcgetattr(terminal)[3] & termios.ECHO:
    pass
os.write(terminal, sys.argv[1].encode())
try:
    while os.read(terminal, 1024):
        pass
except OSError:
    pass
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
"""
GOOD = "method: grid\nprogram: train.py\nparameters: {lr: {values: [0.1]}}\n"


def code_of(*args: object, home, cwd=None, **more: str) -> int:
    command = [sys.executable, "-m", "sweeper", *map(str, args)]
    environ = clean_environ(home) | {"PYTHONPATH": os.pathsep.join(sys.path)} | more
    return subprocess.run(command, env=environ, cwd=cwd, capture_output=True, timeout=60).returncode


def test_the_table_knows_the_verbs():
    """Once for each code, and only for those that are explained above it."""
    verbs = leaves(get_command(app))
    assert {verb.partition(" --")[0] for verb, *_ in ROWS} <= set(verbs)
    assert {int(code) for _, code, _ in ROWS} == {0, 1, 130}
    assert re.findall(r"^\| (\d+) \|", TEXT, re.MULTILINE) == ["0", "1", "2", "130"]
    assert len(ROWS) == TEXT.count("\n| `sweeper")
    assert len({row[:2] for row in ROWS}) == len(ROWS)


@pytest.mark.parametrize(
    ("args", "code"),
    [
        ("--version", 0),
        ("schema", 0),
        ("logs gpu0", 1),
        ("logs gpu0 --json", 1),
        ("best e/p/s --backend wandb", 1),
        ("server status", 1),
        ("server url", 1),
        ("server stop", 0),
        ("serve --tls-cert a --tls-key b", 1),
        ("nonsense", 2),
        ("status --nonsense --json", 2),
        ("server nonsense", 2),
        ("create", 2),
        ("launch --workers x", 2),
        ("launch --timeout soon", 2),
        ("launch --workers 1 --gpus 0 --json", 2),
        ("launch --gpus 0 1", 2),
        ("retry e/p/s r1 --failed", 2),
        ("export --format parquet", 2),
        ("serve --tls-cert a", 2),
        ("serve --host 0.0.0.0", 2),
        (f"server add-user eve --key {'k' * 40}", 2),
    ],
)
def test_a_process_ends_with_the_code_that_is_promised(home, args, code):
    """Before a server was started for it, and with `--json` too."""
    assert code_of(*args.split(), home=home) == code
    assert not (home / "server").exists()


@pytest.mark.parametrize(
    ("text", "codes"),
    [(GOOD, {"check": 0, "create": 0}), ("method: grid\nparameters: {lr: {vales: [1]}}\n", {"check": 1, "create": 1})],
)
def test_a_file_with_a_fault_is_no_success(embedded, tmp_path, text, codes):
    """Neither for who checks it, nor for who makes a sweep of it."""
    (tmp_path / "sweep.yaml").write_text(text)
    (tmp_path / "train.py").write_text("import wandb\nwandb.init()\n")
    found = {verb: code_of(verb, "sweep.yaml", home=embedded.home, cwd=tmp_path) for verb in codes}
    assert found == codes


def test_what_is_so_already_is_success(here, embedded, tmp_path):
    """And what cannot be is none; whatever is read of a sweep says nothing about its state."""

    def codes(ref, *verbs: str) -> list[int]:
        return [here(verb, ref).exit_code for verb in verbs]

    ref, _ = embedded.sweep(0, 1)
    assert codes(ref, "pause", "pause", "resume", "resume", "stop", "stop") == [0] * 6
    assert codes(ref, "pause", "cancel", "status", "export", "best") == [1, 1, 0, 0, 0]
    canceled, _ = embedded.sweep()
    assert codes(canceled, "status", "export", "best", "retry") == [0, 0, 1, 1]
    (tmp_path / "new.yaml").write_text(GRID.replace("0.4]", "0.5]"))
    assert here("edit", canceled, tmp_path / "new.yaml", "--dry-run").exit_code == 0
    assert (
        here("edit", canceled, tmp_path / "new.yaml").exit_code == here("delete", canceled).exit_code == 1
    )  # no terminal
    assert here("report", canceled, "-o", tmp_path / "report.html").exit_code == 0
    assert here("confirm", canceled, "--no-launch").exit_code == 1
    assert codes(canceled, "cancel", "cancel", "stop", "pause", "resume") == [0, 0, 0, 1, 1]


def test_a_reader_that_has_seen_enough_is_no_failure(home):
    """A script with `set -o pipefail` goes on; what a command found is still in its code."""
    read, write = os.pipe()
    os.close(read)
    for verb in ("schema", "doctor"):  # printed as it is, and as a table
        command = [sys.executable, "-m", "sweeper", verb]
        done = subprocess.run(command, env=clean_environ(home), stdout=write, stderr=subprocess.PIPE, timeout=60)
        assert (done.returncode, done.stderr) == (0, b"")
    os.close(write)


@pytest.mark.parametrize("ends", [signal.SIGINT, signal.SIGTERM])
def test_a_server_in_the_foreground_ends_well(home, ends):
    """Ctrl-C is how one ends it."""
    command = [sys.executable, "-m", "sweeper", "serve", "--json", "--data", str(home / "server")]
    with subprocess.Popen(
        command, env=clean_environ(home), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as process:
        assert process.stdout.readline()
        process.send_signal(ends)
        assert process.wait(timeout=30) == 0


def test_ctrl_c_is_130(embedded, home):
    """While something goes on, and at a question."""
    ref, _ = embedded.sweep(None)
    watch = [sys.executable, "-m", "sweeper", "status", ref.path, "--watch"]
    with subprocess.Popen(watch, env=clean_environ(embedded.home), stdout=subprocess.PIPE) as process:
        assert process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 130
    assert at_the_question(home, "\x03") == 130
    assert at_the_question(home, "\x04") == 1  # no answer


def at_the_question(home, key: str) -> int:
    """Press a key where `add-user` asks for an API key, at a terminal; give the exit code."""
    asked = subprocess.run([sys.executable, "-c", ASK, key], env=clean_environ(home), timeout=60, check=True, stdout=-1)
    return int(asked.stdout)


def test_other_words_for_a_verb_are_usage(sweeper):
    """`sweeper agent` names what is meant, and does not do it."""
    assert isinstance(get_command(app), CommandGroup)
    assert sweeper("agent").exit_code == 2
