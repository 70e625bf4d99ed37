"""A process of a run that is not its first rank: it calls the same function, or becomes the same script."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence

from sweeper.errors import TrainerError
from sweeper.processes import die_with_parent
from sweeper.worker import users_folder
from sweeper.worker.interruption import Interrupted, arm
from sweeper.worker.tracebacks import print_own
from sweeper.worker.trainer_import import Trainer, load_trainer

FUNCTION, SCRIPT = "function", "script"
"""What a rank is started as; behind it stand `module:function`, or the command line."""


def main(argv: Sequence[str]) -> int:
    """Train, with what the environment says.

    Args:
        argv: `function package.module:function`, or `script COMMAND ...`.

    Returns:
        The exit code; does not return where it has become a script.
    """
    die_with_parent()  # a script keeps this bond
    kind, *words = argv
    if kind == SCRIPT:
        return _become(words)
    users_folder.come_first()
    try:
        trainer = load_trainer(words[0])
    except TrainerError as error:
        _say(": ".join(filter(None, [error.message, error.hint])))
        return 1
    return _call(trainer)


def _become(command: Sequence[str]) -> int:
    try:
        os.execvp(command[0], [*command])  # noqa: S606 the command is the sweep file's
    except OSError as error:
        _say(f"error: {command[0]} cannot be started: {error.strerror}")
        return 127


def _call(trainer: Trainer) -> int:
    """Call a function as the first rank does: a SIGTERM interrupts it, whatever it sleeps in."""
    told: list[int] = []

    def interrupt(number: int, _frame: object) -> None:
        told.append(number)
        signal.raise_signal(signal.SIGUSR2)

    signal.signal(signal.SIGTERM, interrupt)
    try:
        arm()
        trainer()
    except Interrupted:
        return 128 + (told[0] if told else signal.SIGTERM)
    except SystemExit as error:
        if error.code is None or isinstance(error.code, int):
            return error.code or 0
        _say(str(error.code))
        return 1
    except BaseException as error:  # noqa: BLE001 whatever ends a trainer
        print_own(error)
        return 1
    finally:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    return 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)  # noqa: T201 the rank's log


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
