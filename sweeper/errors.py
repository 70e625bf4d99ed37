"""The errors a user meets.

SweeperError(message, hint)
├── UsageError             options that do not go together, or a value that says nothing: exit code 2
├── DefinitionError        a sweep file is wrong: file, line, key and the fix of every fault
├── SweepNotFoundError     no such sweep on that server
├── BackendError           the W&B server refused or cannot be reached
├── LaunchError            workers cannot be started
│   ├── NoGpuError         a GPU was asked for that is not there
│   ├── NothingLeftError   the sweep has ended, and gives no run any more
│   └── TrainerError       the trainer function cannot be imported
├── ResultError            a sweep has no best run yet, or that run no model that works
├── ServerError            the embedded server cannot be started, stopped or reached
└── StoreError             the server's database cannot be used
"""

import collections.abc
import typing


class SweeperError(Exception):
    """Something the user can act on: what is wrong, and what to do about it.

    Args:
        message: What is wrong and where, one sentence with the values in it.
        hint: What to do instead; printed on a line of its own.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(SweeperError):
    """A command line that no machine and no sweep could make right; Typer itself refuses what is not even one."""


class DefinitionError(SweeperError):
    """A sweep file does not describe a sweep.

    Args:
        message: All faults as text, each with its place.
        hint: What to do about them, if the message does not say.
        faults: The same as records (`sweeper.definition.yaml_document.Fault`), in the order of the file.
    """

    def __init__(self, message: str, hint: str = "", faults: collections.abc.Sequence[typing.Any] = ()) -> None:
        super().__init__(message, hint)
        self.faults = tuple(faults)


class SweepNotFoundError(SweeperError):
    """The server does not know the sweep."""


class BackendError(SweeperError):
    """The W&B server refused the request or cannot be reached."""


class LaunchError(SweeperError):
    """Workers cannot be started."""


class NothingLeftError(LaunchError):
    """The sweep has ended, and gives no run any more.

    Args:
        message: Why.
        hint: What would give more.
        url: The sweep's page.
    """

    def __init__(self, message: str, hint: str = "", url: str = "") -> None:
        super().__init__(message, hint)
        self.url = url


class NoGpuError(LaunchError):
    """A GPU was asked for that this machine does not have."""


class TrainerError(LaunchError):
    """The trainer function cannot be imported or called."""


class ResultError(SweeperError):
    """A sweep's best run or its model cannot be had."""


class ServerError(SweeperError):
    """The embedded server cannot be started, stopped or reached."""


class StoreError(SweeperError):
    """The server's database cannot be opened, migrated or written."""
