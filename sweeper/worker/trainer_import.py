"""The trainer's module and function: imported under watch, and looked at before a run is taken.

Importing runs the user's code, which may raise anything, end the process, or train: what is wrong is told once, in
their own words, and costs no run.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import threading
from collections.abc import Callable
from types import ModuleType

from sweeper.definition.obstacle import GUARD
from sweeper.errors import TrainerError
from sweeper.worker.tracebacks import last_place, one_line, print_own

Trainer = Callable[[], object]

LOOK_S = 0.02

_WHERE = "run the launch where `python -c 'import {}'` works"


def import_under_watch(name: str, on_run: Callable[[], None]) -> ModuleType:
    """Import a module; if that starts a run of W&B's, which would train for hours and belong to no sweep, say so.

    Args:
        name: The module.
        on_run: Called in another thread when a run has begun.
    """
    done = threading.Event()

    def watch() -> None:
        while not done.wait(LOOK_S):
            if getattr(sys.modules.get("wandb"), "run", None) is not None:
                on_run()
                return

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        sys.argv = [name]  # a trainer that parses arguments finds none, and not those of our worker
        return importlib.import_module(name)
    finally:
        done.set()
        thread.join()


def load_trainer(target: str, *, on_run: Callable[[str], None] = lambda _error: None) -> Trainer:
    """Import `package.module:function`.

    Args:
        target: Its name.
        on_run: Told, in another thread, why a module that trains while it is imported is no trainer.

    Raises:
        TrainerError: The module cannot be imported or has no such function, or nobody could call it for a run.
    """
    module_name, _, name = target.partition(":")
    trains = f"importing {module_name} calls wandb.init, before there is a run: {GUARD}"
    try:
        module = import_under_watch(module_name, lambda: on_run(trains))
    except SystemExit as error:
        said = f"importing {module_name} calls sys.exit({error.code!r}){last_place(error)}"
        raise TrainerError(said, GUARD) from error
    except BaseException as error:
        print_own(error)
        said = f"cannot import {module_name}: {one_line(error)}{last_place(error)}"
        raise TrainerError(said, _WHERE.format(module_name) if isinstance(error, ImportError) else "") from error
    sys.argv = [getattr(module, "__file__", None) or module_name]  # one in C may have none
    trainer = getattr(module, name, None)
    if not callable(trainer):
        hint = _shadowed(module) or "give --trainer package.module:function"
        raise TrainerError(f"{module_name} has no function {name!r}", hint)
    _check_call(target, trainer)
    function: Trainer = trainer
    return function


def _check_call(target: str, trainer: Callable[..., object]) -> None:
    """Refuse what a call without arguments would not run."""
    if inspect.iscoroutinefunction(trainer):
        raise TrainerError(f"{target} is an async function: calling it runs nothing", "call asyncio.run(...) in one")
    if inspect.isgeneratorfunction(trainer) or inspect.isasyncgenfunction(trainer):
        raise TrainerError(f"{target} has a `yield`: calling it runs nothing", "give a function that trains")
    try:
        signature = inspect.signature(trainer)
    except (TypeError, ValueError):  # some of those that are written in C have none
        return
    try:
        signature.bind()
    except TypeError as error:
        fix = "a trainer is called without arguments and reads its parameters from wandb.config"
        raise TrainerError(f"{target}{signature} cannot be called without arguments: {error}", fix) from error


def _shadowed(module: ModuleType) -> str:
    """Say so if Python's own module was found in the place of the user's."""
    if module.__name__.partition(".")[0] not in sys.stdlib_module_names:
        return ""
    return f"{module.__name__} is a module of Python itself ({module.__file__ or 'built in'}): give yours another name"
