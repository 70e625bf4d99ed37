"""Errors of the user's code as they are shown: with their own frames, and neither ours nor those of the SDK's agent."""

from __future__ import annotations

import re
import sys
import traceback
from pathlib import Path

_OURS = str(Path(__file__).parents[1])
_FRAME = re.compile(r'  File "')
_AGENTS = ("/wandb/agents/", "/wandb/wandb_agent.py", "/wandb/sdk/lib/exit_hooks.py")
_NOT_THEIRS = (f"{_OURS}/", *_AGENTS, "/importlib/__init__.py", "<frozen importlib")


def one_line(error: BaseException) -> str:
    """Give an exception's type and text, in one line of at most 600 characters."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:600] if text else type(error).__name__


def own_frames(error: BaseException) -> list[traceback.FrameSummary]:
    """List the frames of an exception that are the user's, the innermost last."""
    return [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame)]


def was_raised_in(error: BaseException, file: str) -> bool:
    """Whether an exception began in a file whose path ends so."""
    frames = traceback.extract_tb(error.__traceback__)
    return any(frame.filename.endswith(file) for frame in frames[-2:])  # sys.exit may be the SDK's own function


def print_own(error: BaseException) -> None:
    """Print an exception's traceback as Python does, and those that led to it, with the user's frames alone."""
    shown = traceback.TracebackException.from_exception(error)
    _clean(shown)
    print("".join(shown.format()), end="", file=sys.stderr, flush=True)  # noqa: T201 this is the run's log


def their_lines(log: str) -> list[str]:
    """Split a log into lines, and leave out what is none of the user's: the agent's words, frames of it and of ours."""
    lines: list[str] = []
    dropping = ""
    for line in log.splitlines():
        # behind a frame stands its code, deeper by two; behind the agent's "with config:", the parameters
        if dropping and line.startswith(dropping):
            continue
        dropping = ""
        if _FRAME.match(line):
            dropping = "    " if any(part in line for part in _NOT_THEIRS) else ""
        elif " - wandb.wandb_agent - " in line:
            dropping = "\t"
        if not dropping and not line.startswith("wandb: "):
            lines.append(line.rstrip())
    return lines


def last_place(error: BaseException) -> str:
    """Say where the user's code was, as ` (FILE, line N)`; nothing where the text says it, or no frame is theirs."""
    frames = own_frames(error)
    here = [frame for frame in frames if not _is_installed(frame.filename)] or frames
    if isinstance(error, SyntaxError) or not here:  # its text ends with file and line
        return ""
    return f" ({Path(here[-1].filename).name}, line {here[-1].lineno})"


def place_of_call(error: BaseException) -> str:
    """Say where the user's code called a library that raised, as `last_place`; nothing where their own code did."""
    frames = own_frames(error)
    below = [_is_installed(frame.filename) for frame in frames]
    return last_place(error) if below and below[-1] and not all(below) else ""


def _clean(shown: traceback.TracebackException) -> None:
    shown.stack = traceback.StackSummary.from_list([frame for frame in shown.stack if _is_theirs(frame)])
    for other in (shown.__cause__, shown.__context__):
        if other is not None:
            _clean(other)


def _is_theirs(frame: traceback.FrameSummary) -> bool:
    return not any(part in frame.filename for part in _NOT_THEIRS)


def _is_installed(filename: str) -> bool:
    return "/site-packages/" in filename or filename.startswith((sys.prefix, sys.base_prefix, "<"))
