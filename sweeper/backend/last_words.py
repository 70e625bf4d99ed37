"""What a server that did not start has said last."""

from __future__ import annotations

from pathlib import Path


def last_words(log: Path) -> tuple[str, str]:
    """Quote the error that a server's log ends with, if it does, and what to do about it.

    Raises:
        OSError: The log cannot be read.
    """
    lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-3:]
    errors = [number for number, line in enumerate(lines) if line.startswith("error:")]
    if not errors:
        return "", ""
    why = lines[errors[-1]].removeprefix("error:").strip()
    fix = " ".join(line.strip() for line in lines[errors[-1] + 1 :] if line.startswith("  "))
    return f": {why}", f"{fix.rstrip('.')}; " if fix else ""
