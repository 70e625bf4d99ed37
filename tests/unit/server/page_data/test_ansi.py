"""Lines with colours, as programs write them for a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.server.page_data.ansi import pieces, plain


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("", []),
        ("plain\ttext", [["plain\ttext"]]),
        ("\x1b[31mred\x1b[0m plain", [["red", {"f": 1}], [" plain"]]),
        ("\x1b[1;92mbold bright\x1b[22;39m none", [["bold bright", {"f": 10, "w": "b"}], [" none"]]),
        ("\x1b[44mon blue\x1b[49m \x1b[101mbright", [["on blue", {"g": 4}], [" "], ["bright", {"g": 9}]]),
        ("\x1b[38;5;208mof 256", [["of 256", {"f": "#ff8700"}]]),
        ("\x1b[38;5;9mof 16 \x1b[48;5;240mgrey", [["of 16 ", {"f": 9}], ["grey", {"f": 9, "g": "#585858"}]]),
        ("\x1b[38;2;1;2;255mtrue", [["true", {"f": "#0102ff"}]]),
        ("\x1b[38:2:1:2:300mtrue", [["true", {"f": "#0102ff"}]]),
        ("\x1b[7mreversed\x1b[27m not", [["reversed", {"f": "card", "g": "ink"}], [" not"]]),
        ("\x1b[31;7mred ground", [["red ground", {"f": "card", "g": 1}]]),
        ("\x1b[3;4;9mall\x1b[23;24;29m none", [["all", {"w": "isu"}], [" none"]]),
        ("\x1b[mnothing \x1b[99munknown", [["nothing unknown"]]),
        ("\x1b[38mcut short", [["cut short"]]),
        ("\x1b[2K\x1b[1Gcursor\x1b[?25h", [["cursor"]]),
        ("\x1b]0;title\x07text\x1b]8;;http://x\x1b\\link", [["textlink"]]),
        ("10%\r50%\r100%\r", [["100%"]]),
        ("a\x00b\x08c\x9bd", [["abcd"]]),
        ("<script>", [["<script>"]]),
    ],
)
def test_a_line_is_taken_apart(line, found):
    """Colours of 16, of 256 and of all; what is not for the eye is left out."""
    assert pieces(line) == found


@given(st.text(st.sampled_from("\x1b[]0123;:mKax\r\x07\\"), max_size=40))
def test_whatever_comes_is_text_without_codes(line):
    """Nothing breaks on it, and the pieces together are the text."""
    assert "".join(text for text, *_ in pieces(line)) == plain(line)
    assert "\x1b" not in plain(line)
