"""`sweeper server url`."""

from __future__ import annotations

import urllib.request
from http.cookiejar import CookieJar

from sweeper.errors import ServerError


def test_the_address_opens_the_page_that_was_asked_for(here, embedded):
    """It stands alone on its line, for `xdg-open $(...)`, and lets in who opens it: a new browser, without a key."""
    ref, _ = embedded.sweep(0)
    page = f"{embedded.url}/{ref.entity}/{ref.project}/sweeps/{ref.sweep_id}"
    address = here("server", "url", page).stdout
    assert address.count("\n") == 1
    cookies = urllib.request.HTTPCookieProcessor(CookieJar())
    browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), cookies)
    with browser.open(address.strip(), timeout=10) as welcome:
        assert page.removeprefix(embedded.url) in welcome.read().decode()
    with browser.open(page, timeout=10) as answer:  # the welcome's page goes on there by itself
        assert answer.status == 200
        assert ref.sweep_id in answer.read().decode()


def test_no_server_has_no_address(sweeper):
    """The error says how to start one."""
    error = sweeper("server", "url").exception
    assert isinstance(error, ServerError)
    assert "sweeper serve" in error.hint
