"""What the SDK does around every run and need not: waiting for a file, listing packages, starting wandb-core anew.

Read in the source of wandb 0.18, 0.22 and 0.31. Nothing of this can be seen in a run, and an SDK that has no such part
does all of it in its own way.
"""

from __future__ import annotations

import contextlib
import functools
import os
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

CORE_LOOK_S = 0.005
"""How often to look for the file in which wandb-core, just started, says where it listens: it takes 20 ms."""


def look_for_core_often() -> None:
    """Have the SDK look for its service more often than every 0.2 s, which two of its starts a run would wait for."""
    with contextlib.suppress(ImportError):
        from wandb.sdk.lib.service import service_port_file as ports

        if "_SLEEP" in vars(ports):  # its own tests replace it, too
            vars(ports)["_SLEEP"] = _sleep_a_little


def _sleep_a_little(seconds: float) -> None:
    time.sleep(min(seconds, CORE_LOOK_S))


def remember_packages() -> None:
    """List the installed packages, for this process and all that are forked from it.

    Every `wandb.init` reads the metadata of all of them, 0.1 s of a core, to send their names and versions. They are
    read again where the path or what is installed has changed since.
    """
    from wandb import util

    given: Callable[[], Any] | None = getattr(util, "working_set", None)
    if given is None or getattr(given, "known_of", None) == _installation():
        return
    read: Callable[[], Any] = getattr(given, "__wrapped__", given)
    of, known = _installation(), tuple(read())

    @functools.wraps(read)
    def working_set() -> Iterator[Any]:
        return iter(known if _installation() == of else read())

    vars(working_set)["known_of"] = of
    util.working_set = working_set


def _installation() -> tuple[object, ...]:
    """Give what tells one state of the installed packages from another."""
    folder = Path(sysconfig.get_path("purelib"))
    return (*sys.path, folder.stat().st_mtime_ns if folder.is_dir() else 0)


@contextlib.contextmanager
def one_core(
    function: Callable[[], object], *, at_end: bool, ended_with: Callable[[], int]
) -> Iterator[Callable[[], object]]:
    """Have an agent go on with the wandb-core it asked for its run with, instead of ending it and starting another.

    Before it calls the function, the agent calls `wandb.teardown`, so that the settings of the run are read from the
    environment; here they are read anew, and that is all.

    Args:
        function: What the agent is to call. `wandb.teardown` is the SDK's own while it runs.
        at_end: Whether the next agent of this process shall go on with it, too, if nothing is left to be sent.
        ended_with: Asked behind the function for an exit code, with which what it has left open ends; the agent says 0.

    Yields:
        What to give to the agent in place of the function.
    """
    import wandb

    own = wandb.teardown
    called = False

    def forget_settings(exit_code: int | None = None) -> None:
        code = exit_code or ended_with() if called else exit_code
        if called and at_end and code:  # whether something is open cannot be asked for
            with contextlib.suppress(Exception, SystemExit):  # its wandb-core was killed
                own(code)
        elif (called and not at_end) or not _forget_settings():
            own(code)

    def call() -> object:
        nonlocal called
        called, wandb.teardown = True, own
        try:
            return function()
        finally:
            wandb.teardown = forget_settings

    if at_end and _core_may_be_dead():
        with contextlib.suppress(Exception):  # it has nobody to say goodbye to
            own()
    wandb.teardown = forget_settings
    try:
        yield call
    finally:
        wandb.teardown = own


def _forget_settings() -> bool:
    """Have the SDK read its settings anew when it needs them next; say whether it will."""
    from wandb.sdk import wandb_setup

    find: Callable[[], Any] | None = getattr(wandb_setup, "singleton", None)
    session: Any = find() if find else None  # 0.18 has none, and its agent does so by itself
    if not hasattr(session, "settings_if_loaded"):  # before 0.21 they are read once
        return False
    has = vars(session)
    if "_settings" not in has or has.get("_active_runs", True):  # the SDK's own way closes what is open
        return False
    session._settings = None  # noqa: SLF001 there is no public name for less than the whole of `wandb.teardown`
    return True


def _core_may_be_dead() -> bool:
    """Whether a child of this process has died: wandb-core is one, and its end is read by `wandb.teardown` alone."""
    if not hasattr(os, "waitid"):  # macOS, before Python 3.13
        return True
    try:
        return os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
    except ChildProcessError:
        return True
