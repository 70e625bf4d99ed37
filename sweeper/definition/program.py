"""Trainers: which function trains, and what it declares to know.

A trainer may declare, beside its function, `CONFIG` (a pydantic model or dataclass: the parameters it reads, with their
defaults) and `METRICS` (the keys it logs). A sweep file can then be checked against it before any run.
"""

from __future__ import annotations

import dataclasses
import importlib
import importlib.util
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sweeper.errors import TrainerError

DEFAULT_TRAINER = "trainer.train:train"
SHIPPED_PROGRAM = "trainer/train.py"
SHIPPED_NEEDS = ("torch", "onnx", "onnxruntime")
"""What every run of the shipped trainer imports, and `pip install sweeper` alone does not bring."""


@dataclass(frozen=True, slots=True)
class Declaration:
    """What a trainer says about itself.

    Attributes:
        target: `package.module:function`.
        config: Its parameters, as a pydantic model or dataclass; None if it does not say.
        metrics: What it logs; None if it does not say.
    """

    target: str
    config: type[Any] | None = None
    metrics: tuple[str, ...] | None = None

    @property
    def defaults(self) -> Mapping[str, Any]:
        """Each parameter's default; `...` where it has none."""
        if self.config is None:
            return {}
        if issubclass(self.config, BaseModel):
            fields = self.config.model_fields.items()
            return {
                name: ... if field.is_required() else field.get_default(call_default_factory=True)
                for name, field in fields
            }
        made = dataclasses.fields(self.config)
        return {field.name: _default(field) for field in made}

    @property
    def takes_anything(self) -> bool:
        """Whether it declares no parameters, or takes others as well."""
        model = self.config
        return model is None or (issubclass(model, BaseModel) and model.model_config.get("extra") == "allow")

    def refusal(self, name: str, value: Any) -> str | None:
        """Say why the trainer would refuse a parameter's value; None if it takes it, or cannot say."""
        if self.config is None or not issubclass(self.config, BaseModel):
            return None
        try:
            # the other parameters take their defaults; what is wrong with those is no fault of this one
            self.config.model_validate({name: value})
        except ValidationError as error:
            own = [detail["msg"] for detail in error.errors(include_url=False) if detail["loc"][:1] == (name,)]
            return own[0] if own else None
        return None


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default is not dataclasses.MISSING:
        return field.default
    return ... if field.default_factory is dataclasses.MISSING else field.default_factory()


def choose_trainer(asked: str | None, program: str | None) -> str:
    """Decide which function trains: `--trainer`, else the file's `program:`, else the shipped one.

    Raises:
        TrainerError: There is no such module, the program is a script, or it is the shipped trainer and what that
            imports is not installed: no run is to be used up to learn it.
    """
    target = asked or (program if program and program != SHIPPED_PROGRAM else DEFAULT_TRAINER)
    module, _, function = target.partition(":")
    if not module or not function or target.endswith(".py"):
        fix = "give --trainer package.module:function; a script stands in the sweep file, as `program:`"
        raise TrainerError(f"{target!r} is not a function", fix)
    with _here():
        found = importlib.util.find_spec(module.partition(".")[0])
    if found is None:
        raise TrainerError(f"no module {module!r} here or in this Python", "run from the folder it lies in")
    missing = [name for name in SHIPPED_NEEDS if target == DEFAULT_TRAINER and importlib.util.find_spec(name) is None]
    if missing and _is_shipped(SHIPPED_PROGRAM):
        fix = "pip install 'sweeper[trainer]', or give your own: --trainer package.module:function"
        raise TrainerError(f"the shipped trainer needs {', '.join(missing)}: not installed here", fix)
    return target


def find_script(asked: str | None, program: str | None, command: Sequence[object]) -> str | None:
    """Decide whether the sweep file's script trains, and check that it can be started.

    Args:
        asked: What the user gave as `--trainer`: a function, which wins.
        program: The file's `program:`.
        command: The file's `command:`.

    Returns:
        What is started, for a person to read; None if a function trains.

    Raises:
        TrainerError: There is no such file, or no such command.
    """
    named = program is not None and ":" not in program and not _is_shipped(program)
    if asked is not None or not (named or command):
        return None
    # what `wandb agent` (0.31) starts where the file has no `command:`
    items = [str(item) for item in command] or ["${env}", "${interpreter}", "${program}", "${args}"]
    if "${program}" in items:
        if program is None:
            raise TrainerError("`command:` has ${program}, and the file no `program:`", "name the script there")
        if "." not in Path(program).name and importlib.util.find_spec(program):
            raise TrainerError(
                f"program {program!r} is a module", "name its file, or a function: package.module:function"
            )
        if not Path(program).is_file():
            raise TrainerError(f"no file {program!r} here ({Path.cwd()})", "run from the folder it lies in")
    starter = next((item for item in items if not item.startswith("${")), None)
    if items and items[0] == starter and shutil.which(starter) is None:
        raise TrainerError(
            f"`command:` starts with {starter!r}, which is no command here", "install it, or mend the file"
        )
    return program or " ".join(items)


@contextmanager
def _here() -> Iterator[None]:
    """Let modules of the current folder be found, as they will be in the worker."""
    # as `python -m` does, which starts the workers
    sys.path.insert(0, str(Path.cwd()))
    try:
        yield
    finally:
        sys.path.pop(0)


def declared(asked: str | None, program: str | None) -> Declaration | None:
    """Import a trainer that the user names, or the shipped one, and read what it declares.

    A file's own `program:` is not imported: checking a file must not run code that the file chose.

    Args:
        asked: What the user gave as `--trainer`.
        program: The file's `program:`.

    Returns:
        None if nobody but the file names the trainer.

    Raises:
        TrainerError: The trainer the user names cannot be imported, or declares nonsense.
    """
    if asked is None and not _is_shipped(program):
        return None
    target = choose_trainer(asked, None)
    name = target.partition(":")[0]
    try:
        with _here() if asked else nullcontext():
            module = importlib.import_module(name)
    except Exception as error:
        raise TrainerError(f"cannot import {name}: {type(error).__name__}: {error}", "mend the module") from error
    return _read(target, getattr(module, "CONFIG", None), getattr(module, "METRICS", None))


def _is_shipped(program: str | None) -> bool:
    """Whether a `program:` names the shipped trainer, and not what bears its name in the current folder."""
    if program not in {DEFAULT_TRAINER, SHIPPED_PROGRAM}:
        return False
    spec = importlib.util.find_spec("trainer")
    shipped = Path(spec.origin).parent if spec and spec.origin else None
    if shipped is None or Path("trainer.py").exists():
        return False
    own = Path("trainer") if program == DEFAULT_TRAINER else Path(SHIPPED_PROGRAM)
    return not own.exists() or own.samefile(shipped if program == DEFAULT_TRAINER else shipped / "train.py")


def _read(target: str, config: Any, metrics: Any) -> Declaration:
    known = config is None or (
        isinstance(config, type) and (issubclass(config, BaseModel) or dataclasses.is_dataclass(config))
    )
    if not known:
        raise TrainerError(f"{target}: CONFIG is {config!r}", "make it a pydantic model or a dataclass (the class)")
    if metrics is not None and (isinstance(metrics, str) or not all(isinstance(key, str) for key in metrics)):
        raise TrainerError(f"{target}: METRICS is {metrics!r}", "make it a tuple of the keys that are logged")
    return Declaration(target, config, None if metrics is None else tuple(metrics))
