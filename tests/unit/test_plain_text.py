"""Text of others on its way to a terminal."""

from __future__ import annotations

import json
import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sweeper.plain_text import HOSTILE, escaped, plain, plain_log, whole


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07name", "name"),
        ("\x1b]8;;http://evil.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b[2J\x1b[Hname", "name"),
        ("\x9b2Jname\x9d0;t\x9c", "name"),
        ("\x1b[31mred\x1b[0m, \x1b[38;5;1mred\x1b[m", "red, red"),
        ("\x1bcname\x1b(B", "name"),
        ("a\x1b", "a"),
        ("\x1b]0;no end", "0;no end"),
        ("a\x08\x08b\x7fc\x07\x00", "abc"),
        ("exe\u202etxt.\u2066a\u2069\u200b\ufeff\u00ad\u200f\U000e0041", "exetxt.a"),
        ("a\tb\nc", "a\tb\nc"),
        ("\udcff", "\ufffd"),
        ("größer 東京 📈 [/oops] \\[a]", "größer 東京 📈 [/oops] \\[a]"),
    ],
)
def test_what_a_terminal_obeys_is_taken_out(text, shown):
    """Whole sequences where they have an end, and every control character; all that is read stays."""
    assert plain(text) == shown


def test_a_bar_in_a_log_gets_its_lines():
    """It was drawn over itself by carriage returns, which can draw over any line."""
    assert plain_log("10%\r20%\r\n\x1b[32mdone\x1b[0m\n") == "10%\n20%\ndone\n"


@given(st.text())
def test_nothing_that_a_terminal_obeys_is_left(text):
    """Neither Unicode's control nor its format characters that turn or hide text, whatever they are mixed with."""
    assert not re.search(rf"[{HOSTILE}]", plain(text).replace("\n", "").replace("\t", ""))
    assert not [c for c in plain(text) if unicodedata.category(c) in {"Cc", "Cs", "Zl", "Zp"} and c not in "\n\t"]


@given(st.text(st.characters(codec=None)))
def test_json_says_the_same_with_its_characters_escaped(text):
    """A script reads every character of a value; a terminal sees none that it obeys."""
    written = escaped(json.dumps({"name": text}, ensure_ascii=False, indent=2))
    assert json.loads(written) == json.loads(json.dumps({"name": text}))
    assert not re.search(rf"[{HOSTILE}]", written.replace("\n", ""))


def test_json_for_a_terminal_of_few_letters_is_ascii():
    """What lies beyond 16 bits is a pair of codes; without being asked, letters stay as they are."""
    text = '"ü😀\x1b\u202e\n\t"'
    assert escaped(text) == '"ü😀\\u001b\\u202e\n\t"'
    assert escaped(text, to_ascii=True) == '"\\u00fc\\ud83d\\ude00\\u001b\\u202e\n\t"'
    assert escaped(" ~") == escaped(" ~", to_ascii=True) == " ~"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ü😀\n\0\u2028", "ü😀\n\0\u2028"),
        ("a\ud800b", "a\ufffdb"),
        ("\udc00\ud800", "\ufffd\ufffd"),
        ("\ud83d\ude00", "😀"),
        ("", ""),
    ],
)
def test_no_half_of_a_pair_reaches_a_file(text, said):
    """UTF-8 has none; everything else stays as it is."""
    assert whole(text) == said
    whole(text).encode()


def test_a_long_text_takes_no_time():
    """Sequences without an end, a hundred thousand of them."""
    began = time.process_time()
    plain("\x1b]" * 100_000 + "\x1b[" * 100_000 + "\x1b[" + "1;" * 100_000)
    assert time.process_time() - began < 2
