"""What a machine's runs have in common is imported once, by the process that their workers are forked from.

Nobody waits for the rest: only what the trainer's own file imports is imported ahead, so torch is where it asks for it.
"""

from __future__ import annotations

import ast
import contextlib
import importlib
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import ModuleType

from sweeper.backend import sdk_shortcuts
from sweeper.worker import users_folder
from sweeper.worker.tracebacks import one_line
from sweeper.worker.trainer_import import import_under_watch

OWN = ("sweeper.worker.slot_loop", "sweeper.worker.run_process", "sweeper.worker.run_witness", "sweeper.backend.sdk")
"""Our modules. They come first: what the user's folder calls the same comes after."""

SDK = (
    *("wandb", "wandb.apis.public", "wandb.agents.pyagent", "wandb.sdk.launch.inputs.internal", "requests"),
    *("opentelemetry.sdk._logs.export", "opentelemetry.exporter.otlp.proto.http._log_exporter"),
    "opentelemetry.exporter.otlp.proto.http.metric_exporter",
)
"""What a run's agent and `wandb.init` would import by themselves in each run: most of a second (wandb 0.31)."""


def import_sdk() -> None:
    """Import ours and the SDK; what is not there, a run's process will miss, and say so."""
    for name in (*OWN, *SDK):
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    path = list(sys.path)
    users_folder.come_first()  # as it is for the runs, in whose path the packages are looked for
    sdk_shortcuts.remember_packages()
    sys.path[:] = path


def import_trainer(name: str) -> None:
    """Import the trainer's module and what its functions will import: torch, and modules of the trainer's own package.

    A module that knows better names what to import as its `PRELOAD`. What fails is told by a run's process, which
    tries again.
    """
    users_folder.come_first()
    with contextlib.suppress(BaseException):
        module = import_under_watch(name, lambda: os._exit(1))
        users_folder.note_path()
        named: Iterable[str] | None = getattr(module, "PRELOAD", None)
        if named is None:
            _import_all(sorted(set(_imports_of(module))))
            _import_what_optimizers_need()
        else:
            _import_all([named] if isinstance(named, str) else named, why=f" (PRELOAD of {name})")
        sdk_shortcuts.remember_packages()  # again, if the trainer's module has changed the path


def _import_all(names: Iterable[str], why: str = "") -> None:
    for name in names:
        try:
            importlib.import_module(name)
        except Exception as error:  # noqa: BLE001 a run's process tries again, if it needs it at all
            if why:
                print(f"cannot import {name}{why}: {one_line(error)}", file=sys.stderr, flush=True)  # noqa: T201 a log


def _imports_of(module: ModuleType) -> Iterator[str]:
    """Name what a module's file imports anywhere of torch and of the module's own package."""
    try:
        tree = ast.parse(Path(module.__file__ or "").read_bytes())
    except (OSError, SyntaxError, ValueError):
        return
    own = module.__name__.rpartition(".")[0].partition(".")[0]
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [_absolute(node, module)]
        yield from (name for name in names if name.partition(".")[0] in {"torch", own} - {""})


def _absolute(node: ast.ImportFrom, module: ModuleType) -> str:
    """Name the module of a `from ... import`."""
    if not node.level:
        return node.module or ""
    package = (module.__package__ or "").split(".")
    above = package[: len(package) - node.level + 1]
    return ".".join([*above, *filter(None, [node.module])])


def _import_what_optimizers_need() -> None:
    """Import torch._dynamo where the first optimizer of every run would: 1.7 s (torch 2.14)."""
    if "torch.optim" in sys.modules:
        importlib.import_module("torch._dynamo")
