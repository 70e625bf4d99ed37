"""Values as a person reads them."""

from __future__ import annotations

import pytest

from sweeper.definition.value_text import listed, plain, short


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (None, "null"),
        (0.1 + 0.2, "0.3"),
        (1e-5, "1e-05"),
        (3, "3"),
        ("adam", "adam"),
        ([8, 16], "[8,16]"),
        ((8, [1.5]), "[8,[1.5]]"),
    ],
)
def test_a_value_is_shown_about_as_the_file_has_it(value, text):
    """Without the noise of floats and of Python."""
    assert plain(value) == text


def test_a_long_list_is_cut_and_counted():
    """Twelve values fill a cell; the rest is a number."""
    assert listed(["a", True, 1.0], " or ") == "a or true or 1"
    assert listed(range(12)) == "0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11"
    assert listed(range(13)).endswith("11, ... (13 values)")


def test_what_was_found_fits_on_a_line():
    """Whatever stands in a file, also what Python refuses to print."""
    assert short("x" * 100) == f"'{'x' * 56}..."
    assert short(10**5000) == "a huge int"
