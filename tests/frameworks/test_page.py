"""docs/frameworks.md: short, and all of it run."""

from __future__ import annotations

import re
from pathlib import Path

from tests.frameworks.conftest import SECTIONS


def test_every_section_is_typed_in_by_a_test() -> None:
    """A framework that no test tries is one that may not work."""
    tests = [file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py")]
    typed = set(re.findall(r'\.type_in\("([^"]+)"', "\n".join(tests)))
    assert sorted(typed) == sorted(SECTIONS)


def test_each_is_shown_in_under_fifteen_lines() -> None:
    """Of code that a user writes: their own net and data are imported, and the sweep file is one."""
    lengths = {name: len(text.splitlines()) - 1 for files in SECTIONS.values() for text, name in files if ".py" in name}
    assert lengths
    assert [name for name, length in lengths.items() if length >= 15] == []
