"""How the pages write numbers, times and durations, and what goes with every page."""

from __future__ import annotations

import pytest
from jinja2 import UndefinedError

from sweeper.server.pages.rendering import PAGES, POLICY, _ago, page


def written(filter_name, value):
    """Write a value as a template does."""
    return PAGES.from_string("{{ value | " + filter_name + " }}").render(value=value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.123456, "0.1235"),
        (12345678.0, "1.235e+07"),
        (float("nan"), "nan"),
        (3, "3"),
        ("<b>", "&lt;b&gt;"),
        (None, ""),
    ],
)
def test_numbers_have_four_digits(value, text):
    """Floats are cut to what a person compares; whole numbers and texts stay, and nothing is nothing."""
    assert written("number", value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4, "0.4s"),
        (59.96, "1m 00s"),
        (61, "1m 01s"),
        (3599, "59m 59s"),
        (7260, "2h 01m"),
        (90_000, "1d 1h"),
        (None, ""),
    ],
)
def test_durations_have_two_units(value, text):
    """As the command line and the pages' scripts write them; days, too."""
    assert written("duration", value) == text


@pytest.mark.parametrize(
    ("past", "text"),
    [
        (1, "just now"),
        (60, "60 s ago"),
        (600, "10 min ago"),
        (7200, "2 h ago"),
        (2 * 86400, "2 days ago"),
        (-9, "just now"),
    ],
)
def test_what_is_past_is_told_roughly(past, text):
    """In the words of assets/format.js, which goes on with them."""
    assert _ago(1000.0, 1000.0 + past) == text


def test_moments_say_that_they_are_utc():
    """The server does not know where its reader sits."""
    assert written("moment", 0.0) == "1970-01-01 00:00:00 UTC"
    assert written("moment", None) == ""


def test_a_page_runs_no_script_but_our_files_and_sends_no_form_elsewhere():
    """The policy goes with every page, and with the status that was asked for."""
    answer = page("login.html", status=401, target="/", fault="No <b>key</b>.")
    assert answer.status_code == 401
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert "default-src 'none'" in POLICY
    assert "script-src 'self';" in POLICY
    assert "unsafe" not in POLICY
    assert b"No &lt;b&gt;key&lt;/b&gt;." in answer.body


def test_a_value_that_a_template_lacks_is_a_bug():
    """A misspelt name is no empty cell but an error."""
    with pytest.raises(UndefinedError):
        page("login.html", target="/")
