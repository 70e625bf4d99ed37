"""The terminal's streams: closed, full, or unable to write a character, they cost no command its work."""

from __future__ import annotations

import codecs
import contextlib
import io
import os
import sys
from collections.abc import Iterator

STDOUT = "standard output"
"""The name of stdout in its errors."""
_PLAIN = {
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{BOX DRAWINGS HEAVY HORIZONTAL}": "=",
    "\N{BOX DRAWINGS LIGHT DOUBLE DASH HORIZONTAL}": "-",
    "\N{BOX DRAWINGS LIGHT HORIZONTAL}": "-",
    "\N{BOX DRAWINGS LIGHT VERTICAL}": "|",
    "\N{BLACK STAR}": "*",
    **dict(zip("▁▂▃▄▅▆▇█", "_.-~+=*#", strict=True)),
    "\N{DEGREE SIGN}": "",
    "\N{BULLET}": "*",
    "\N{MIDDLE DOT}": "-",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{LEFT SINGLE QUOTATION MARK}": "'",
    "\N{RIGHT SINGLE QUOTATION MARK}": "'",
    "\N{LEFT DOUBLE QUOTATION MARK}": '"',
    "\N{RIGHT DOUBLE QUOTATION MARK}": '"',
}
"""What a terminal that knows only ASCII shows instead."""


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """Write what an encoding lacks in letters that it has; what users have named stays tellable by its escapes."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    text = error.object[error.start : error.end]
    return "".join(_PLAIN[letter] if letter in _PLAIN else _escaped(letter) for letter in text), error.end


def _escaped(letter: str) -> str:
    if "\udc80" <= letter <= "\udcff":  # a byte of a file's name that is no UTF-8
        return f"\\x{ord(letter) - 0xDC00:02x}"
    return letter.encode("ascii", "backslashreplace").decode()


class _DataStream(io.TextIOWrapper):
    """A stdout whose errors say that they are its own."""

    def write(self, text: str) -> int:
        """Write some of the data."""
        with _as_stdout():
            return super().write(text)

    def flush(self) -> None:
        """Send it off."""
        with _as_stdout():
            super().flush()


@contextlib.contextmanager
def _as_stdout() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror, STDOUT) from error


class _TalkStream(io.TextIOWrapper):
    """A stderr that may be full or closed: what it does not take is lost, and the work goes on."""

    def write(self, text: str) -> int:
        """Write what can be written."""
        with contextlib.suppress(OSError):
            super().write(text)
        return len(text)

    def flush(self) -> None:
        """Send it off."""
        with contextlib.suppress(OSError):
            super().flush()


def prepare_streams() -> None:
    """Make stdin, stdout and stderr of this process ones that a command can rely on; call it first."""
    _fill_closed()
    codecs.register_error("sweeper", _plainly)
    for name, kind in (("stdout", _DataStream), ("stderr", _TalkStream)):
        stream = getattr(sys, name)
        if type(stream) is io.TextIOWrapper:  # whoever calls us from Python may have put something else there
            buffered = stream.line_buffering
            setattr(sys, name, kind(stream.buffer, stream.encoding, errors="sweeper", line_buffering=buffered))


def _fill_closed() -> None:
    """Put something where a shell has closed a stream (`>&-`): the next file that is opened would take its number."""
    # for reading: what a command prints to a closed stdout is refused, as it would be
    for name, flags, mode in (("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")):
        if getattr(sys, name) is None:
            descriptor = os.open(os.devnull, flags)
            os.set_inheritable(descriptor, True)
            stream = open(descriptor, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 for as long as we live
            setattr(sys, name, stream)
            setattr(sys, f"__{name}__", stream)  # as at every start: what wraps it lives as long


def drop_stdout() -> None:
    """Print no more: Python itself would try once again at its end, and complain."""
    with contextlib.suppress(OSError, ValueError):
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, sys.stdout.fileno())
        os.close(null)
