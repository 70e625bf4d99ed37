"""Whether what trains can be started from the current folder: the files are looked at, and none of them is run."""

from __future__ import annotations

import difflib
import os
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path

from sweeper.definition import command_words, function_in_text, interpreter
from sweeper.definition.command_macros import A_COMMAND
from sweeper.definition.command_words import StartedCommand, Word
from sweeper.definition.module_files import find_module
from sweeper.definition.obstacle import ELSEWHERE, Obstacle, in_code, unread
from sweeper.definition.program import Choice


def obstacles(choice: Choice, environ: Mapping[str, str]) -> Iterator[Obstacle]:
    """Look for what keeps a choice from starting in the current folder.

    Args:
        choice: What trains.
        environ: The environment of whoever starts it.
    """
    if choice.command is None:
        yield from function_in_text.obstacles_of(choice)
        return
    if "${program}" in choice.command and not choice.program:
        place, said = ("command",), "`command:` has ${program}, and the file no `program:`"
        if choice.program is not None:
            place, said = ("program",), "`program:` is empty"
        yield Obstacle("wrong", place, said, "name the script there")
        return
    if choice.program and ":" in choice.program and "${program}" in choice.command:
        fix = "leave `command:` out: `sweeper launch` calls the function; or name a script"
        yield Obstacle("wrong", ("program",), f"{choice.program!r} is a function, which no `command:` starts", fix)
        return
    words = command_words.expand(choice.program, choice.command, environ)
    yield from _of_reading(command_words.read(words), words, environ)


# --- a command


def _of_reading(reading: StartedCommand, words: list[Word], environ: Mapping[str, str]) -> Iterator[Obstacle]:
    starter = reading.starter
    if starter is None or starter.is_parameters:
        yield Obstacle("wrong", ("command",), "`command:` starts no program", A_COMMAND)
        return
    found = interpreter.executable(starter.text, environ)
    if found is None:
        yield _no_command(starter)
        return
    if reading.kind == "neither":
        yield from _passed_on(reading, words)
    elif reading.needed is None:
        what = "script" if reading.kind == "file" else "module after -m"
        yield Obstacle("wrong", ("command",), f"{starter.text} gets no {what}", "write ${program} before ${args}")
    elif reading.kind == "module":
        yield from _of_module(reading.needed, found, environ)
    else:
        yield from _of_script(reading.needed, reading, found, environ)
        if not any(word.is_parameters for word in words):
            yield from _without_parameters(Path(reading.needed.text))


def _without_parameters(script: Path) -> Iterator[Obstacle]:
    """Note a script that reads its command line, of a command that has no parameters on it."""
    try:
        text = script.read_text(encoding="utf-8") if script.is_file() else ""
    except (OSError, ValueError):
        return
    if re.search(r"\b(argparse|sys\.argv|click|typer|fire|absl|docopt|hydra)\b", text) and ".config" not in text:
        found = f"has no ${{args}}, and {script} reads its command line: every run would take its defaults"
        yield Obstacle("note", ("command",), found, 'add "${args}" at the end, or read wandb.config')


def _no_command(starter: Word) -> Obstacle:
    """Say why the kernel would not start it."""
    name, file = starter.text, Path(starter.text)
    named = starter.key == ("program",)
    what = f"the program {name!r}" if named else f"`command:` starts with {name!r}, which"
    if "/" not in name and file.is_file():
        fix = (
            f"write ./{name}"
            if os.access(file, os.X_OK)
            else f"write ./{name}, and make it executable: chmod +x {name}"
        )
        return Obstacle("wrong", starter.key, f"{what} is looked for on PATH, not in this folder", fix)
    if file.is_dir():
        return Obstacle("wrong", starter.key, f"{what} is a folder", "name a file")
    if file.is_file():
        return Obstacle("wrong", starter.key, f"{what} is not executable", f"chmod +x {name}")
    if name.startswith("~"):
        return Obstacle(
            "wrong", starter.key, f"{what} begins with ~, which only a shell expands", "write the whole path"
        )
    return Obstacle("missing", starter.key, f"{what} is no command here", "install it, or mend the file")


def _passed_on(reading: StartedCommand, words: list[Word]) -> Iterator[Obstacle]:
    """Note a script that is handed to a program which may find it elsewhere: a container, another machine."""
    for word in words:
        is_script = word is not reading.starter and word.key == ("program",) and word.text.endswith(".py")
        if is_script and not Path(word.text).exists():
            found = f"no file {word.text!r} here ({Path.cwd()})"
            yield Obstacle("note", word.key, found, "fine if the command finds it elsewhere")


# --- a script


