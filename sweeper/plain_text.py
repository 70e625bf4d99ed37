"""Text of others made plain: without what a terminal obeys, and what shows a name as another one than it is."""

from __future__ import annotations

import re

HOSTILE = (
    r"\x00-\x1f\x7f-\x9f"  # C0, DEL, C1: a terminal obeys them
    r"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # turn the direction of what follows
    r"\u00ad\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f"  # are not seen
    r"\u2028\u2029"  # break the line
)
"""Characters that no name has and no output of ours: the inside of a character class."""

_HOSTILE = re.compile(rf"[{HOSTILE}\ud800-\udfff]")
_NO_ASCII = re.compile(r"[^\x20-\x7e]")
# sequences as ECMA-48 has them, whole: of a coloured log the text alone is left
_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # colours, cursor, screen
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)"  # titles, links, the clipboard
    r"|\x1b[ -/]*[0-~]"
)


def plain(text: str) -> str:
    """Take out what a terminal obeys or does not show; line feeds and tabs stay; half a surrogate pair is U+FFFD."""
    if text.isprintable():  # most text, at C's speed; what is left has at least a line feed
        return text
    return _HOSTILE.sub(_replace, _SEQUENCE.sub("", text))


def _replace(match: re.Match[str]) -> str:
    character = match[0]
    return character if character in "\n\t" else "\ufffd" if "\ud800" <= character <= "\udfff" else ""


def whole(text: str) -> str:
    """Replace each half of a surrogate pair by U+FFFD: JSON may hold one, and a run log it, but no file in UTF-8 does.

    Two halves that belong together become their character.
    """
    return text if text.isascii() else text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def plain_log(text: str) -> str:
    """Make a piece of a log plain; a bar that was drawn over itself gets a line for each time."""
    return plain(text.replace("\r\n", "\n").replace("\r", "\n"))


def escaped(text: str, *, to_ascii: bool = False) -> str:
    """Write such characters of a JSON text, or all but ASCII, as their code: whoever parses it gets every one."""
    pattern = _NO_ASCII if to_ascii else _HOSTILE
    return pattern.sub(lambda match: match[0] if match[0] in "\n\t" else _json_escape(match[0]), text)


def _json_escape(character: str) -> str:
    units = character.encode("utf-16-be", errors="surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
