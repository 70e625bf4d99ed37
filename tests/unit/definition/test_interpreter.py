"""The Python of the trainer's own environment: how it is found and tried, and what a run gets of it."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import pytest

from sweeper.definition import interpreter
from sweeper.definition.program import choose
from sweeper.errors import TrainerError

SDK = "__version__ = '{}'\n"


@pytest.fixture(scope="session")
def other(tmp_path_factory) -> Path:
    """An environment without sweeper and without an SDK; `use` gives it one."""
    home = tmp_path_factory.mktemp("theirs") / "env"
    venv.create(home, symlinks=True)
    return home


@pytest.fixture
def use(other):
    """What puts an SDK into it: the text of its `__init__.py`."""
    (site,) = other.glob("lib/python*/site-packages")
    package = site / "wandb"

    def put(text: str) -> Path:
        package.mkdir(exist_ok=True)
        (package / "__init__.py").write_text(text)
        return other / "bin" / "python"

    yield put
    if package.exists():
        (package / "__init__.py").unlink()
        for file in package.rglob("*.pyc"):
            file.unlink()


def chosen(text: object, **more: str) -> dict[str, str]:
    return interpreter.chosen(str(text), {"PATH": "/usr/bin:/bin", **more})


def test_a_python_is_named_in_several_ways(use, other, monkeypatch):
    """By its file, by the folder of its environment, by its name on PATH, or by the environment of all commands."""
    python = use(SDK.format("0.15.12"))
    monkeypatch.chdir(other)
    env = {"PATH": f"{other}/bin", "SWEEPER_PYTHON": str(python), "SWEEPER_PYTHON_WANDB": "9"}
    for made in (
        interpreter.chosen("bin/python", {"A": "1"}),
        interpreter.chosen(str(other), {"A": "1"}),
        interpreter.chosen("python", {"A": "1", **env}),
        interpreter.chosen(None, {"A": "1", **env}),
    ):
        assert made["A"] == "1"
        assert (made["SWEEPER_PYTHON"], made["SWEEPER_PYTHON_WANDB"]) == (str(python), "0.15.12")


def test_sweepers_own_python_is_no_other():
    """Whoever names it gets what they would have got without: functions, too."""
    assert chosen(sys.executable, SWEEPER_PYTHON="/elsewhere") == {"PATH": "/usr/bin:/bin"}
    assert interpreter.chosen(None, {"A": "1"}) == {"A": "1"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/nonexistent/python", "there is no such file"),
        ("python-of-nobody", "there is no such command on PATH"),
        ("folder", "is a folder without bin/python"),
        ("plain.py", "may not be executed"),
        ("hello.sh", "is no Python"),
        ("numbers.sh", "is no Python"),
        ("garbage", "is no Python"),
    ],
)
def test_what_is_no_python_is_refused_in_words(tmp_path, monkeypatch, text, said):
    """With what to name instead."""
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("plain.py").write_text("")
    for name, content in (
        ("hello.sh", "#!/bin/sh\necho hi\n"),
        ("numbers.sh", "#!/bin/sh\necho 1\n"),
        ("garbage", "x"),
    ):
        Path(name).write_text(content)
        Path(name).chmod(0o700)
    with pytest.raises(TrainerError, match=said) as caught:
        chosen(text if "/" in text or text == "python-of-nobody" else f"./{text}")
    assert caught.value.message.startswith("--python ")
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "said", "fix"),
    [
        ("raise ImportError('libcore is missing')", "cannot import wandb: libcore is missing", "--upgrade wandb"),
        ("import numpy_of_another_age", "cannot import wandb: No module named", "--upgrade wandb"),
        ("1 / 0", "cannot import wandb: ZeroDivisionError: division by zero", "--upgrade wandb"),
        ("", "has no wandb, so no run could log", "-m pip install wandb"),
        (SDK.format("0.14.2"), "has wandb 0.14.2, and the oldest that sweeper knows is 0.15", "'wandb>=0.15'"),
    ],
)
def test_a_python_that_cannot_log_is_refused_in_words(use, text, said, fix):
    """Its SDK is imported, for one that is there may not work."""
    python = use(text)
    with pytest.raises(TrainerError) as caught:
        interpreter.chosen(None, {"PATH": "/bin", "SWEEPER_PYTHON": str(python)})
    assert said in caught.value.message
    assert caught.value.message.startswith("SWEEPER_PYTHON ")
    assert str(python) in caught.value.hint
    assert fix in caught.value.hint


def test_a_python_without_an_sdk_is_told_from_a_broken_one(other):
    """Neither the folder one stands in nor its `wandb` of runs is taken for it."""
    with pytest.raises(TrainerError, match=r"\(Python 3\.\d+\) has no wandb"):
        chosen(other / "bin" / "python")


def test_one_that_never_answers_is_given_up(tmp_path, monkeypatch):
    """A disk that hangs keeps nobody waiting for ever."""
    monkeypatch.setattr(interpreter, "LIMIT_S", 0.2)
    slow = tmp_path / "python"
    slow.write_text("#!/bin/sh\nexec sleep 60\n")
    slow.chmod(0o700)
    with pytest.raises(TrainerError, match=r"takes longer than 0\.2 s to import wandb"):
        chosen(slow)


def test_a_command_can_be_told_of_it():
    """Quoted for a shell; nothing where none was named."""
    assert interpreter.option("my env/bin/python") == " --python 'my env/bin/python'"
    assert not interpreter.option(None)


def test_functions_are_for_sweepers_own_python():
    """Scripts and commands are not refused, nor is anything without another Python."""
    env = {"SWEEPER_PYTHON": "/theirs/bin/python"}
    (refused,) = interpreter.refusal(choose("mine:train", None), env)
    assert "mine:train is a function" in refused.message
    assert "/theirs/bin/python -m pip install sweeper" in refused.fix
    assert not list(interpreter.refusal(choose(None, "train.py"), env))
    assert not list(interpreter.refusal(choose("mine:train", None), {}))


def test_a_run_finds_it_first(other):
    """As `python`, and what else is installed beside it."""
    python = str(other / "bin" / "python")
    env = {"PATH": "/usr/bin:/bin", "SWEEPER_PYTHON": python}
    assert interpreter.path_of_runs(env) == f"{other}/bin:/usr/bin:/bin"
    assert interpreter.executable("python3", env) == python
    assert interpreter.executable("sh", env) in {"/usr/bin/sh", "/bin/sh"}
    assert interpreter.executable("nothing-of-that-name", env) is None
    assert interpreter.starts(python, env)
    assert not interpreter.starts(sys.executable, env)
    assert interpreter.path_of_runs({"PATH": "/bin"}) == f"{Path(sys.executable).parent}:/bin"
    assert interpreter.starts(sys.executable, {})


def test_a_script_is_read_by_the_python_that_runs_it(other, tmp_path):
    """What is wrong for it is told with its line; a script is not run."""
    env = {"SWEEPER_PYTHON": str(other / "bin" / "python")}
    script = tmp_path / "train.py"
    script.write_text("open('touched', 'w')\nprint 'old'\n")
    assert interpreter.fault_in(script, env).startswith(", line 2: SyntaxError: Missing parentheses")
    script.write_text("open('touched', 'w')\n")
    os.utime(script, ns=(1, 1))
    assert not interpreter.fault_in(script, env)
    assert not (tmp_path / "touched").exists()


def test_runs_are_in_its_environment(other, tmp_path):
    """Sweeper's own is not named any more; where there is a `python` nothing is written."""
    env = {"PATH": "/bin", "VIRTUAL_ENV": "/sweepers", "SWEEPER_PYTHON": str(other / "bin" / "python")}
    made = interpreter.for_runs(env, tmp_path / "bin")
    assert made == {**env, "VIRTUAL_ENV": str(other)}
    assert not (tmp_path / "bin").exists()
    assert interpreter.for_runs({"VIRTUAL_ENV": "/sweepers"}, tmp_path / "bin") == {"VIRTUAL_ENV": "/sweepers"}


def test_a_python_of_another_name_is_called_python_all_the_same(other, tmp_path):
    """As /usr/bin/python3.9 has to be, which has no `python` beside it, or another one; its packages are its own."""
    odd = tmp_path / "odd" / "python3.9"
    odd.parent.mkdir()
    odd.write_text(f'#!/bin/sh\nexec {other}/bin/python "$@"\n')
    odd.chmod(0o700)
    made = interpreter.for_runs({"PATH": "/bin", "SWEEPER_PYTHON": str(odd)}, tmp_path / "bin")
    assert interpreter.path_of_runs(made).split(":") == [str(tmp_path / "bin"), str(odd.parent), "/bin"]
    assert "VIRTUAL_ENV" not in made
    for name in interpreter.NAMES:
        run = {**made, "PATH": interpreter.path_of_runs(made)}
        command = ["/usr/bin/env", name, "-c", "import sys; print(sys.prefix, *sys.argv[1:])", "a b"]
        assert subprocess.check_output(command, env=run, text=True).strip() == f"{other} a b"