def _of_script(script: Word, reading: StartedCommand, starter: str, environ: Mapping[str, str]) -> Iterator[Obstacle]:
    path = Path(script.text)
    python = reading.interpreter == "python"
    if script.text in {"-", "/dev/stdin"}:
        yield Obstacle("wrong", script.key, "a run has no standard input to read a program from", "name a script")
    elif path.is_dir():
        if not (python and (path / "__main__.py").is_file()):
            yield Obstacle("wrong", script.key, f"{script.text!r} is a folder", _in_folder(path))
    elif not path.is_file():
        yield _no_file(script, environ, python=python)
    elif path.suffix == ".ipynb":
        fix = f"jupyter nbconvert --to script {path.name}, and name the .py file"
        yield Obstacle("wrong", script.key, f"{script.text!r} is a notebook, which Python does not run", fix)
    elif not os.access(path, os.R_OK):
        yield Obstacle("wrong", script.key, f"{script.text!r} cannot be read", f"chmod u+r {script.text}")
    elif python and interpreter.starts(starter, environ):
        yield from _in_script(path, script.key, environ)


def _in_script(path: Path, key: tuple[str | int, ...], environ: Mapping[str, str]) -> Iterator[Obstacle]:
    """Find code that the Python which is to run it does not read."""
    if not environ.get(interpreter.PYTHON):
        yield from in_code(path, key)
    elif said := interpreter.fault_in(path, environ):
        yield unread(path, key, said)


def _in_folder(path: Path) -> str:
    names = sorted(path.glob("*.py"))[:5]
    return f"name a file in it: {', '.join(map(str, names))}" if names else "name a file"


def _no_file(script: Word, environ: Mapping[str, str], *, python: bool) -> Obstacle:
    """Say what a script that is not there was meant to be."""
    name = script.text
    found = f"no file {name!r} here ({Path.cwd()})"
    if name.startswith("~"):
        return Obstacle(
            "wrong", script.key, f"{name!r} begins with ~, which only a shell expands", "write the whole path"
        )
    if "$" in name:
        return Obstacle("wrong", script.key, f"{name!r}: no variable is expanded here", "write the path itself")
    if line := _command_line(name):
        return Obstacle("wrong", script.key, f"{name!r} is a command line, no file", line)
    if python and script.key == ("program",):
        as_module = 'add `command: ["${env}", "${interpreter}", "-m", "${program}", "${args}"]`'
        if find_module(name) is not None:
            fix = f"name its file ({name.replace('.', '/')}.py) or a function ({name}:FUNCTION), or {as_module}"
            return Obstacle("missing", script.key, f"program {name!r} is a module", fix)
        if interpreter.executable(name, environ):
            fix = 'add `command: ["${program}", "${args}"]`'
            return Obstacle("wrong", script.key, f"program {name!r} is a command, which Python does not start", fix)
    close = _close(Path(name))
    return Obstacle("missing", script.key, found, f"did you mean {close}? Else {ELSEWHERE}" if close else ELSEWHERE)


def _command_line(name: str) -> str | None:
    """Advise on `program: python train.py --epochs 3`."""
    try:
        words = shlex.split(name)
    except ValueError:
        return None
    script = next((word for word in words if word.endswith((".py", ".sh")) or Path(word).is_file()), None)
    if len(words) < 2 or script is None:
        return None
    options = words[words.index(script) + 1 :]
    more = ", ".join(f'"{word}"' for word in options)
    command = (
        f'; and `command: ["${{env}}", "${{interpreter}}", "${{program}}", {more}, "${{args}}"]`' if options else ""
    )
    return f"write `program: {script}`{command}"


def _close(path: Path) -> str | None:
    """Find a file whose name is near, or the same name in a folder below."""
    try:
        names = [file.name for file in path.parent.iterdir() if file.is_file()]
        below = sorted(file for file in Path.cwd().glob(f"*/{path.name}") if file.is_file())
    except (OSError, ValueError, NotImplementedError):
        return None
    if below:
        return os.path.relpath(below[0])
    near = difflib.get_close_matches(path.name, [*names, f"{path.name}.py"], n=3, cutoff=0.7)
    return next((str(path.with_name(name)) for name in near if name in names), None)


# --- a module


def _of_module(module: Word, starter: str, environ: Mapping[str, str]) -> Iterator[Obstacle]:
    """Look for what `python -m` starts; only in our own Python can anybody know."""
    if environ.get(interpreter.PYTHON) or not interpreter.starts(starter, environ):
        return
    found = find_module(module.text)
    if found is None:
        fix = f"did you mean `{module.text[:-3]}`?" if module.text.endswith(".py") else ELSEWHERE
        yield Obstacle("missing", module.key, f"no module {module.text!r} here or in this Python", fix)
    elif found.is_package and not (found.folder / "__main__.py").is_file():
        fix = "name a module in it, or add a __main__.py"
        yield Obstacle("wrong", module.key, f"{module.text!r} is a package without __main__.py", fix)
    elif found.is_source:
        yield from in_code(found.path, module.key)
